//! Arranges cache records by what was made from what, in which stage, by which builds. Pure: the
//! caller passes in the listing and the records of builds.

mod names;
mod shape;

use solvekit_core::explain::Record;

use super::CacheRecord;

/// A cache in display order: each record comes before those that were made from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheTree {
    /// The records.
    pub lines: Vec<TreeLine>,
    /// The builds with steps in the cache.
    pub builds: Vec<CachedBuild>,
}

/// A record with its place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeLine {
    /// The record.
    pub record: CacheRecord,
    /// The number of branchings above it.
    pub depth: usize,
    /// True if it starts a branch: its parent has other children too.
    pub begins_branch: bool,
    /// The number of records that were made directly from it.
    pub children: usize,
    /// The size of the record and of everything below it, in bytes.
    pub bytes_below: i64,
    /// The step that made it: `[build 2/5] RUN make`. Without a matching record of a build, this is
    /// derived from the daemon's description.
    pub step: String,
    /// The stage of the step, if it is known and has a name.
    pub stage: Option<String>,
    /// Indices into [`CacheTree::builds`] of the builds that it belongs to.
    pub builds: Vec<usize>,
}

/// A build with steps in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedBuild {
    /// Its name.
    pub name: String,
    /// The number of its records.
    pub records: usize,
    /// The size of its records, in bytes.
    pub bytes: i64,
    /// The size of the records that belong to no other known build, in bytes.
    pub own_bytes: i64,
}

impl CacheTree {
    /// Arranges the records of one daemon. A step is recognised from the records of builds, and
    /// only if the steps before it are of the same build.
    pub fn new(records: Vec<CacheRecord>, builds: &[Record]) -> Self {
        let links = shape::Links::new(&records);
        let known = names::Known::new(&records, &links, builds);
        let places = shape::places(&records, &links);
        let mut tree = Self {
            builds: known.builds(&records),
            ..Self::default()
        };
        let mut records: Vec<Option<CacheRecord>> = records.into_iter().map(Some).collect();
        for place in places {
            let Some(record) = records[place.number].take() else {
                continue;
            };
            let step = match known.step(place.number) {
                Some(step) => step.to_owned(),
                None => names::of_description(&record.description),
            };
            tree.lines.push(TreeLine {
                depth: place.depth,
                begins_branch: place.begins_branch,
                children: links.children[place.number].len(),
                bytes_below: place.bytes_below,
                stage: names::stage(&step),
                step,
                builds: known.builds_of(place.number).collect(),
                record,
            });
        }
        tree
    }
}

#[cfg(test)]
mod tests;
