//! Gets the listings that a plan is made from.

use std::time::{Duration, SystemTime};

use super::{Listing, PruneDoubt, PrunePlan, filter};
use crate::client::{CacheRecord, Client, Error, PruneOptions, Version};

/// The tolerated difference between the daemon's clock and this machine's.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

impl Client {
    /// Returns what [`prune`](Self::prune) would remove, and removes nothing.
    ///
    /// Filters are evaluated by the daemon. Older daemons ignore
    /// [`PruneOptions::keep_duration`] in listings; for them this machine's clock decides, with a
    /// tolerance of five minutes.
    ///
    /// # Errors
    /// If a call fails, for example because of a malformed filter.
    pub async fn plan_prune(&self, options: &PruneOptions) -> Result<PrunePlan, Error> {
        let filters: Vec<String> = options
            .filters
            .iter()
            .map(|it| filter::listed(it))
            .collect();
        let matching = match filters.is_empty() && options.keep_duration.is_zero() {
            true => None,
            false => Some(self.disk_usage(&filters, options.keep_duration).await?),
        };
        // A record that was added since then is not in the plan.
        let all = self.disk_usage(&[], Duration::ZERO).await?;
        let now = SystemTime::now();
        let matching = matching.as_ref().unwrap_or(&all).iter();
        let matching = matching
            .filter(|record| is_old(record, options.keep_duration, now))
            .map(|record| record.id.as_str())
            .collect();
        let listing = Listing {
            all: &all,
            matching: &matching,
        };
        let mut plan = PrunePlan::new(&listing, options);
        let limits = [
            options.reserved_space,
            options.max_used_space,
            options.min_free_space,
        ];
        if limits.iter().any(|limit| *limit > 0) && self.workers().await?.len() > 1 {
            plan.doubts.push(PruneDoubt::SeveralWorkers);
        }
        let asks = options.filters.iter().any(|it| it.contains("description"));
        let version = self.version().and_then(Version::known);
        if asks && version.is_none_or(knows_no_descriptions) {
            plan.doubts.push(PruneDoubt::DescriptionsUnknown);
        }
        Ok(plan)
    }
}

/// True for BuildKit before 0.14.
fn knows_no_descriptions(version: &str) -> bool {
    let minor = version.trim_start_matches('v').strip_prefix("0.");
    let minor = minor.and_then(|rest| rest.split('.').next());
    minor.is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor < 14))
}

fn is_old(record: &CacheRecord, keep: Duration, now: SystemTime) -> bool {
    let needed = keep.saturating_sub(CLOCKS_DIFFER);
    // A record that was used in the future counts as just used.
    record
        .last_used_at
        .is_none_or(|used| now.duration_since(used).unwrap_or_default() >= needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_know_no_descriptions() {
        let old = ["v0.13.2", "0.9.0"].map(knows_no_descriptions);
        let new = ["v0.14.0", "v0.32.1", "v1.2.0", "abc"].map(knows_no_descriptions);
        assert_eq!((old, new), ([true; 2], [false; 4]));
    }
}
