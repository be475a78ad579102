//! Finds the targets that changed since an earlier state of a repository, from the inputs of their
//! graphs.
//!
//! Nothing is built and no daemon is asked: Dockerfiles are translated by this library, and base
//! images are looked up in their registries. A target with unknown inputs never counts as
//! unchanged.

mod definition;

mod lookups;

mod reads;

mod reason;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use solvekit_bake::Plan;
use solvekit_bake::target::Target;

use super::Machine;
use super::prepare::in_order;
use super::request::links;
use crate::batch::Images;
use crate::oci::Reference;
pub use reason::{Change, Unknown, Verdict};

use self::lookups::{Links, Lookups, Seen};
use self::reads::{Place, Reads};

/// An earlier state of a repository.
#[derive(Debug)]
#[non_exhaustive]
pub struct Earlier {
    /// The repository's folder, absolute and without links.
    pub root: PathBuf,
    /// The time of that state, in seconds since the Unix epoch.
    pub time: i64,
    /// The paths that differ from it now, including untracked ones.
    pub changes: Vec<ChangedPath>,
    /// The targets at that time.
    pub targets: EarlierTargets,
}

/// The targets of an earlier state.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EarlierTargets {
    /// The targets by name, each planned as if it was built alone.
    Known(BTreeMap<String, Target>),
    /// The bake files of that state cannot be evaluated, for this reason.
    Unknown(String),
}

/// A path that differs from an earlier state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedPath {
    /// The path, relative to the repository's folder.
    pub path: PathBuf,
    /// The kind of difference.
    pub kind: ChangeKind,
    /// It is or was a symbolic link or a submodule, so other paths can lead through it.
    pub leads_on: bool,
}

/// The kind of difference of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The path was changed, added or removed.
    Differs,
    /// The path is untracked, so its earlier content is unknown.
    Unrecorded,
}

impl Earlier {
    /// An earlier state without differences.
    pub fn new(root: impl Into<PathBuf>, time: i64, targets: EarlierTargets) -> Self {
        Self {
            root: root.into(),
            time,
            changes: Vec::new(),
            targets,
        }
    }
}

impl ChangedPath {
    /// A path that is not a link or a submodule.
    pub fn new(path: impl Into<PathBuf>, kind: ChangeKind) -> Self {
        Self {
            path: path.into(),
            kind,
            leads_on: false,
        }
    }
}

/// The verdict about each target of a plan. Blocking.
pub fn verdicts(
    plan: &Plan,
    earlier: &Earlier,
    machine: &dyn Machine,
    images: &dyn Images,
) -> BTreeMap<String, Verdict> {
    let lookups = Lookups::new(images);
    let mut verdicts = BTreeMap::new();
    let mut results = Links::default();
    for (name, target) in in_order(plan) {
        let verdict = judge(target, earlier, machine, &lookups, &verdicts, &mut results);
        verdicts.insert(name.to_owned(), verdict);
    }
    verdicts
}

/// Decides about one target, after those that it links to.
fn judge(
    target: &Target,
    earlier: &Earlier,
    machine: &dyn Machine,
    lookups: &Lookups<'_>,
    judged: &BTreeMap<String, Verdict>,
    results: &mut Links,
) -> Verdict {
    if let Some(verdict) = definition::compare(target, &earlier.targets) {
        return verdict;
    }
    let is_unchanged = |name: &str| matches!(judged.get(name), Some(Verdict::Unchanged { .. }));
    if let Some((_, linked)) = links(target).find(|(_, linked)| !is_unchanged(linked)) {
        return Verdict::Changed(Change::Link {
            target: linked.to_owned(),
        });
    }
    let read = reads::of(target, machine, lookups, results, &earlier.root);
    let (reads, translations) = match read {
        Ok(read) => read,
        Err(unknown) => return Verdict::Unknown(unknown),
    };
    if let Some(change) = changed_path(&reads, earlier) {
        return Verdict::Changed(change);
    }
    match changed_image(&reads.images, earlier.time, reads.pull) {
        Some(verdict) => verdict,
        None => {
            results.add(&target.name, translations);
            Verdict::Unchanged {
                images: reads.images.into_iter().map(|it| it.reference).collect(),
            }
        }
    }
}

/// The first changed path that the graph reads, and the number of further ones.
fn changed_path(reads: &Reads, earlier: &Earlier) -> Option<Change> {
    let mut read = earlier
        .changes
        .iter()
        .filter(|change| is_read(reads, &earlier.root.join(&change.path), change.leads_on));
    let first = read.next()?;
    Some(Change::Path {
        path: first.path.clone(),
        kind: first.kind,
        more: read.count(),
    })
}

fn is_read(reads: &Reads, changed: &Path, leads_on: bool) -> bool {
    let is_on_way = |place: &Place| {
        place.real.starts_with(changed) || place.links.iter().any(|it| it.starts_with(changed))
    };
    if reads.files.iter().any(is_on_way) {
        return true;
    }
    reads.folders.iter().any(|folder| {
        if is_on_way(&folder.place) {
            return true;
        }
        let Ok(inside) = changed.strip_prefix(&folder.place.real) else {
            return false;
        };
        let inside = inside.to_string_lossy();
        let selection = &folder.selection;
        selection.has(&inside) || leads_on && selection.may_have_inside(&inside)
    })
}

/// The verdict for a base image that may have changed.
fn changed_image(images: &[Seen], time: i64, pull: bool) -> Option<Verdict> {
    let image = |seen: &Seen| -> Reference { seen.reference.clone() };
    if let Some(seen) = images.first().filter(|_| pull) {
        return Some(Verdict::Unknown(Unknown::Pull(image(seen))));
    }
    images.iter().find_map(|seen| match seen.created {
        None => Some(Verdict::Unknown(Unknown::ImageTime(image(seen)))),
        Some(created) if created > time => Some(Verdict::Changed(Change::Image(image(seen)))),
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests;
