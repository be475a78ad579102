//! The explanation of one command's builds, stored to be shown again.

use serde::{Deserialize, Serialize};

use solvekit_core::explain::Explained;

/// The explanation of one command's builds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The time when the command ended, in seconds since 1970.
    pub ended_at: u64,
    /// The targets; one for `build`.
    pub targets: Vec<TargetReport>,
}

/// The explanation of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetReport {
    /// Its name in a bake file; empty for `build`.
    pub target: String,
    /// The daemon's ids of its builds.
    pub build_refs: Vec<String>,
    /// True if there was a record of an earlier build to compare with.
    pub compared: bool,
    /// The number of its steps.
    pub steps: usize,
    /// Its steps that ran.
    pub ran: Vec<Explained>,
}

impl Report {
    /// True if a target was built with this id.
    pub fn has(&self, build_ref: &str) -> bool {
        let refs = self.targets.iter().flat_map(|target| &target.build_refs);
        refs.into_iter().any(|known| known == build_ref)
    }
}
