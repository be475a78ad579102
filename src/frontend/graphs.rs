//! The graphs of a build, as they were sent to the daemon.

use std::sync::{Arc, Mutex, PoisonError};

use crate::llb::Definition;
use crate::oci::Platform;

/// Collects the graphs that a job sends. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Graphs(Arc<Mutex<Vec<(Platform, Definition)>>>);

impl Graphs {
    /// Returns the graphs so far, each with its platform.
    pub fn sent(&self) -> Vec<(Platform, Definition)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns true if no graph was sent.
    pub fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    pub(crate) fn add(&self, platform: &Platform, graph: &Definition) {
        let mut graphs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        graphs.push((platform.clone(), graph.clone()));
    }
}
