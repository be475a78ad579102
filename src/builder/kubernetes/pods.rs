//! The cluster's data about pods, decoded leniently and only as far as needed.

use serde::Deserialize;

use super::cluster_data::{Condition, Metadata, sentence};
use super::containers::{ContainerStatus, Detail};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod {
    pub(super) metadata: Metadata,
    status: PodStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    phase: String,
    reason: String,
    message: String,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<ContainerStatus>,
    container_statuses: Vec<ContainerStatus>,
}

impl Pod {
    /// True if the pod runs and is not terminating.
    pub(super) fn is_running(&self) -> bool {
        self.status.phase == "Running" && !self.is_being_deleted()
    }

    /// True if the pod has been told to end. Its daemon may still run until its grace period ends.
    pub(super) fn is_being_deleted(&self) -> bool {
        self.metadata.is_being_deleted()
    }

    /// True if its BuildKit answers.
    pub(super) fn is_ready(&self) -> bool {
        let mut conditions = self.status.conditions.iter();
        self.is_running() && conditions.any(|one| one.is("Ready", "True"))
    }

    pub(super) fn is_scheduled(&self) -> bool {
        let mut conditions = self.status.conditions.iter();
        conditions.any(|one| one.is("PodScheduled", "True"))
    }

    /// The container with this name, which is not an init container.
    pub(super) fn container(&self, name: &str) -> Option<&ContainerStatus> {
        let mut containers = self.status.container_statuses.iter();
        containers.find(|container| container.name == name)
    }

    /// Returns why the pod as a whole has failed: `Evicted (The node was low on resource: memory)`.
    pub(super) fn failure(&self) -> Option<String> {
        let has_failed = self.status.phase == "Failed";
        has_failed.then(|| self.trouble().unwrap_or_else(|| "it has failed".to_owned()))
    }

    /// The explanations of the containers that wait.
    pub(super) fn waiting_messages(&self) -> impl Iterator<Item = &str> {
        let inits = self.status.init_container_statuses.iter();
        let containers = inits.chain(&self.status.container_statuses);
        let waiting = containers.filter_map(|one| one.state.waiting.as_ref());
        waiting.map(|detail| detail.message.trim())
    }

    /// True if a container runs again and again, but always ends.
    pub(super) fn is_crashing(&self) -> bool {
        self.ends().next().is_some()
    }

    /// True if a container took more memory than its limit.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.ends().any(|end| end.reason == "OOMKilled")
    }

    /// The failed ends of the containers that are not ready.
    fn ends(&self) -> impl Iterator<Item = &Detail> {
        let containers = self.status.container_statuses.iter();
        let unready = containers.filter(|one| !one.ready);
        unready.filter_map(ContainerStatus::failed_end)
    }

    /// Returns the pod's state with its reason: `ready`, `Pending: ContainerCreating`, `Pending:
    /// Unschedulable (0/3 nodes are available)`.
    pub(super) fn state(&self) -> String {
        if self.is_being_deleted() {
            return "being deleted".to_owned();
        }
        if self.is_ready() {
            return "ready".to_owned();
        }
        let phase = &self.status.phase;
        match self.trouble() {
            Some(trouble) if phase.is_empty() => trouble,
            Some(trouble) => format!("{phase}: {trouble}"),
            None => format!("{phase}, not ready"),
        }
    }

    fn trouble(&self) -> Option<String> {
        let status = &self.status;
        let inits = status.init_container_statuses.iter();
        let unready = |one: &&ContainerStatus| !one.ready;
        let trouble = |container: &ContainerStatus| container.trouble();
        let of_container = inits
            .chain(&status.container_statuses)
            .filter(unready)
            .find_map(trouble);
        let of_schedule = || {
            let mut conditions = status.conditions.iter();
            let unscheduled = conditions.find(|one| one.is("PodScheduled", "False"))?;
            Some(sentence(&unscheduled.reason, &unscheduled.message))
        };
        let of_pod =
            || (!status.reason.is_empty()).then(|| sentence(&status.reason, &status.message));
        of_container.or_else(of_schedule).or_else(of_pod)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn state(status: Value) -> String {
        let pod = json!({"metadata": {"name": "a"}, "status": status});
        serde_json::from_value::<Pod>(pod).unwrap().state()
    }

    #[test]
    fn a_pod_says_what_it_waits_for() {
        let ready =
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        assert_eq!(state(ready), "ready");
        let creating = json!({"phase": "Pending",
            "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]});
        assert_eq!(state(creating), "Pending: ContainerCreating");
        let unschedulable = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/3 nodes are available"}]});
        assert_eq!(
            state(unschedulable),
            "Pending: Unschedulable (0/3 nodes are available)"
        );
        let crashing = json!({"phase": "Running", "containerStatuses": [{
            "name": "buildkitd", "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}]});
        assert_eq!(
            state(crashing),
            "Running: CrashLoopBackOff; buildkitd ended with 1 (Error, started again 3 times)"
        );
        let once = json!({"phase": "Running", "containerStatuses": [{
            "name": "buildkitd", "restartCount": 1,
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]});
        assert_eq!(
            state(once),
            "Running: buildkitd ended with 137 (OOMKilled, started again 1 time)"
        );
        assert_eq!(state(json!({"phase": "Running"})), "Running, not ready");
    }

    /// The status of a pod in Kubernetes 1.36 whose daemon needs more memory than its limit.
    pub(in super::super) fn out_of_memory() -> Pod {
        let status = json!({"phase": "Running", "conditions": [
                {"type": "PodReadyToStartContainers", "status": "True"},
                {"type": "Initialized", "status": "True"},
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady",
                    "message": "containers with unready status: [buildkitd]"},
                {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "buildkitd", "ready": false, "restartCount": 2,
                "started": false,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message":
                    "back-off 20s restarting failed container=buildkitd pod=oom0-1_ci(b50f58cc)"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]});
        serde_json::from_value(json!({"metadata": {"name": "oom0-1"}, "status": status})).unwrap()
    }

    #[test]
    fn a_daemon_without_memory_is_recognized() {
        let pod = out_of_memory();
        assert!(pod.is_crashing() && pod.is_out_of_memory());
        let waiting = json!({"status": {"containerStatuses": [
            {"state": {"waiting": {"reason": "ContainerCreating"}}}]}});
        let waiting: Pod = serde_json::from_value(waiting).unwrap();
        assert!(!waiting.is_crashing());
    }

    #[test]
    fn a_pod_that_is_to_end_is_not_used() {
        let pod = json!({"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        let pod: Pod = serde_json::from_value(pod).unwrap();
        assert!(!pod.is_running() && !pod.is_ready());
        assert_eq!(pod.state(), "being deleted");
    }
}
