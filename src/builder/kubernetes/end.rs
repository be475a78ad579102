//! Finds out what became of a pod whose connection was lost.

use std::time::Duration;

use tokio::time::Instant;

use super::super::{Error, KubectlProblem};
use super::pods::Pod;
use super::{Kubernetes, manifest};
use crate::client::PodEnd;

/// The timeout of one question.
const PATIENCE: Duration = Duration::from_secs(5);
/// The interval between two questions.
const INTERVAL: Duration = Duration::from_millis(500);

/// A pod when it was selected. A container that ends is started again in the same pod, and a pod of
/// a StatefulSet is replaced by one with the same name.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    pub(super) name: String,
    uid: String,
    /// How often its container had been started again.
    restarts: u32,
}

impl Selected {
    pub(super) fn new(pod: &Pod) -> Self {
        let container = pod.container(manifest::CONTAINER);
        Self {
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
            restarts: container.map_or(0, |container| container.restart_count),
        }
    }

    fn is(&self, pod: &Pod) -> bool {
        pod.metadata.name == self.name && pod.metadata.uid == self.uid
    }
}

impl Kubernetes {
    /// Returns the end of a pod. If the cluster knows none yet, it is asked again for up to
    /// `patience`.
    pub(super) async fn end(&self, selected: &Selected, patience: Duration) -> PodEnd {
        let until = Instant::now() + patience;
        let hurried = self.within(PATIENCE);
        loop {
            let end = hurried.end_now(selected).await;
            if end != PodEnd::Unknown || Instant::now() >= until {
                return end;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn end_now(&self, selected: &Selected) -> PodEnd {
        let pods = match self.pods().await {
            Ok(pods) => pods,
            Err(error) => return unanswered(error),
        };
        match pods.iter().find(|pod| selected.is(pod)) {
            Some(pod) => self.end_in(pod, selected.restarts),
            None => PodEnd::Deleted,
        }
    }

    /// Returns the end that the cluster's data of the pod contain.
    fn end_in(&self, pod: &Pod, restarts: u32) -> PodEnd {
        if let Some(container) = pod.container(manifest::CONTAINER)
            && let Some(end) = container.end_after(restarts)
        {
            return match end.reason.as_str() {
                "OOMKilled" => PodEnd::OutOfMemory {
                    limit: self.options.limits.get("memory").cloned(),
                },
                _ => PodEnd::Ended {
                    state: container.described(end),
                },
            };
        }
        if let Some(state) = pod.failure() {
            return PodEnd::Ended { state };
        }
        match pod.is_being_deleted() {
            true => PodEnd::Deleted,
            false => PodEnd::Unknown,
        }
    }
}

/// The end of a pod whose cluster could not be asked.
fn unanswered(error: Error) -> PodEnd {
    use KubectlProblem::{TimedOut, Unreachable};
    match error {
        Error::Kubectl {
            source: Unreachable { server, .. } | TimedOut { server, .. },
            ..
        } => PodEnd::ClusterAway { server: *server },
        _ => PodEnd::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::builder::Node;

    fn pod(status: Value) -> Pod {
        let pod = json!({"metadata": {"name": "b0-1", "uid": "u"}, "status": status});
        serde_json::from_value(pod).unwrap()
    }

    fn end(limits: &[(&str, &str)], pod: &Pod, restarts: u32) -> PodEnd {
        let driver = Kubernetes::new(&Node {
            name: "b0".into(),
            endpoint: "kubernetes:///b?deployment=&kubeconfig=".into(),
            driver_opts: limits
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            ..Node::default()
        });
        driver.unwrap().end_in(pod, restarts)
    }

    /// The status in Kubernetes 1.36 of a pod whose container was started again after this end.
    fn started_again(reason: &str, code: i32) -> Pod {
        pod(
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "buildkitd", "ready": true, "restartCount": 1,
                "started": true, "state": {"running": {"startedAt": "2030-01-01T00:00:01Z"}},
                "lastState": {"terminated": {"reason": reason, "exitCode": code,
                    "finishedAt": "2030-01-01T00:00:00Z"}}}]}),
        )
    }

    #[test]
    fn a_container_that_runs_again_has_ended_since_its_pod_was_selected() {
        let lost = started_again("OOMKilled", 137);
        let limit = Some("200Mi".to_owned());
        assert_eq!(
            end(&[("limits.memory", "200Mi")], &lost, 0),
            PodEnd::OutOfMemory { limit }
        );
        assert_eq!(end(&[], &lost, 0), PodEnd::OutOfMemory { limit: None });
        // It had ended before.
        assert_eq!(end(&[], &lost, 1), PodEnd::Unknown);
        let state = "buildkitd ended with 1 (Error, started again 1 time)".to_owned();
        assert_eq!(
            end(&[], &started_again("Error", 1), 0),
            PodEnd::Ended { state }
        );
    }

    #[test]
    fn a_container_that_waits_for_its_next_start_has_ended() {
        let lost = super::super::pods::tests::out_of_memory();
        assert_eq!(end(&[], &lost, 2), PodEnd::OutOfMemory { limit: None });
        let ended = pod(
            json!({"phase": "Running", "containerStatuses": [{"name": "buildkitd",
            "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}),
        );
        assert_eq!(end(&[], &ended, 0), PodEnd::OutOfMemory { limit: None });
    }

    #[test]
    fn an_evicted_pod_says_why() {
        let evicted = pod(json!({"phase": "Failed", "reason": "Evicted",
            "message": "The node was low on resource: memory"}));
        let state = "Evicted (The node was low on resource: memory)".to_owned();
        assert_eq!(end(&[], &evicted, 0), PodEnd::Ended { state });
    }

    #[test]
    fn a_pod_with_the_same_name_is_another_one() {
        let selected = Selected::new(&started_again("Error", 1));
        let mut other = started_again("Error", 1);
        assert!(selected.is(&other) && selected.restarts == 1);
        other.metadata.uid = "v".to_owned();
        assert!(!selected.is(&other));
    }
}
