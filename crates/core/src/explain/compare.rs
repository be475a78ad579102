//! Compares two records to explain why steps ran.

use std::collections::{BTreeMap, HashSet};

use super::describe::VARIABLE;
use super::pair::pairs;
use super::pick::Picked;
use super::reason::{Explained, How, Reason};
use super::record::{Ended, Graph, Kind, Record, Step};
use super::table::Changes;

/// The most changed files that a reason names.
const NAMED_FILES: usize = 10;

/// Returns the steps that ran, each with its reasons. `changes` are the changed files of the
/// folders that both records have, by the folders' names.
pub fn explain(old: &Record, new: &Record, changes: &BTreeMap<String, Changes>) -> Vec<Explained> {
    let mut reported = HashSet::new();
    let mut explained = Vec::new();
    for graph in &new.graphs {
        let of_platform = |other: &&Graph| other.platform == graph.platform;
        let before = old
            .graphs
            .iter()
            .find(of_platform)
            .or(match old.graphs.as_slice() {
                [only] => Some(only),
                _ => None,
            });
        let empty = Graph::default();
        let compared = Compared {
            pairs: pairs(before.unwrap_or(&empty), graph),
            old: before.unwrap_or(&empty),
            new: graph,
            succeeded: old.succeeded,
            changes,
        };
        for (at, step) in compared.explained() {
            if reported.insert(graph.steps[at].place(&graph.platform)) {
                explained.push(step);
            }
        }
    }
    explained
}

/// A graph, the graph before it, and the pairs of their steps.
struct Compared<'a> {
    old: &'a Graph,
    new: &'a Graph,
    pairs: Vec<Option<usize>>,
    succeeded: bool,
    changes: &'a BTreeMap<String, Changes>,
}

impl Compared<'_> {
    fn explained(&self) -> Vec<(usize, Explained)> {
        let steps = &self.new.steps;
        // For each step that ran, the step that caused it: itself, or an earlier one.
        let mut roots: Vec<Option<usize>> = vec![None; steps.len()];
        let mut explained = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            if !matches!(step.ended, Ended::Ran | Ended::Failed) {
                continue;
            }
            let parent = step
                .inputs
                .iter()
                .find_map(|input| roots.get(*input).copied().flatten());
            let mut reasons = self.own(at, step);
            roots[at] = match (step.kind.is_source(), reasons.is_empty(), parent) {
                (true, _, _) => None,
                (false, true, Some(parent)) => Some(parent),
                (false, _, _) => Some(at),
            };
            if step.kind.is_source() {
                continue;
            }
            if let Some(parent) = parent {
                let step = steps[parent].name.clone();
                reasons.push(Reason::Parent { step });
            }
            if reasons.is_empty() {
                reasons.push(self.without_change(at));
            }
            let step = Explained {
                platform: self.new.platform.clone(),
                step: step.name.clone(),
                file: step.file.clone(),
                line: step.line,
                reasons,
            };
            explained.push((at, step));
        }
        explained
    }

    /// Returns the changes of the step itself.
    fn own(&self, at: usize, step: &Step) -> Vec<Reason> {
        if step.ignores_cache {
            return vec![Reason::NoCache];
        }
        let Some(old) = self.before(at) else {
            return vec![Reason::New];
        };
        if self.is_of_other_platform() && platform(old) != platform(step) {
            return vec![Reason::New];
        }
        let mut reasons = Vec::new();
        let has_new_text = old.text != step.text;
        if has_new_text {
            reasons.push(Reason::Text {
                old: old.text.clone(),
                new: step.text.clone(),
            });
        }
        let moved = step
            .inputs
            .iter()
            .filter_map(|input| self.moved_image(*input));
        reasons.extend(moved);
        let (variables, parts) = changed_facts(old, step);
        if !variables.is_empty() {
            reasons.push(Reason::Variables { names: variables });
        }
        // A new text says more than the parts that changed with it.
        if !parts.is_empty() && !has_new_text {
            reasons.push(Reason::Parts { names: parts });
        }
        reasons.extend(self.changed_files(step));
        reasons
    }

    /// True if the last build did not build this platform: the graph of its only one is compared.
    fn is_of_other_platform(&self) -> bool {
        self.old.platform != self.new.platform
    }

    fn before(&self, at: usize) -> Option<&Step> {
        let number = self.pairs.get(at).copied().flatten()?;
        self.old.steps.get(number)
    }

    /// The reason of a step none of whose parts changed.
    fn without_change(&self, at: usize) -> Reason {
        let inputs = self.new.steps[at].inputs.iter();
        let mut sources = inputs.map(|input| &self.new.steps[*input]);
        if let Some(remote) = sources.find(|step| step.kind == Kind::Remote) {
            let source = remote.facts.iter().find(|fact| fact.key == "source");
            let source = source.map(|fact| fact.value.clone()).unwrap_or_default();
            return Reason::Source { source };
        }
        let was_done = match self.before(at).map(|step| step.ended) {
            Some(Ended::Cached | Ended::Ran) => true,
            Some(Ended::Unseen) => self.succeeded,
            Some(Ended::Failed) | None => false,
        };
        if self.old.daemon != self.new.daemon {
            return Reason::Daemon {
                old: self.old.address.clone(),
                new: self.new.address.clone(),
            };
        }
        // Steps on files have the platform of the image below them.
        if self.is_of_other_platform() && platform(&self.new.steps[at]).is_none() {
            return Reason::New;
        }
        match was_done {
            true => Reason::Pruned,
            false => Reason::NotDone,
        }
    }

    /// Returns the change of the image if the step is one.
    fn moved_image(&self, at: usize) -> Option<Reason> {
        let new = self
            .new
            .steps
            .get(at)
            .filter(|step| step.kind == Kind::Image)?;
        let image = |step: &Step| {
            let fact = step.facts.iter().find(|fact| fact.key == "image");
            fact.map(|fact| fact.value.clone()).unwrap_or_default()
        };
        let (old, new) = (image(self.before(at)?), image(new));
        (old != new).then_some(Reason::BaseImage { old, new })
    }

    fn changed_files(&self, step: &Step) -> Option<Reason> {
        let (mut files, mut total, mut more) = (Vec::new(), 0, false);
        let mut seen = HashSet::new();
        for read in &step.reads {
            let Some(changes) = self.changes.get(&read.folder) else {
                continue;
            };
            more |= changes.has_more;
            let picked = Picked::new(&read.pick);
            for file in changes.files.iter().filter(|file| picked.has(&file.path)) {
                if !seen.insert((read.folder.as_str(), file.path.as_str())) {
                    continue;
                }
                total += 1;
                if files.len() < NAMED_FILES {
                    files.push(file.clone());
                }
            }
        }
        // A file with only a new time may be the same, so other changes come first.
        files.sort_by_key(|file| file.how == How::Time);
        (total > 0).then_some(Reason::Files { files, total, more })
    }
}

/// The platform on which the step runs a command.
fn platform(step: &Step) -> Option<&str> {
    let fact = step.facts.iter().find(|fact| fact.key == "platform");
    fact.map(|fact| fact.value.as_str())
}

/// Returns the names of the changed variables, and of the other changed parts.
fn changed_facts(old: &Step, new: &Step) -> (Vec<String>, Vec<String>) {
    let values = |step: &Step| -> BTreeMap<String, String> {
        let facts = step.facts.iter();
        facts
            .map(|fact| (fact.key.clone(), fact.value.clone()))
            .collect()
    };
    let (old, new) = (values(old), values(new));
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key));
    let (variables, parts): (Vec<&String>, Vec<&String>) =
        changed.partition(|key| key.starts_with(VARIABLE));
    let variables = variables
        .iter()
        .filter_map(|key| key.strip_prefix(VARIABLE));
    (
        variables.map(str::to_owned).collect(),
        parts.into_iter().cloned().collect(),
    )
}

#[cfg(test)]
mod tests;
