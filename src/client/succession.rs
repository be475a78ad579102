//! Daemons that another one takes over from, such as a pod that is replaced.

use std::fmt;

use futures_util::future::BoxFuture;

use super::Client;

/// Knows when a daemon ends, and which one takes over.
pub(crate) trait Succession: fmt::Debug + Send + Sync {
    /// Completes when the daemon has been told to end, with words for that: `the pod b0-1 is being
    /// deleted`. Its builds may still run for a while.
    fn ending(&self) -> BoxFuture<'_, String>;

    /// Connects to the daemon that takes over; `None` while there is none.
    fn next(&self) -> BoxFuture<'_, Option<Client>>;
}
