//! The records of a cache as people think of them: what was made of what, in which stage, by which
//! builds. Pure: the listing and the records of builds are handed in.

mod names;
mod shape;

use solvekit_core::explain::Record;

use super::CacheRecord;

/// A cache in the order in which it is shown: a record comes before what was made of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheTree {
    /// The records.
    pub lines: Vec<TreeLine>,
    /// The builds whose steps are among them.
    pub builds: Vec<CachedBuild>,
}

/// A record with its place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeLine {
    /// The record.
    pub record: CacheRecord,
    /// How many times the tree has branched above it.
    pub depth: usize,
    /// True if it is the first of a branch: its parent has other children, too.
    pub begins_branch: bool,
    /// The number of records that were made of it directly.
    pub children: usize,
    /// Its size and that of everything below it in the tree.
    pub bytes_below: i64,
    /// The step that made it: `[build 2/5] RUN make`. Where no record of a build is known, this is
    /// made of the daemon's description.
    pub step: String,
    /// The stage of the step, if it is known and has a name.
    pub stage: Option<String>,
    /// The numbers of the builds that it is a part of, in [`CacheTree::builds`].
    pub builds: Vec<usize>,
}

/// A build whose steps are in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedBuild {
    /// Its name.
    pub name: String,
    /// The number of its records.
    pub records: usize,
    /// The size of its records.
    pub bytes: i64,
    /// The size of those that are a part of no other known build.
    pub own_bytes: i64,
}

impl CacheTree {
    /// Arranges the records of one daemon. Steps are recognised by the records of builds, and only
    /// if the steps before them are those of the same build.
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
