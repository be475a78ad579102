//! The records of the daemon's cache, and the options of a prune.

use std::time::{Duration, SystemTime};

use crate::proto::moby::buildkit::v1 as control;

/// A record of the daemon's cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheRecord {
    /// Its id.
    pub id: String,
    /// True if the record can still change.
    pub mutable: bool,
    /// True if the record is in use and cannot be removed.
    pub in_use: bool,
    /// The size in bytes.
    pub size: i64,
    /// The ids of the parent records.
    pub parents: Vec<String>,
    /// When the record was created.
    pub created_at: Option<SystemTime>,
    /// When the record was last used.
    pub last_used_at: Option<SystemTime>,
    /// How often the record was used.
    pub usage_count: i64,
    /// A description of the record.
    pub description: String,
    /// `regular`, `internal`, `frontend`, `source.local`, `source.git.checkout` or
    /// `exec.cachemount`.
    pub kind: String,
    /// True if the content is shared with other records or images.
    pub shared: bool,
}

/// The cache records to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// Filters, for example `type==regular`; all must match.
    pub filters: Vec<String>,
    /// True to remove internal records and frontends too, which are usually kept.
    pub all: bool,
    /// Records used within this time are kept.
    pub keep_duration: Duration,
    /// The number of bytes that are always kept.
    pub reserved_space: i64,
    /// The number of bytes that the cache may use; 0 means no limit.
    pub max_used_space: i64,
    /// The number of bytes to leave free on the disk; 0 means no limit.
    pub min_free_space: i64,
}

impl PruneOptions {
    pub(super) fn to_proto(&self) -> control::PruneRequest {
        control::PruneRequest {
            filter: self.filters.clone(),
            all: self.all,
            keep_duration: nanoseconds(self.keep_duration),
            reserved_space: self.reserved_space,
            max_used_space: self.max_used_space,
            min_free_space: self.min_free_space,
        }
    }
}

/// The years 1 to 9999, in seconds since 1970: the valid range of a `Timestamp`, and of the output.
const YEARS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// Converts a daemon's time; `None` if it is out of range.
pub(crate) fn time_of(at: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    let at = at.filter(|at| YEARS.contains(&at.seconds))?;
    SystemTime::try_from(at).ok()
}

pub(super) fn nanoseconds(time: Duration) -> i64 {
    time.as_nanos().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
impl CacheRecord {
    /// A record with only a description.
    pub(crate) fn described(description: &str) -> Self {
        Self::from(control::UsageRecord {
            description: description.to_owned(),
            ..control::UsageRecord::default()
        })
    }
}

impl From<control::UsageRecord> for CacheRecord {
    fn from(record: control::UsageRecord) -> Self {
        Self {
            id: record.id,
            mutable: record.mutable,
            in_use: record.in_use,
            size: record.size,
            // Daemons before 0.9 send a single parent.
            #[allow(deprecated)]
            parents: if record.parents.is_empty() && !record.parent.is_empty() {
                vec![record.parent]
            } else {
                record.parents
            },
            created_at: time_of(record.created_at),
            last_used_at: time_of(record.last_used_at),
            usage_count: record.usage_count,
            description: record.description,
            kind: record.record_type,
            shared: record.shared,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_cannot_be_printed_is_none() {
        let at = |seconds| {
            let record = control::UsageRecord {
                last_used_at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
                ..control::UsageRecord::default()
            };
            CacheRecord::from(record).last_used_at
        };
        assert_eq!(at(0), Some(SystemTime::UNIX_EPOCH));
        assert!(at(253_402_300_799).is_some());
        assert_eq!(
            (at(253_402_300_800), at(i64::MAX), at(i64::MIN)),
            (None, None, None)
        );
    }
}
