//! Repeats the export of a build whose push failed for a transient reason: its steps are cached,
//! and the registry keeps the blobs that it has.

use std::fmt;
use std::time::Duration;

use super::environment::PushRetries;
use crate::causes;
use crate::client;
use crate::pipeline::{BuildRequest, Error, Output};
use crate::registry::FailureKind;

/// The repeats that one build has left.
pub(in crate::pipeline) struct Repeats {
    waits: Box<dyn Iterator<Item = Duration> + Send>,
    times: u32,
    most: u32,
}

/// The next repeat of an export.
#[derive(Debug)]
pub(in crate::pipeline) struct Repeat {
    pub(in crate::pipeline) wait: Duration,
    /// The note that is shown before the push is repeated.
    pub(in crate::pipeline) note: String,
}

impl Repeats {
    pub(in crate::pipeline) fn new(retries: &PushRetries) -> Self {
        Self {
            waits: Box::new(retries.policy.waits()),
            times: 0,
            most: retries.policy.times,
        }
    }

    /// Returns the next repeat; `None` if it would be useless, or if none is left.
    pub(super) fn after(&mut self, error: &Error, request: &BuildRequest) -> Option<Repeat> {
        let source = match error {
            Error::Export { source } => source,
            // The build can end before the answer to its result arrives.
            Error::Client(source) => source,
            _ => return None,
        };
        match uses_registry(request) {
            true => self.after_push(source),
            false => None,
        }
    }

    /// Returns the next repeat after a push that failed with this error.
    pub(in crate::pipeline) fn after_push(&mut self, source: &client::Error) -> Option<Repeat> {
        if source.registry_failure() != Some(FailureKind::Transient) {
            return None;
        }
        let wait = self.waits.next()?;
        self.times += 1;
        let (seconds, times, most) = (wait.as_secs_f32().ceil(), self.times, self.most);
        let reason = causes::in_one_line(source);
        let note = format!(
            "the push failed, and is repeated in {seconds} s ({times} of {most}): {reason}"
        );
        Some(Repeat { wait, note })
    }
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeats")
            .field("times", &self.times)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

/// True if the daemon writes to a registry: an image or a cache.
fn uses_registry(request: &BuildRequest) -> bool {
    let mut caches = request.cache_to.iter();
    request.outputs.iter().any(Output::pushes) || caches.any(|cache| cache.kind == "registry")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Code, Failure};

    fn failed(code: Code, message: &str) -> Error {
        let source = client::Error::Call {
            call: "the build",
            source: Box::new(Failure::new(code, message)),
        };
        Error::Export {
            source: Box::new(source),
        }
    }

    #[test]
    fn only_transient_failures_of_pushes_are_repeated_and_not_for_ever() {
        let mut request = BuildRequest::new(".");
        let mut repeats = Repeats::new(&PushRetries::default());
        let transient = failed(
            Code::Unavailable,
            "failed to push r/x: 503 Service Unavailable",
        );
        assert!(repeats.after(&transient, &request).is_none());
        request.outputs = vec![Output::push()];
        let denied = failed(Code::Unknown, "failed to push r/x: 403 Forbidden");
        assert!(repeats.after(&denied, &request).is_none());
        let first = repeats.after(&transient, &request).unwrap();
        assert!(first.note.contains("(1 of 2): "), "{}", first.note);
        assert!(first.note.contains("503 Service Unavailable"));
        assert!(repeats.after(&transient, &request).is_some());
        assert!(repeats.after(&transient, &request).is_none());
    }
}
