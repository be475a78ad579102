//! Records how far the steps of a build got, for decisions after the build.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::{StatusUpdate, Vertex};

/// More steps than any build has: protects the memory from a hostile daemon.
const LIMIT: usize = 1 << 16;

/// The last known state of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepEnd {
    /// It was started and has not ended.
    Running,
    /// It ran to its end.
    Done,
    /// Its result came from the cache.
    Cached,
    /// It failed or was cancelled.
    Failed,
}

impl StepEnd {
    /// Returns true if the daemon has the step's result.
    pub fn has_result(self) -> bool {
        matches!(self, Self::Done | Self::Cached)
    }

    /// Returns `None` for a step that has not been started.
    fn of(vertex: &Vertex) -> Option<Self> {
        match (vertex.started, vertex.completed) {
            _ if !vertex.error.is_empty() => Some(Self::Failed),
            (_, Some(_)) if vertex.cached => Some(Self::Cached),
            (_, Some(_)) => Some(Self::Done),
            // The result is being loaded.
            (Some(_), None) if vertex.cached => Some(Self::Cached),
            (Some(_), None) => Some(Self::Running),
            (None, None) => None,
        }
    }
}

/// Records the state of each step, by its digest. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct StepEnds(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    ends: HashMap<String, StepEnd>,
    /// The time of the last start or end.
    latest: Option<SystemTime>,
}

impl StepEnds {
    /// Records the changes of an update. A step that ran in one place and was cached in another
    /// counts as run.
    pub fn note(&self, update: &StatusUpdate) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Noted { ends, latest } = &mut *noted;
        for vertex in &update.vertexes {
            *latest = (*latest).max(vertex.started).max(vertex.completed);
            let Some(end) = StepEnd::of(vertex) else {
                continue;
            };
            let has_room = ends.len() < LIMIT;
            match ends.get_mut(&vertex.digest) {
                Some(StepEnd::Done) if end == StepEnd::Cached => {}
                Some(known) => *known = end,
                None if has_room => {
                    ends.insert(vertex.digest.clone(), end);
                }
                None => {}
            }
        }
    }

    /// Returns the state of the step with this digest; `None` if it was not started.
    pub fn of(&self, digest: &str) -> Option<StepEnd> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.ends.get(digest).copied()
    }

    /// Returns the time when the last step was started or ended, by the daemon's clock.
    pub fn latest(&self) -> Option<SystemTime> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(started: bool, completed: bool, cached: bool, error: &str) -> StatusUpdate {
        let now = |is: bool| is.then_some(SystemTime::UNIX_EPOCH);
        let vertex = Vertex {
            digest: "a".into(),
            started: now(started),
            completed: now(completed),
            cached,
            error: error.into(),
            ..Vertex::default()
        };
        StatusUpdate {
            vertexes: vec![vertex],
            ..StatusUpdate::default()
        }
    }

    #[test]
    fn the_last_update_counts() {
        let ends = StepEnds::default();
        ends.note(&update(false, false, false, ""));
        assert_eq!(ends.of("a"), None);
        ends.note(&update(true, false, false, ""));
        assert_eq!(ends.of("a"), Some(StepEnd::Running));
        ends.note(&update(true, true, false, ""));
        assert_eq!(ends.of("a"), Some(StepEnd::Done));
        assert_eq!(ends.of("b"), None);
    }

    #[test]
    fn a_step_that_ran_is_not_called_cached_later() {
        let ends = StepEnds::default();
        ends.note(&update(true, true, false, ""));
        ends.note(&update(true, true, true, ""));
        assert_eq!(ends.of("a"), Some(StepEnd::Done));
        ends.note(&update(true, true, false, "exit code: 1"));
        assert_eq!(ends.of("a"), Some(StepEnd::Failed));
    }
}
