//! The loss of a daemon: how long to wait for it, what became of its pod, and what it may have
//! pushed before.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::{Client, Endpoint, Pod, PodEnd};
use crate::pipeline::{BuildRequest, Error, Output, is_by_digest};

/// The loss of a daemon, and how long to wait for it.
pub(super) struct Loss {
    /// The first sign of the loss.
    pub(super) since: Instant,
    /// When to stop waiting, counted from the first sign of the loss.
    pub(super) deadline: Instant,
    /// The error to report: the first that is certainly a loss, or else the first one.
    pub(super) error: Error,
}

impl Loss {
    pub(super) fn new(error: Error, within: Duration) -> Self {
        let since = Instant::now();
        Self {
            since,
            deadline: since + within,
            error,
        }
    }

    pub(super) fn and_then(mut self, later: Error) -> Self {
        if !self.error.is_of_lost_daemon() && later.is_of_lost_daemon() {
            self.error = later;
        }
        self
    }
}

/// The pod of a daemon, if it runs in one.
pub(super) fn pod_of(client: &Client) -> Option<Pod> {
    match client.address().endpoint() {
        Endpoint::Process(process) => process.pod(),
        _ => None,
    }
}

/// What became of a lost daemon, which is asked for up to `patience`.
pub(super) async fn end_of(client: &Client, patience: Duration) -> PodEnd {
    match client.succession() {
        Some(succession) => succession.end(patience).await,
        None => PodEnd::Unknown,
    }
}

/// The names that the daemon itself sets in a registry.
pub(super) fn pushed_names(request: &BuildRequest) -> Vec<String> {
    let sets_names = |output: &&Output| output.pushes() && !is_by_digest(&output.attributes);
    let pushed = request.outputs.iter().filter(sets_names);
    let names = pushed.flat_map(|output| request.names(output));
    names.map(|name| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_daemon_sets_are_those_of_pushes_by_name() {
        let outputs = [
            "type=image,\"name=r.example/a:1,r.example/a:2\",push=true",
            "type=registry",
            "type=registry,name=r.example/b,push-by-digest=true",
            "type=image,name=r.example/c",
            "type=oci,dest=x,name=d",
        ];
        let mut request = BuildRequest::new(".");
        request.outputs = outputs.map(|output| output.parse().unwrap()).into();
        request.tags = vec!["r.example/d:1".parse().unwrap()];
        let names = ["r.example/a:1", "r.example/a:2", "r.example/d:1"];
        assert_eq!(pushed_names(&request), names);
    }
}
