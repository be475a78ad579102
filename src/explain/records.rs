//! Collects the graphs and inputs of running builds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use solvekit_core::explain::{Ended, Graph, Record, Table, VERSION, steps};

use crate::llb::Definition;
use crate::oci::Platform;
use crate::progress::{StepEnd, StepEnds};
use crate::session::Sent;

/// Collects the graphs of builds that run together, for each target. Clones share the collection.
#[derive(Debug, Clone, Default)]
pub struct Records {
    targets: Arc<Mutex<BTreeMap<String, Target>>>,
    /// The state of the steps.
    pub(crate) ends: StepEnds,
    /// The target that this clone collects for.
    target: Arc<str>,
}

#[derive(Debug, Default)]
struct Target {
    graphs: BTreeMap<String, Graph>,
    folders: BTreeMap<String, PathBuf>,
    build_refs: Vec<String>,
}

/// The collected data of a target.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Built {
    /// Its steps with their results. The names of tables are set when the record is stored.
    pub record: Record,
    /// The files of its folders, by the session's names of the folders.
    pub tables: BTreeMap<String, Arc<Table>>,
    /// The daemon's ids of its builds.
    pub build_refs: Vec<String>,
}

/// The place that graphs were sent to, with the folders that were served.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) session: &'a str,
    pub(crate) folders: BTreeMap<String, PathBuf>,
    pub(crate) daemon: &'a str,
    pub(crate) address: String,
    pub(crate) build_ref: &'a str,
}

impl Records {
    /// Returns a clone that collects for this target.
    #[must_use]
    pub fn for_target(&self, name: &str) -> Self {
        Self {
            target: name.into(),
            ..self.clone()
        }
    }

    /// Adds graphs. A later graph of the same platform replaces an earlier one: the build was
    /// resumed.
    pub(crate) fn add(&self, graphs: &[(Platform, Definition)], place: Place<'_>) {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let target = targets.entry(self.target.to_string()).or_default();
        for (platform, definition) in graphs {
            let platform = platform.to_string();
            let graph = Graph {
                platform: platform.clone(),
                daemon: place.daemon.to_owned(),
                address: place.address.clone(),
                steps: steps(definition, place.session),
            };
            target.graphs.insert(platform, graph);
        }
        target.folders.extend(place.folders);
        target.build_refs.push(place.build_ref.to_owned());
    }

    /// Takes the collected data by target; a single build has the target "". `sent` has the files.
    pub fn take(&self, sent: &Sent) -> BTreeMap<String, Built> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let targets = std::mem::take(&mut *targets).into_iter();
        let tables = sent.tables();
        let built = targets.map(|(name, target)| {
            let folders = target.folders.into_iter();
            let tables = folders.filter_map(|(name, path)| {
                let table = tables.get(&path)?;
                Some((name, Arc::clone(table)))
            });
            let mut record = Record {
                version: VERSION,
                graphs: target.graphs.into_values().collect(),
                ..Record::default()
            };
            let steps = record.graphs.iter_mut().flat_map(|graph| &mut graph.steps);
            for step in steps {
                step.ended = ended(self.ends.of(&step.digest));
            }
            let built = Built {
                record,
                tables: tables.collect(),
                build_refs: target.build_refs,
            };
            (name, built)
        });
        built.collect()
    }
}

fn ended(end: Option<StepEnd>) -> Ended {
    match end {
        None => Ended::Unseen,
        Some(StepEnd::Cached) => Ended::Cached,
        Some(StepEnd::Done) => Ended::Ran,
        // Still running: the daemon was stopped, or the connection was lost.
        Some(_) => Ended::Failed,
    }
}
