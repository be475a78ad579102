//! Daemons that are replaced by another one, such as a pod that is deleted.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Client, PodEnd};

/// Knows when a daemon shuts down, and which one takes over.
pub(crate) trait Succession: fmt::Debug + Send + Sync {
    /// Completes when the daemon is told to shut down, with the reason as text: `the pod b0-1 is
    /// being deleted`. Its builds may still run for a while.
    fn ending(&self) -> BoxFuture<'_, String>;

    /// Connects to the daemon that takes over; `None` if there is none yet.
    fn next(&self) -> BoxFuture<'_, Option<Client>>;

    /// Returns what became of the daemon after its connection was lost. A cluster knows it a moment
    /// later, so it is asked again for up to `patience`.
    fn end(&self, patience: Duration) -> BoxFuture<'_, PodEnd>;
}
