//! One step of a view.

use std::collections::HashMap;

use super::super::event::{VertexStatus, Warning};
use super::super::interval::Work;
use super::super::name::StepName;
use super::super::tail::LogTail;
use super::omitted::Omitted;

/// A step: a vertex, or a group of them.
#[derive(Debug, Default)]
pub struct StepView {
    pub(in super::super) digest: String,
    pub(in super::super) name: StepName,
    pub(in super::super) cached: bool,
    pub(in super::super) error: String,
    /// The digests of the steps that it needs.
    pub(in super::super) inputs: Vec<String>,
    pub(in super::super) work: Work,
    pub(in super::super) transfers: Vec<VertexStatus>,
    /// The positions of the transfers, by id.
    pub(super) transfer_positions: HashMap<String, usize>,
    /// The sources of the transfers, whose clocks measure them.
    pub(super) transfer_sources: Vec<u64>,
    /// The transfers that are only counted.
    pub(super) omitted: Omitted,
    pub(in super::super) warnings: Vec<Warning>,
    pub(in super::super) log: LogTail,
    /// True if its log is kept.
    pub(super) keeps_log: bool,
    /// True if it is in `View::shown`.
    pub(super) shown: bool,
    /// True if it is not counted as a step: a group without a visible member.
    pub(super) hidden: bool,
}

/// The state of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepState {
    /// The step has not started.
    Pending,
    /// The step is running.
    Running,
    /// The step completed.
    Done,
    /// The step completed with a result from the cache.
    Cached,
    /// The step was cancelled, or ended because something else failed.
    Canceled,
    /// The step failed.
    Failed,
}

impl StepView {
    /// Returns the name that the daemon sent.
    pub fn name(&self) -> &str {
        self.name.full()
    }

    /// Returns the platform of the step, e.g. `linux/arm64`, if its name contains it.
    pub fn platform(&self) -> Option<&str> {
        self.name.platform()
    }

    /// Returns the error; empty if there is none.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// Returns the state.
    pub fn state(&self) -> StepState {
        match () {
            () if self.error.ends_with(CANCELED) => StepState::Canceled,
            () if !self.error.is_empty() => StepState::Failed,
            () if !self.work.is_started() => StepState::Pending,
            () if !self.work.is_completed() => StepState::Running,
            () if self.cached => StepState::Cached,
            () => StepState::Done,
        }
    }

    /// True if the step has started and is not part of a group that is still hidden.
    pub(in super::super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// True if the transfer at this index is only counted.
    pub(in super::super) fn omits(&self, number: usize) -> bool {
        let status = self.transfers.get(number);
        status.is_some_and(|status| self.omitted.contains(number, &status.id))
    }

    /// Returns the line that replaces the hidden transfers.
    pub(in super::super) fn omitted_line(&self) -> Option<String> {
        self.omitted.line()
    }

    /// Returns the end of the log; empty once the step has completed.
    pub fn log(&self) -> &LogTail {
        &self.log
    }
}

/// The end of a cancelled step's error.
pub(in super::super) const CANCELED: &str = "context canceled";
