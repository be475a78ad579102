//! The daemon's cache: what is in it, and what to remove.

use std::time::{Duration, SystemTime};

use crate::proto::moby::buildkit::v1 as control;

/// A record of the daemon's cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheRecord {
    /// Its id.
    pub id: String,
    /// It can still change.
    pub mutable: bool,
    /// It is being used, so it cannot be removed.
    pub in_use: bool,
    /// Its size in bytes.
    pub size: i64,
    /// The records it is made on.
    pub parents: Vec<String>,
    /// When it was made.
    pub created_at: Option<SystemTime>,
    /// When it was last used.
    pub last_used_at: Option<SystemTime>,
    /// How often it was used.
    pub usage_count: i64,
    /// What it is, in words.
    pub description: String,
    /// `regular`, `internal`, `frontend`, `source.local`, `source.git.checkout` or `exec.cachemount`.
    pub kind: String,
    /// Its content is shared with other records or with images.
    pub shared: bool,
}

/// Which cache records to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// Which records, for example `type==regular`; all must match.
    pub filters: Vec<String>,
    /// Records that are usually spared (internal ones, frontends) are removed too.
    pub all: bool,
    /// Records used within this time are kept.
    pub keep_duration: Duration,
    /// Bytes that are always kept.
    pub reserved_space: i64,
    /// Bytes that the cache may use; 0 is no limit.
    pub max_used_space: i64,
    /// Bytes of the disk to leave free; 0 is no limit.
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

pub(super) fn nanoseconds(time: Duration) -> i64 {
    time.as_nanos().try_into().unwrap_or(i64::MAX)
}

impl From<control::UsageRecord> for CacheRecord {
    fn from(record: control::UsageRecord) -> Self {
        let time =
            |at: Option<prost_types::Timestamp>| at.and_then(|at| SystemTime::try_from(at).ok());
        Self {
            id: record.id,
            mutable: record.mutable,
            in_use: record.in_use,
            size: record.size,
            // Daemons before 0.9 name one.
            #[allow(deprecated)]
            parents: if record.parents.is_empty() && !record.parent.is_empty() {
                vec![record.parent]
            } else {
                record.parents
            },
            created_at: time(record.created_at),
            last_used_at: time(record.last_used_at),
            usage_count: record.usage_count,
            description: record.description,
            kind: record.record_type,
            shared: record.shared,
        }
    }
}
