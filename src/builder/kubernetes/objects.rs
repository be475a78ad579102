//! The Kubernetes objects that the driver creates, with the fields that it sets, in the API's JSON.
//! Tests compare them with the API's types.

use std::collections::BTreeMap;

use serde::Serialize;

/// An object of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind")]
pub(super) enum Object {
    /// Files.
    ConfigMap(ConfigMap),
    /// Pods without volumes.
    Deployment(Workload),
    /// Pods with a volume each.
    StatefulSet(Workload),
}

impl Object {
    /// Returns the kind for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::ConfigMap(_) => "ConfigMap",
            Self::Deployment(_) => "Deployment",
            Self::StatefulSet(_) => "StatefulSet",
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::ConfigMap(object) => &object.metadata.name,
            Self::Deployment(object) | Self::StatefulSet(object) => &object.metadata.name,
        }
    }
}

pub(super) type Names = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Metadata {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub(super) labels: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub(super) annotations: Names,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigMap {
    pub(super) api_version: &'static str,
    pub(super) metadata: Metadata,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub(super) data: Names,
    /// Values that are not UTF-8, in base64.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub(super) binary_data: Names,
}

/// A Deployment or a StatefulSet.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Workload {
    pub(super) api_version: &'static str,
    pub(super) metadata: Metadata,
    pub(super) spec: WorkloadSpec,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkloadSpec {
    pub(super) replicas: i32,
    pub(super) selector: Selector,
    pub(super) template: PodTemplate,
    #[serde(flatten)]
    pub(super) stateful: Option<Stateful>,
}

/// The fields that only a StatefulSet has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stateful {
    pub(super) service_name: &'static str,
    pub(super) pod_management_policy: &'static str,
    pub(super) volume_claim_templates: Vec<VolumeClaim>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: Names,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PodTemplate {
    pub(super) metadata: Metadata,
    pub(super) spec: PodSpec,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scheduler_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) security_context: Option<PodSecurityContext>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) init_containers: Vec<Container>,
    pub(super) containers: Vec<Container>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) volumes: Vec<Volume>,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub(super) node_selector: Names,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tolerations: Vec<Toleration>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: &'static str,
    pub(super) image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) args: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) env: Vec<Variable>,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub(super) resources: Resources,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) volume_mounts: Vec<VolumeMount>,
    pub(super) security_context: SecurityContext,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) startup_probe: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readiness_probe: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) liveness_probe: Option<Probe>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
}

/// Quantities by resource name.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Resources {
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub(super) requests: Names,
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub(super) limits: Names,
}

impl Resources {
    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.limits.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeMount {
    pub(super) name: String,
    pub(super) mount_path: String,
}

/// The owner of a pod's volumes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSecurityContext {
    /// The group that may write to the volumes.
    pub(super) fs_group: i64,
    /// When a volume's files are given to the group.
    pub(super) fs_group_change_policy: &'static str,
}

/// Either all privileges, or no system call filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecurityContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) privileged: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seccomp_profile: Option<Profile>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Profile {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Probe {
    pub(super) exec: Exec,
    pub(super) failure_threshold: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) initial_delay_seconds: Option<i32>,
    pub(super) period_seconds: i32,
    pub(super) success_threshold: i32,
    pub(super) timeout_seconds: i32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Exec {
    pub(super) command: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) source: VolumeSource,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum VolumeSource {
    ConfigMap {
        name: String,
    },
    #[serde(rename_all = "camelCase")]
    EmptyDir {
        #[serde(skip_serializing_if = "Option::is_none")]
        medium: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        size_limit: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeClaim {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    pub(super) spec: VolumeClaimSpec,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeClaimSpec {
    pub(super) access_modes: Vec<&'static str>,
    pub(super) resources: Resources,
}

/// A taint of cluster nodes that the pods tolerate.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Toleration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) toleration_seconds: Option<i64>,
}
