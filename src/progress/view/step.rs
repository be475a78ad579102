//! One step of a view.

use super::super::event::{VertexStatus, Warning};
use super::super::interval::Work;
use super::super::name::StepName;
use super::super::tail::LogTail;
use super::omitted::Omitted;

/// One step: a vertex, or a group of them.
#[derive(Debug, Default)]
pub struct StepView {
    pub(in super::super) digest: String,
    pub(in super::super) name: StepName,
    pub(in super::super) cached: bool,
    pub(in super::super) error: String,
    pub(in super::super) work: Work,
    pub(in super::super) transfers: Vec<VertexStatus>,
    /// Sources of the transfers, whose clocks they are measured by.
    pub(super) transfer_sources: Vec<u64>,
    /// Which of the transfers are counted instead of shown.
    pub(super) omitted: Omitted,
    pub(in super::super) warnings: Vec<Warning>,
    pub(in super::super) log: LogTail,
    /// Its log is one of those that are kept.
    pub(super) keeps_log: bool,
    /// In `View::shown`.
    pub(super) shown: bool,
    /// Stands for no step to count: a group without a visible member.
    pub(super) hidden: bool,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Known, not begun.
    Pending,
    /// At work.
    Running,
    /// Ended well.
    Done,
    /// Ended well, with a result from the cache.
    Cached,
    /// Ended because the build was cancelled or something else failed.
    Canceled,
    /// Ended with an error of its own.
    Failed,
}

impl StepView {
    /// The name as the daemon gave it.
    pub fn name(&self) -> &str {
        self.name.full()
    }

    /// The platform that the step is for, e.g. `linux/arm64`, when its name says so.
    pub fn platform(&self) -> Option<&str> {
        self.name.platform()
    }

    /// The error; empty when there is none.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// How far it is.
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

    /// It has begun, and is not part of a group that is not to be seen yet.
    pub(in super::super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// True if the transfer at this position is counted instead of shown.
    pub(in super::super) fn omits(&self, number: usize) -> bool {
        let status = self.transfers.get(number);
        status.is_some_and(|status| self.omitted.contains(number, &status.id))
    }

    /// The line that stands for the transfers that are not shown.
    pub(in super::super) fn omitted_line(&self) -> Option<String> {
        self.omitted.line()
    }

    /// The end of its log; given up once the step has ended well.
    pub fn log(&self) -> &LogTail {
        &self.log
    }
}

/// How the error of a cancelled step ends.
const CANCELED: &str = "context canceled";
