//! Events: what the cluster tells about a pod, a volume or the object that manages pods.

use serde::Deserialize;

use super::cluster_data::sentence;
use super::pods::Pod;

/// An event of an object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "type")]
    kind: String,
    reason: String,
    message: String,
}

impl Event {
    /// True if it says no more than what is already known about its pod: `state` is the text about
    /// the pods, with `pod` being the one that the event is about.
    pub(super) fn is_known(&self, state: &str, pod: Option<&Pod>) -> bool {
        let message = self.message.trim();
        // `Error: ImagePullBackOff` has only the reason of another event.
        let is_reason = |text: &str| !text.contains(char::is_whitespace);
        if message.strip_prefix("Error: ").is_some_and(is_reason) || state.contains(message) {
            return true;
        }
        let Some(pod) = pod else {
            return false;
        };
        // It has been scheduled since.
        let is_old = self.reason == "FailedScheduling" && pod.is_scheduled();
        // The end of the container says more than the probes of an ended container.
        let of_crash = matches!(self.reason.as_str(), "BackOff" | "Unhealthy") && pod.is_crashing();
        // `Failed to pull image "x": MESSAGE`.
        let mut messages = pod.waiting_messages();
        is_old || of_crash || messages.any(|known| !known.is_empty() && message.contains(known))
    }

    /// Returns the text of a warning. A claim without a volume is a normal event for the cluster,
    /// because a volume may still be added.
    pub(super) fn trouble(&self) -> Option<String> {
        let is_trouble = self.kind == "Warning" || self.reason == "FailedBinding";
        is_trouble.then(|| sentence(&self.reason, &self.message))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::pods::tests::out_of_memory;
    use super::*;

    fn event(reason: &str, message: &str) -> Event {
        let event = json!({"type": "Warning", "reason": reason, "message": message});
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn an_event_that_repeats_the_state_is_left_out() {
        let pod = out_of_memory();
        let is_known = |reason, message| event(reason, message).is_known(&pod.state(), Some(&pod));
        // The volume was provided meanwhile.
        let unbound = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. \
                       not found";
        assert!(is_known("FailedScheduling", unbound));
        assert!(is_known("Unhealthy", "Startup probe failed: no such file"));
        assert!(is_known(
            "BackOff",
            "Back-off restarting failed container buildkitd"
        ));
        assert!(!is_known("Evicted", "The node was low on resource: memory"));
        let message = "rpc error: code = NotFound desc = 10.0.0.1/no/such:1: not found";
        let pulling = json!({"metadata": {"name": "a"}, "status": {"phase": "Pending",
            "containerStatuses": [{"name": "buildkitd", "ready": false, "state":
                {"waiting": {"reason": "ErrImagePull", "message": message}}}]}});
        let pod: Pod = serde_json::from_value(pulling).unwrap();
        for known in [
            "Error: ErrImagePull",
            "Error: ImagePullBackOff",
            &format!("Failed to pull image \"10.0.0.1/no/such:1\": {message}"),
        ] {
            assert!(
                event("Failed", known).is_known(&pod.state(), Some(&pod)),
                "{known}"
            );
        }
    }
}
