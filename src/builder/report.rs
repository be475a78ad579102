//! A node's report about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Error;
use crate::client::{Client, Device, GcRule};
use crate::oci::Platform;

/// The status of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The node does not exist yet, or does not answer.
    Inactive,
    /// The node is running.
    Running,
    /// The node exists but is not running.
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

/// A node's report about itself. BuildKit's part is empty unless it runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The status of the node.
    pub status: Status,
    /// The version of BuildKit, or of the engine that contains it.
    pub version: String,
    /// The ids of its workers.
    pub ids: Vec<String>,
    /// The platforms that it builds for, each once.
    pub platforms: Vec<Platform>,
    /// The labels of its first worker.
    pub labels: BTreeMap<String, String>,
    /// The garbage collection rules of its first worker.
    pub gc_policy: Vec<GcRule>,
    /// The devices that steps can request.
    pub devices: Vec<Device>,
    /// Its features, by buildx's names.
    pub features: BTreeMap<&'static str, bool>,
    /// The pods of a node in a cluster, running or not.
    pub pods: Vec<PodReport>,
}

/// A pod of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodReport {
    /// Its name.
    pub name: String,
    /// `ready`, or its phase with the reason.
    pub state: String,
}

impl Report {
    /// Returns a report with only the status.
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

    /// Adds the BuildKit's part.
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
