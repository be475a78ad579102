//! The Deployment or StatefulSet that manages the pods of a node.

use serde::Deserialize;

use super::cluster_data::{Condition, Metadata, sentence};

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

impl Workload {
    /// Returns why no pods are created, if the object says so.
    pub(super) fn trouble(&self) -> Option<String> {
        let mut conditions = self.status.conditions.iter();
        let failed = conditions.find(|one| one.is("ReplicaFailure", "True"))?;
        Some(sentence(&failed.reason, &failed.message))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn why_there_are_no_pods_is_known() {
        let workload = json!({"status": {"conditions": [{"type": "ReplicaFailure", "status": "True",
            "reason": "FailedCreate", "message": "violates PodSecurity \"restricted\""}]}});
        let workload: Workload = serde_json::from_value(workload).unwrap();
        assert!(workload.trouble().unwrap().contains("PodSecurity"));
    }
}
