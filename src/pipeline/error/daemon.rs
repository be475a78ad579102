//! What an error says about the daemon: the failure that it keeps in the build's history, and
//! whether it was lost or is shutting down.

use super::Error;
use crate::client::{self, Code, Failure};
use crate::{frontend, gateway};

impl Error {
    /// The failure as returned to the daemon, which keeps it in the build's history.
    pub(in crate::pipeline) fn to_failure(&self) -> Failure {
        let from_daemon = match self {
            Self::Frontend(error) => return error.to_failure(),
            Self::Gateway(error) => error.failure(),
            _ => None,
        };
        from_daemon
            .cloned()
            .unwrap_or_else(|| Failure::new(Code::Unknown, self.to_string()))
    }

    /// True if the connection to the daemon was lost: the build itself is not the cause.
    pub(crate) fn is_of_lost_daemon(&self) -> bool {
        match self {
            Self::Export { source } => is_connection(source),
            error => error.is_lost(),
        }
    }

    /// Adds the pod of the lost daemon, and what became of it.
    pub(in crate::pipeline) fn in_pod(self, pod: client::Pod, end: client::PodEnd) -> Self {
        Self::PodLost {
            pod: Box::new(pod),
            end: Box::new(end),
            source: Box::new(self),
        }
    }

    /// True if a call failed because the connection was lost.
    pub(in crate::pipeline) fn is_lost(&self) -> bool {
        let gateway = match self {
            Self::Client(error) => return is_connection(error),
            Self::Gateway(error) | Self::Frontend(frontend::Error::Gateway(error)) => error,
            Self::Frontend(frontend::Error::Dockerfile { source, .. }) => source,
            _ => return false,
        };
        matches!(gateway, gateway::Error::Client(error) if is_connection(error))
    }

    /// True if the error may mean that the daemon is shutting down; it can have other causes too.
    pub(crate) fn may_be_of_ending_daemon(&self) -> bool {
        let failure = match self {
            Self::Interrupted => return false,
            Self::Gateway(gateway::Error::NotBegun { .. }) => return true,
            Self::Client(error) => error.failure().cloned(),
            Self::Export { source } => source.failure().cloned(),
            error => Some(error.to_failure()),
        };
        failure.is_some_and(|failure| {
            matches!(failure.code, Code::Canceled | Code::Unavailable)
                || failure.message.contains("context canceled")
                || failure.message.contains("transport is closing")
        })
    }
}

fn is_connection(error: &client::Error) -> bool {
    matches!(error, client::Error::ConnectionLost { .. })
}
