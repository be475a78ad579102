//! What a node says about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Error;
use crate::client::{Client, Device, GcRule};
use crate::oci::Platform;

/// What a node is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is nothing yet, or it does not answer.
    Inactive,
    /// It runs.
    Running,
    /// It is there and does not run.
    Stopped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inactive => "inactive",
            Self::Running => "running",
            Self::Stopped => "stopped",
        })
    }
}

/// What a node says about itself. What comes from its BuildKit is empty unless it runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// What it is doing.
    pub status: Status,
    /// BuildKit's version, or the engine's that it is a part of.
    pub version: String,
    /// The ids of its workers.
    pub ids: Vec<String>,
    /// The platforms that it builds for, each once.
    pub platforms: Vec<Platform>,
    /// Labels of its first worker.
    pub labels: BTreeMap<String, String>,
    /// What the garbage collector of its first worker keeps.
    pub gc_policy: Vec<GcRule>,
    /// Devices that steps may ask for.
    pub devices: Vec<Device>,
    /// What it can do, by buildx's names.
    pub features: BTreeMap<&'static str, bool>,
    /// The pods of a node in a cluster; whether it runs or not.
    pub pods: Vec<PodReport>,
}

/// A pod of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodReport {
    /// Its name.
    pub name: String,
    /// `ready`, or its phase and what it waits for.
    pub state: String,
}

impl Report {
    /// Nothing but the status.
    pub(super) fn of(status: Status) -> Self {
        Self {
            status,
            version: String::new(),
            ids: Vec::new(),
            platforms: Vec::new(),
            labels: BTreeMap::new(),
            gc_policy: Vec::new(),
            devices: Vec::new(),
            features: BTreeMap::new(),
            pods: Vec::new(),
        }
    }

    /// What the BuildKit says.
    pub(super) async fn fill(&mut self, client: &Client) -> Result<(), Error> {
        if let Some(version) = client.version() {
            self.version.clone_from(&version.version);
        }
        let workers = client.workers().await?;
        let mut seen = BTreeSet::new();
        for (position, worker) in workers.into_iter().enumerate() {
            self.ids.push(worker.id);
            let platforms = worker
                .platforms
                .into_iter()
                .map(|platform| platform.normalized());
            self.platforms
                .extend(platforms.filter(|platform| seen.insert(platform.clone())));
            if position == 0 {
                self.labels = worker.labels;
                self.gc_policy = worker.gc_policy;
            }
            self.devices = worker.devices;
        }
        self.ids.sort();
        Ok(())
    }
}
