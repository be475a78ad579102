//! Compares two records: why did a step run?

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::describe::VARIABLE;
use super::pair::pairs;
use super::pick::Picked;
use super::record::{Ended, Graph, Kind, Record, Step};
use super::table::Changes;

/// The most changed files that a reason names.
const NAMED_FILES: usize = 10;

/// A step that ran, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Explained {
    /// The platform of its graph.
    pub platform: String,
    /// Its place and instruction: `[build 2/5] RUN make`.
    pub step: String,
    /// The Dockerfile; empty if the step is in none.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// The reasons, the most telling first; empty if none is known.
    pub reasons: Vec<Reason>,
}

/// Why a step ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The request asked to ignore the cache.
    NoCache,
    /// The step was not in the last build.
    New,
    /// The text of its instruction changed.
    Text {
        /// The text before.
        old: String,
        /// The text now.
        new: String,
    },
    /// Its base image changed.
    BaseImage {
        /// The image before, with its digest.
        old: String,
        /// The image now.
        new: String,
    },
    /// Files that it reads changed.
    Files {
        /// The first of them.
        files: Vec<FileChange>,
        /// How many there are at least.
        total: usize,
        /// True if there may be more.
        more: bool,
    },
    /// Values of variables changed: ARG or ENV.
    Variables {
        /// Their names.
        names: Vec<String>,
    },
    /// Other parts of it changed, for example its user or a mount.
    Parts {
        /// Their names.
        names: Vec<String>,
    },
    /// A step ran whose result it uses.
    Parent {
        /// The name of the first such step that has a reason of its own.
        step: String,
    },
    /// What it takes from elsewhere may have changed: a git branch, a URL.
    Source {
        /// The source.
        source: String,
    },
    /// The last build did not get it done.
    NotDone,
    /// The last build was on another daemon.
    Daemon {
        /// The daemon's address before.
        old: String,
        /// The address now.
        new: String,
    },
    /// Nothing changed: the daemon no longer has its result.
    Pruned,
}

/// A file that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path in the folder.
    pub path: String,
    /// How it changed.
    pub how: How,
}

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content.
    Content,
    /// Its permissions.
    Mode,
    /// It is of another type: a folder, a link.
    Type,
    /// The target of the link.
    Link,
    /// Its extended attributes.
    Attributes,
    /// Its time, and perhaps its content, which was not compared.
    Time,
}

/// Returns the steps of a build that ran, each with its reasons. `changes` are the changed files of
/// the folders that both records have, by the folders' names.
pub fn explain(old: &Record, new: &Record, changes: &BTreeMap<String, Changes>) -> Vec<Explained> {
    let mut said = HashSet::new();
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
            if said.insert(graph.steps[at].place(&graph.platform)) {
                explained.push(step);
            }
        }
    }
    explained
}

/// A graph, the graph before it, and which steps belong together.
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
        // For each step that ran, the step that it ran because of: itself, or an earlier one.
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

    /// What changed of the step itself.
    fn own(&self, at: usize, step: &Step) -> Vec<Reason> {
        if step.ignores_cache {
            return vec![Reason::NoCache];
        }
        let Some(old) = self.before(at) else {
            return vec![Reason::New];
        };
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
        // A new text says more than the parts that it changes.
        if !parts.is_empty() && !has_new_text {
            reasons.push(Reason::Parts { names: parts });
        }
        reasons.extend(self.changed_files(step));
        reasons
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
        match was_done {
            true => Reason::Pruned,
            false => Reason::NotDone,
        }
    }

    /// The change of an image that a step stands on.
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
        // A file of which only the time is known may be the same: others say more.
        files.sort_by_key(|file| file.how == How::Time);
        (total > 0).then_some(Reason::Files { files, total, more })
    }
}

/// The names of the variables and of the other parts that differ.
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
mod tests {
    use super::super::record::{Fact, Read};
    use super::super::{Pick, VERSION};
    use super::*;

    /// FROM, the context, COPY src, RUN make: the last build had them all.
    fn record() -> Record {
        let step = |name: &str, kind, inputs: &[usize], facts: &[(&str, &str)]| Step {
            name: name.to_owned(),
            text: name
                .split_once("] ")
                .map_or(name, |(_, text)| text)
                .to_owned(),
            kind,
            inputs: inputs.to_vec(),
            facts: facts
                .iter()
                .map(|(key, value)| Fact {
                    key: (*key).to_owned(),
                    value: (*value).to_owned(),
                })
                .collect(),
            ended: Ended::Cached,
            ..Step::default()
        };
        let mut copy = step("[2/4] COPY src /", Kind::Files, &[0, 1], &[]);
        copy.reads = vec![Read {
            folder: "context".into(),
            pick: Pick {
                source: "/src".into(),
                ..Pick::default()
            },
        }];
        Record {
            version: VERSION,
            succeeded: true,
            graphs: vec![Graph {
                platform: "linux/amd64".into(),
                daemon: "one".into(),
                address: "docker".into(),
                steps: vec![
                    step("[1/4] FROM a", Kind::Image, &[], &[("image", "a@sha256:1")]),
                    step(
                        "load build context",
                        Kind::Folder,
                        &[],
                        &[("folder", "context")],
                    ),
                    copy,
                    step(
                        "[3/4] RUN make",
                        Kind::Run,
                        &[2],
                        &[("env V", "1"), ("user", "x")],
                    ),
                    step("[4/4] RUN test", Kind::Run, &[3], &[]),
                ],
            }],
            folders: BTreeMap::new(),
        }
    }

    fn ran(change: impl FnOnce(&mut Record), from: usize) -> Record {
        let mut new = record();
        for step in &mut new.graphs[0].steps[from..] {
            step.ended = Ended::Ran;
        }
        change(&mut new);
        new
    }

    fn reasons(old: &Record, new: &Record, changes: &[(&str, How)]) -> Vec<Vec<Reason>> {
        let files = changes.iter().map(|(path, how)| FileChange {
            path: (*path).to_owned(),
            how: *how,
        });
        let changes = Changes {
            files: files.collect(),
            has_more: false,
        };
        let changes = [("context".to_owned(), changes)].into();
        let explained = explain(old, new, &changes).into_iter();
        explained.map(|step| step.reasons).collect()
    }

    fn parent(step: &str) -> Reason {
        Reason::Parent {
            step: step.to_owned(),
        }
    }

    #[test]
    fn a_changed_file_explains_its_copy_and_all_after_it() {
        let changes = [("doc/a", How::Added), ("src/a", How::Content)];
        let reasons = reasons(&record(), &ran(|_| {}, 2), &changes);
        let files = vec![FileChange {
            path: "src/a".into(),
            how: How::Content,
        }];
        let files = Reason::Files {
            files,
            total: 1,
            more: false,
        };
        let after = parent("[2/4] COPY src /");
        assert_eq!(reasons, [vec![files], vec![after.clone()], vec![after]]);
    }

    #[test]
    fn variables_parts_and_texts_are_told() {
        let new = ran(
            |new| {
                let run = &mut new.graphs[0].steps[3];
                run.facts[0].value = "2".into();
                run.facts[1].value = "y".into();
                new.graphs[0].steps[4].text = "RUN test -v".into();
            },
            3,
        );
        let variables = Reason::Variables {
            names: vec!["V".into()],
        };
        let parts = Reason::Parts {
            names: vec!["user".into()],
        };
        let text = Reason::Text {
            old: "RUN test".into(),
            new: "RUN test -v".into(),
        };
        assert_eq!(
            reasons(&record(), &new, &[]),
            [vec![variables, parts], vec![text, parent("[3/4] RUN make")]]
        );
    }

    #[test]
    fn a_moved_image_explains_what_stands_on_it() {
        let change = |new: &mut Record| new.graphs[0].steps[0].facts[0].value = "a@sha256:2".into();
        let reasons = reasons(&record(), &ran(change, 2), &[]);
        let moved = Reason::BaseImage {
            old: "a@sha256:1".into(),
            new: "a@sha256:2".into(),
        };
        assert_eq!(reasons[0], [moved]);
        assert_eq!(reasons[1], [parent("[2/4] COPY src /")]);
    }

    #[test]
    fn without_a_change_the_daemon_or_the_last_build_explains_it() {
        let only = |old: &Record, new: &Record| reasons(old, new, &[]).swap_remove(0);
        assert_eq!(only(&record(), &ran(|_| {}, 4)), [Reason::Pruned]);
        let mut failed = record();
        failed.graphs[0].steps[4].ended = Ended::Failed;
        assert_eq!(only(&failed, &ran(|_| {}, 4)), [Reason::NotDone]);
        let elsewhere = |new: &mut Record| {
            new.graphs[0].daemon = "two".into();
            new.graphs[0].address = "tcp://b".into();
        };
        let daemon = Reason::Daemon {
            old: "docker".into(),
            new: "tcp://b".into(),
        };
        assert_eq!(only(&record(), &ran(elsewhere, 4)), [daemon]);
        let without = |new: &mut Record| new.graphs[0].steps[4].ignores_cache = true;
        assert_eq!(only(&record(), &ran(without, 4)), [Reason::NoCache]);
        assert_eq!(only(&Record::default(), &ran(|_| {}, 4)), [Reason::New]);
    }

    #[test]
    fn cached_steps_need_no_reason() {
        assert_eq!(explain(&record(), &record(), &BTreeMap::new()), []);
    }
}
