//! Problems of a cluster: rejected calls, and pods that are not ready.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::client::ApiServer;

/// Why a call of `kubectl` failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KubectlProblem {
    /// It could not be started.
    #[error("kubectl cannot be run")]
    Start(#[source] io::Error),
    /// It did not end in time.
    #[error("{server} does not answer kubectl within {} s", .after.as_secs_f64())]
    TimedOut {
        /// The time limit.
        after: Duration,
        /// The server of the cluster.
        server: Box<ApiServer>,
    },
    /// It cannot reach the server of the cluster.
    #[error("{server} does not answer: {message}")]
    Unreachable {
        /// The server.
        server: Box<ApiServer>,
        /// Its error message.
        message: String,
    },
    /// No file of the builder's kubeconfig exists.
    #[error("the kubeconfig of the builder is missing: {}", listed(.paths))]
    NoKubeconfig {
        /// The files.
        paths: Vec<PathBuf>,
    },
    /// It reported an error, often one of the cluster.
    #[error("kubectl says: {message}")]
    Failed {
        /// Its error message.
        message: String,
        /// The kind of refusal, if it is known.
        refusal: Option<ClusterRefusal>,
    },
    /// Its output is not the JSON of an object.
    #[error("kubectl's answer is invalid")]
    Answer(#[source] serde_json::Error),
}

fn listed(paths: &[PathBuf]) -> String {
    let paths = paths.iter().map(|path| path.display().to_string());
    paths.collect::<Vec<_>>().join(", ")
}

/// Why a cluster refuses a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterRefusal {
    /// The user may not do this.
    Forbidden,
    /// The user is not logged in.
    Unauthorized,
    /// The namespace does not exist.
    NoNamespace {
        /// Its name.
        name: String,
    },
    /// The namespace's quota is exhausted.
    Quota,
    /// The object exists already.
    Exists,
}

impl ClusterRefusal {
    /// Recognizes a refusal by the message of `kubectl`, which has no other form.
    pub(super) fn in_message(message: &str) -> Option<Self> {
        let any = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if any(&["(Forbidden)", "is forbidden"]) {
            // An exceeded quota is reported as forbidden too.
            return Some(match any(&["exceeded quota", "failed quota"]) {
                true => Self::Quota,
                false => Self::Forbidden,
            });
        }
        if any(&["(Unauthorized)", "must be logged in", "provide credentials"]) {
            return Some(Self::Unauthorized);
        }
        if let Some((_, rest)) = message.split_once("namespaces \"")
            && let Some((name, _)) = rest.split_once("\" not found")
        {
            let name = name.to_owned();
            return Some(Self::NoNamespace { name });
        }
        any(&["(AlreadyExists)"]).then_some(Self::Exists)
    }
}

/// Why the pods of a node are not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodsProblem {
    /// The number of pods was set to 0.
    ScaledDown {
        /// The object for kubectl: `deployments.apps/NAME`.
        object: String,
        /// The number of pods that the node should have.
        replicas: i32,
        /// Its namespace, if it is not the default one.
        namespace: Option<String>,
    },
    /// The cluster's machines cannot pull the image.
    ImagePull {
        /// The image.
        image: String,
    },
    /// The namespace's Pod Security level refuses the pods: both privileged and rootless ones need
    /// `privileged`.
    PodSecurity {
        /// The namespace.
        namespace: String,
    },
    /// Another rule of the cluster does not allow privileged pods.
    Privileged {
        /// True if the pods are rootless already.
        rootless: bool,
    },
    /// The namespace's quota has no room for the pods.
    Quota {
        /// The namespace.
        namespace: String,
        /// True if the quota requires requests or limits that the pods do not set.
        unspecified: bool,
    },
    /// The service account of the pods does not exist.
    NoServiceAccount {
        /// Its name.
        name: String,
        /// The namespace.
        namespace: String,
    },
    /// The daemon takes more memory than the pods may take.
    OutOfMemory {
        /// The limit: `200Mi`.
        limit: String,
    },
    /// A pod's volume is not provided.
    NoVolume {
        /// The claim.
        claim: String,
        /// Its namespace.
        namespace: String,
        /// True if the cluster has no default StorageClass.
        no_class: bool,
    },
    /// No machine of the cluster accepts the pod.
    Unschedulable,
    /// The daemon exits again and again.
    Crashing {
        /// The pod.
        pod: String,
        /// Its namespace, if it is not the default one.
        namespace: Option<String>,
    },
    /// The pods are not ready yet, or the reason is unknown.
    Waiting {
        /// The object to inspect with kubectl: a pod that is not ready, or else the object that
        /// manages the pods: `pod/NAME`, `deployments.apps/NAME`.
        object: String,
        /// Its namespace, if it is not the default one.
        namespace: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::ClusterRefusal;

    #[test]
    fn refusals_are_recognized_in_kubectl_s_messages() {
        for (message, expected) in [
            (
                "Error from server (Forbidden): pods is forbidden: User \"ci\" cannot list",
                Some(ClusterRefusal::Forbidden),
            ),
            (
                "pods \"a\" is forbidden: exceeded quota: small, requested: cpu=2",
                Some(ClusterRefusal::Quota),
            ),
            (
                "You must be logged in to the server (Unauthorized)",
                Some(ClusterRefusal::Unauthorized),
            ),
            (
                "Error from server (NotFound): namespaces \"ci\" not found",
                Some(ClusterRefusal::NoNamespace { name: "ci".into() }),
            ),
            (
                "Error from server (AlreadyExists): deployments.apps \"b0\" already exists",
                Some(ClusterRefusal::Exists),
            ),
            ("The connection to the server was refused", None),
        ] {
            assert_eq!(ClusterRefusal::in_message(message), expected, "{message}");
        }
    }
}
