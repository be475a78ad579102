//! The cluster's data about pods and their managing objects, decoded leniently and only as far as
//! needed.

use serde::Deserialize;

/// A Deployment or StatefulSet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Workload {
    pub(super) metadata: Metadata,
    pub(super) spec: WorkloadSpec,
    pub(super) status: WorkloadStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WorkloadSpec {
    pub(super) replicas: Option<i32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WorkloadStatus {
    pub(super) ready_replicas: i32,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
}

/// An object with a name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) metadata: Metadata,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    deletion_timestamp: Option<String>,
}

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

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    reason: String,
    message: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    ready: bool,
    restart_count: u32,
    state: ContainerState,
    last_state: ContainerState,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    waiting: Option<Detail>,
    terminated: Option<Detail>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    reason: String,
    message: String,
    exit_code: Option<i32>,
}

/// An event of an object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "type")]
    kind: String,
    reason: String,
    message: String,
}

impl Workload {
    /// Returns why no pods are created, if the object says so.
    pub(super) fn trouble(&self) -> Option<String> {
        let mut conditions = self.status.conditions.iter();
        let failed = conditions.find(|one| one.kind == "ReplicaFailure" && one.status == "True")?;
        Some(sentence(&failed.reason, &failed.message))
    }
}

impl Pod {
    /// True if the pod runs and is not terminating.
    pub(super) fn is_running(&self) -> bool {
        self.status.phase == "Running" && !self.is_being_deleted()
    }

    /// True if the pod has been told to end. Its daemon may still run until its grace period ends.
    pub(super) fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// True if its BuildKit answers.
    pub(super) fn is_ready(&self) -> bool {
        let mut conditions = self.status.conditions.iter();
        self.is_running() && conditions.any(|one| one.kind == "Ready" && one.status == "True")
    }

    fn is_scheduled(&self) -> bool {
        let mut conditions = self.status.conditions.iter();
        conditions.any(|one| one.kind == "PodScheduled" && one.status == "True")
    }

    /// The explanations of the containers that wait.
    fn waiting_messages(&self) -> impl Iterator<Item = &str> {
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
            let unscheduled =
                conditions.find(|one| one.kind == "PodScheduled" && one.status == "False")?;
            Some(sentence(&unscheduled.reason, &unscheduled.message))
        };
        let of_pod =
            || (!status.reason.is_empty()).then(|| sentence(&status.reason, &status.message));
        of_container.or_else(of_schedule).or_else(of_pod)
    }
}

impl ContainerStatus {
    /// Returns how the container failed last time. An init container that succeeded has ended too.
    fn failed_end(&self) -> Option<&Detail> {
        let last = self.last_state.terminated.as_ref();
        let ended = self.state.terminated.as_ref().or(last);
        ended.filter(|one| one.exit_code != Some(0))
    }

    /// Returns the reason why the container waits, and how it ended last time.
    fn trouble(&self) -> Option<String> {
        let waits = self.state.waiting.as_ref();
        let waits = waits.map(|one| sentence(&one.reason, &one.message));
        let ended = self.failed_end().map(|one| {
            let code = one.exit_code.unwrap_or_default();
            let message = match one.message.trim() {
                "" => String::new(),
                message => format!(": {message}"),
            };
            format!(
                "{} ended with {code} ({}, started again {}){message}",
                self.name,
                one.reason,
                count(self.restart_count.into(), "time")
            )
        });
        match (waits, ended) {
            (Some(waits), Some(ended)) => Some(format!("{waits}; {ended}")),
            (waits, ended) => waits.or(ended),
        }
    }
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

/// `1 pod`, `2 pods`.
pub(super) fn count(number: i64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

fn sentence(reason: &str, message: &str) -> String {
    match (reason.trim(), message.trim()) {
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason} ({message})"),
    }
}

#[cfg(test)]
mod tests {
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

    fn event(reason: &str, message: &str) -> Event {
        let event = json!({"type": "Warning", "reason": reason, "message": message});
        serde_json::from_value(event).unwrap()
    }

    /// The status of a pod in Kubernetes 1.36 whose daemon needs more memory than its limit.
    fn out_of_memory() -> Pod {
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

    #[test]
    fn a_pod_that_is_to_end_is_not_used() {
        let pod = json!({"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        let pod: Pod = serde_json::from_value(pod).unwrap();
        assert!(!pod.is_running() && !pod.is_ready());
        assert_eq!(pod.state(), "being deleted");
    }

    #[test]
    fn why_there_are_no_pods_is_known() {
        let workload = json!({"status": {"conditions": [{"type": "ReplicaFailure", "status": "True",
            "reason": "FailedCreate", "message": "violates PodSecurity \"restricted\""}]}});
        let workload: Workload = serde_json::from_value(workload).unwrap();
        assert!(workload.trouble().unwrap().contains("PodSecurity"));
    }
}
