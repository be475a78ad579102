//! Steps that fail because the daemon's cache has lost the files of their inputs.
//!
//! BuildKit offers such a cache record to each later build, which would fail too. So the build is
//! repeated, and makes these inputs again. Each step gets one repeat.

use std::collections::BTreeSet;

use crate::frontend::{self, SolveFailure};
use crate::pipeline::Error;

/// The most steps of one build that are tried again.
const MOST: usize = 5;

/// The steps that failed for this reason, by digest.
#[derive(Debug, Clone, Default)]
pub(crate) struct LostFiles {
    steps: BTreeSet<String>,
}

impl LostFiles {
    /// The digests of the steps.
    pub(super) fn steps(&self) -> &BTreeSet<String> {
        &self.steps
    }

    /// Adds the step of an error. Returns the note to show before the build is repeated; `None` for
    /// other errors, and for a step that was repeated already.
    pub(super) fn add(&mut self, error: &Error) -> Option<String> {
        let failure = failed_step(error)?;
        let daemon = failure.source.failure()?;
        let step = daemon.vertex().filter(|_| daemon.is_of_lost_files())?;
        if self.steps.len() == MOST || !self.steps.insert(step.to_owned()) {
            return None;
        }
        let place = place(failure).unwrap_or_else(|| "a step".to_owned());
        Some(format!(
            "the daemon's cache has lost files that {place} needs: building them again"
        ))
    }
}

/// The first of the failed steps.
fn failed_step(error: &Error) -> Option<&SolveFailure> {
    let error = match error {
        Error::Frontend(error) => error,
        Error::Platforms { failed, .. } => &failed.first()?.error,
        _ => return None,
    };
    match error {
        frontend::Error::Solve(failure) => Some(failure),
        _ => None,
    }
}

/// The file and line of a step.
fn place(failure: &SolveFailure) -> Option<String> {
    let lines = failure.lines.as_ref()?;
    let first = lines.ranges.first()?.start.line;
    Some(format!("{}:{first}", lines.info.filename))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{self, Code, Detail, Failure};
    use crate::gateway;

    fn failed(message: &str, step: &str) -> Error {
        let digest = step.to_owned();
        let failure = Failure::new(Code::Unknown, message).with_detail(Detail::Vertex { digest });
        let source = client::Error::Call {
            call: "solving",
            source: Box::new(failure),
        };
        Error::Frontend(frontend::Error::Solve(Box::new(SolveFailure {
            platform: None,
            built_for: None,
            message: message.to_owned(),
            exit_code: None,
            lines: None,
            excerpt: String::new(),
            explanation: None,
            source: gateway::Error::Client(source),
        })))
    }

    #[test]
    fn each_step_is_tried_again_once() {
        let mut lost = LostFiles::default();
        let missing = "failed to prepare a as b: parent snapshot a does not exist: not found";
        let note = lost.add(&failed(missing, "sha256:1")).unwrap();
        assert!(note.contains("files that a step needs"), "{note}");
        assert!(lost.add(&failed(missing, "sha256:2")).is_some());
        assert!(lost.add(&failed(missing, "sha256:1")).is_none());
        assert_eq!(lost.steps().len(), 2);
    }

    #[test]
    fn other_failures_are_reported_at_once() {
        let mut lost = LostFiles::default();
        for message in ["exit code: 1", "/a: not found", "no space left on device"] {
            assert!(lost.add(&failed(message, "sha256:1")).is_none());
        }
        assert!(lost.add(&Error::Interrupted).is_none());
    }

    #[test]
    fn there_is_an_end() {
        let mut lost = LostFiles::default();
        let missing = "snapshot a does not exist: not found";
        let tried = (0..100).filter(|step| lost.add(&failed(missing, &step.to_string())).is_some());
        assert_eq!(tried.count(), MOST);
    }
}
