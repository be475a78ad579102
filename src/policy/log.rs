//! Shows the decisions of policies during a build, as a step of the progress.

use std::sync::{Mutex, PoisonError};

use super::LogLevel;
use crate::progress::{LogStream, Step, Writer};

/// A step that starts with its first line.
#[derive(Default)]
pub(crate) struct Log {
    writer: Option<Writer>,
    name: String,
    step: Mutex<Option<Step>>,
}

impl Log {
    pub(crate) fn new(writer: Option<Writer>, files: &[&str]) -> Self {
        Self {
            writer,
            name: format!("loading policies {}", files.join(", ")),
            step: Mutex::default(),
        }
    }

    /// Adds a line, if the policy's log level includes it.
    pub(crate) fn say(&self, wanted: LogLevel, level: LogLevel, line: &str) {
        let (Some(writer), true) = (&self.writer, level <= wanted) else {
            return;
        };
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let step = step.get_or_insert_with(|| writer.step(self.name.clone()));
        step.log(LogStream::Stdout, format!("{line}\n"));
    }

    /// Ends the step; with an error if a source was denied.
    pub(crate) fn end(&self, error: Option<&str>) {
        let step = self
            .step
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (step, error) {
            (Some(step), Some(error)) => step.fail(error),
            (Some(step), None) => step.done(),
            (None, _) => {}
        }
    }
}
