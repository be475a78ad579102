//! Plans a prune, by the rules of BuildKit's cache manager (`cache/manager.go`).
//!
//! BuildKit has no call for this. The daemon evaluates the filters in its listing of the cache; the
//! rest is decided here. Pure: the caller passes in the listings.

mod ask;
mod filter;
mod order;

use std::collections::{HashMap, HashSet};

use super::{CacheRecord, PruneOptions};

/// The result of a prune, if nothing else uses the daemon in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The records that would be removed. With a limit on space they are in the daemon's order;
    /// otherwise each record comes before its parents.
    pub removed: Vec<CacheRecord>,
    /// The matching records that stay, counted by reason.
    pub kept: KeptRecords,
    /// Reasons why the daemon could remove other records.
    pub doubts: Vec<PruneDoubt>,
}

/// The number of records that match the filters but stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptRecords {
    /// Records in use by builds.
    pub in_use: usize,
    /// Records of kinds that are only removed with [`PruneOptions::all`]: internal ones, frontends
    /// and those shared with images.
    pub protected: usize,
    /// Parents of records that stay.
    pub parents: usize,
    /// Records that fit into the limits.
    pub within_limits: usize,
}

/// Why the daemon could remove other records than planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PruneDoubt {
    /// [`PruneOptions::min_free_space`] is set, and daemons do not report the free space of the
    /// disk. The plan assumes a full disk; the daemon removes no more than that.
    FreeSpaceUnknown,
    /// The limit falls between records that were used equally often and recently. The daemon may
    /// choose any of them.
    EqualRank,
    /// The daemon has several workers, each with its own limit.
    SeveralWorkers,
    /// There are too many records to repeat the daemon's ranking after each removal.
    Estimated,
    /// A filter tests descriptions, and the daemon is or may be BuildKit before 0.14, which has no
    /// descriptions during a prune: `description~=x` matches nothing there.
    DescriptionsUnknown,
    /// A filter tests if records are shared with images. A prune does not count the parents of a
    /// shared record as shared.
    SharedParents,
}

/// A listing of the daemon's cache.
pub(super) struct Listing<'a> {
    pub(super) all: &'a [CacheRecord],
    /// The ids of the records that match the filters and are old enough.
    pub(super) matching: &'a HashSet<&'a str>,
}

impl PrunePlan {
    /// Plans a prune of the matching records, given a daemon's whole listing
    /// ([`Client::disk_usage`](super::Client::disk_usage)). The filters and the duration in the
    /// options are not evaluated.
    pub fn among(
        records: &[CacheRecord],
        matches: impl Fn(&CacheRecord) -> bool,
        options: &PruneOptions,
    ) -> Self {
        let matching = records.iter().filter(|record| matches(record));
        let matching = matching.map(|record| record.id.as_str()).collect();
        let listing = Listing {
            all: records,
            matching: &matching,
        };
        Self::new(&listing, options)
    }

    /// Decides which records are removed.
    pub(super) fn new(listing: &Listing<'_>, options: &PruneOptions) -> Self {
        let mut simulation = Simulation::new(listing, options);
        let mut doubts = Vec::new();
        let total = sum(listing.all.iter().filter(|record| !record.shared));
        match bytes_to_keep(total, options) {
            0 => simulation.remove_all(),
            keep => simulation.remove_until(total, keep, &mut doubts),
        }
        if options.min_free_space > 0 {
            doubts.push(PruneDoubt::FreeSpaceUnknown);
        }
        let asks = |word: &str| options.filters.iter().any(|text| text.contains(word));
        if options.all && (asks("shared") || asks("private")) {
            doubts.push(PruneDoubt::SharedParents);
        }
        Self {
            kept: simulation.kept(),
            removed: simulation.removed(),
            doubts,
        }
    }

    /// The total size of the removed records, in bytes.
    pub fn bytes(&self) -> i64 {
        sum(&self.removed)
    }
}

/// The cache size at which the daemon stops, in bytes; 0 means no limit. Assumes that the disk is
/// full.
fn bytes_to_keep(total: i64, options: &PruneOptions) -> i64 {
    let most = options.max_used_space;
    let kept = match options.min_free_space {
        0 => most,
        free if most == 0 => total.saturating_sub(free),
        free => most.min(total.saturating_sub(free)),
    };
    kept.max(options.reserved_space)
}

/// Simulates a prune. A record can be removed if it is not in use and has no children.
struct Simulation<'a> {
    records: &'a [CacheRecord],
    parents: Vec<Vec<usize>>,
    /// The number of remaining children of each record.
    children: Vec<usize>,
    chosen: Vec<Chosen>,
    /// Selected records without remaining children.
    ready: Vec<usize>,
    removed: Vec<usize>,
}

/// The decision about a record, according to the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    No,
    InUse,
    Protected,
    Yes,
    Removed,
}

impl<'a> Simulation<'a> {
    fn new(listing: &Listing<'a>, options: &PruneOptions) -> Self {
        let records = listing.all;
        let numbers: HashMap<&str, usize> = records
            .iter()
            .enumerate()
            .map(|(number, record)| (record.id.as_str(), number))
            .collect();
        let mut children = vec![0; records.len()];
        let parents: Vec<Vec<usize>> = records
            .iter()
            .map(|record| {
                let parents = record.parents.iter();
                let parents = parents.filter_map(|id| numbers.get(id.as_str()).copied());
                parents.inspect(|parent| children[*parent] += 1).collect()
            })
            .collect();
        let chosen: Vec<Chosen> = records
            .iter()
            .map(
                |record| match listing.matching.contains(record.id.as_str()) {
                    false => Chosen::No,
                    true if record.in_use => Chosen::InUse,
                    true if !options.all && is_protected(record) => Chosen::Protected,
                    true => Chosen::Yes,
                },
            )
            .collect();
        let ready = (0..records.len())
            .filter(|number| chosen[*number] == Chosen::Yes && children[*number] == 0);
        Self {
            ready: ready.collect(),
            records,
            parents,
            children,
            chosen,
            removed: Vec::new(),
        }
    }

    fn remove_all(&mut self) {
        while let Some(number) = self.ready.pop() {
            self.remove(number);
        }
    }

    /// Removes the least used records until less than `keep` bytes are left.
    fn remove_until(&mut self, total: i64, keep: i64, doubts: &mut Vec<PruneDoubt>) {
        let mut total = total;
        let mut tied = HashSet::new();
        let at_once = order::removals_per_ranking(self.chosen.len());
        while total >= keep && !self.ready.is_empty() {
            let ranked = order::ranked(&self.ready, self.records);
            tied.extend(order::equal_to_first(&ranked));
            let removals = ranked.iter().take(at_once).take_while(|(number, _)| {
                let goes_on = total >= keep;
                if goes_on {
                    total = total.saturating_sub(self.records[*number].size.max(0));
                }
                goes_on
            });
            let removals: Vec<usize> = removals.map(|(number, _)| *number).collect();
            self.ready = ranked[removals.len()..].iter().map(|it| it.0).collect();
            removals.into_iter().for_each(|number| self.remove(number));
        }
        if at_once > 1 {
            doubts.push(PruneDoubt::Estimated);
        }
        if tied.iter().any(|at| self.chosen[*at] != Chosen::Removed) {
            doubts.push(PruneDoubt::EqualRank);
        }
    }

    fn remove(&mut self, number: usize) {
        self.chosen[number] = Chosen::Removed;
        self.removed.push(number);
        for parent in &self.parents[number] {
            self.children[*parent] -= 1;
            if self.children[*parent] == 0 && self.chosen[*parent] == Chosen::Yes {
                self.ready.push(*parent);
            }
        }
    }

    fn kept(&self) -> KeptRecords {
        let mut kept = KeptRecords::default();
        for (chosen, children) in self.chosen.iter().zip(&self.children) {
            match chosen {
                Chosen::InUse => kept.in_use += 1,
                Chosen::Protected => kept.protected += 1,
                Chosen::Yes if *children > 0 => kept.parents += 1,
                Chosen::Yes => kept.within_limits += 1,
                Chosen::No | Chosen::Removed => {}
            }
        }
        kept
    }

    fn removed(&self) -> Vec<CacheRecord> {
        let removed = self.removed.iter();
        removed.map(|at| self.records[*at].clone()).collect()
    }
}

fn is_protected(record: &CacheRecord) -> bool {
    record.shared || matches!(record.kind.as_str(), "internal" | "frontend")
}

fn sum<'a>(records: impl IntoIterator<Item = &'a CacheRecord>) -> i64 {
    let sizes = records.into_iter().map(|record| record.size.max(0));
    sizes.fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests;
