//! Mistakes in how a command is called, and things that are missing on this machine.
//!
//! There is one error type per area. Each variant has its message and, below, its hint: nothing
//! else in the command decides about hints.

mod bake;
mod build;
mod builders;
mod cache_mounts;
mod call;
mod debug;
mod graph;
mod history;
mod images;
mod locks;
mod outputs;
mod progress;
mod push;
mod secrets;
mod verify;

pub(crate) use bake::{BAKE_LOGIN, BakeUsage};
pub(crate) use build::BuildUsage;
pub(crate) use builders::BuilderUsage;
pub(crate) use cache_mounts::{CacheMountUsage, copy_failure};
pub(crate) use call::CallProblem;
pub(crate) use debug::DebugUsage;
pub(crate) use graph::GraphUsage;
pub(crate) use history::HistoryUsage;
pub(crate) use images::ImageUsage;
pub(crate) use locks::LockUsage;
pub(crate) use outputs::OutputUsage;
pub(crate) use progress::ProgressUsage;
pub(crate) use push::PushUsage;
pub(crate) use secrets::{AgentUsage, SecretProblem, SecretUsage};
pub(crate) use verify::VerifyUsage;

use super::Failure;

/// The hint for `--offline` if a base image is needed.
pub(crate) const WITHOUT_A_LOCK: &str = "make a lock where there is a network (solvekit lock), and \
                                         give it: --lock solvekit.lock";

/// An error whose variant determines its hint.
pub(crate) trait Advised: std::error::Error {
    /// The next step for the user: a flag, a command, a line of a file.
    fn advice(&self) -> Option<String>;

    /// True if no daemon answers, for example during a restart.
    fn is_daemon_absent(&self) -> bool {
        false
    }

    /// buildx's message for it, if scripts look for that.
    fn in_buildx(&self) -> Option<String> {
        None
    }

    /// True if buildx prints nothing before that message, because it looks for a builder before it
    /// builds.
    fn stands_alone(&self) -> bool {
        false
    }
}

impl<E: Advised> From<E> for Failure {
    fn from(error: E) -> Self {
        let failure = Self::from_error(&error).advised(error.advice());
        failure
            .in_buildx(error.in_buildx())
            .alone_in_buildx(error.stands_alone())
            .daemon_absent(error.is_daemon_absent())
    }
}
