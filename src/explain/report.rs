//! What was explained of the builds of one command, to be shown again later.

use serde::{Deserialize, Serialize};

use solvekit_core::explain::Explained;

/// What was explained of the builds of one command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// When the command ended, in seconds since 1970.
    pub ended_at: u64,
    /// Its targets: one for `build`.
    pub targets: Vec<TargetReport>,
}

/// What was explained of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetReport {
    /// Its name in a bake file; empty for `build`.
    pub target: String,
    /// The daemon's names of its builds.
    pub build_refs: Vec<String>,
    /// True if there is a record of an earlier build to compare with.
    pub compared: bool,
    /// The number of its steps.
    pub steps: usize,
    /// Its steps that ran.
    pub ran: Vec<Explained>,
}

impl Report {
    /// True if a target was built under this name of the daemon.
    pub fn has(&self, build_ref: &str) -> bool {
        let refs = self.targets.iter().flat_map(|target| &target.build_refs);
        refs.into_iter().any(|known| known == build_ref)
    }
}
