//! Why a node, an option, a context or a cluster cannot be used: the causes of [`Error`].
//!
//! [`Error`]: super::Error

use std::io;
use std::time::Duration;

use crate::oci;

/// Why a driver cannot use a node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeProblem {
    /// The driver starts no daemon, but the node has settings of one.
    #[error("the driver starts no buildkitd that could be given {settings}")]
    NoDaemon {
        /// The settings: `flags` or `a configuration`.
        settings: &'static str,
    },
    /// The caller named no folder for the daemon's state.
    #[error("there is no folder for its state")]
    NoStateFolder,
    /// The caller named no folder for the daemon's socket and log.
    #[error("there is no folder for temporary files")]
    NoTemporaryFolder,
    /// A file of the configuration has a path outside the configuration's folder.
    #[error("the path {path:?} of its configuration is not that of a file in a folder")]
    FilePath {
        /// The path.
        path: String,
    },
    /// Some but not all of the files that TLS needs are given.
    #[error("TLS needs the option {option}, too")]
    TlsOptionMissing {
        /// The missing option.
        option: &'static str,
    },
    /// The node's name cannot be the name of pods.
    #[error(
        "its pods cannot have the name {name:?}: a name in a cluster has up to 63 letters, digits \
         and '-', not at the ends"
    )]
    PodName {
        /// The name.
        name: String,
    },
    /// The endpoint is not that of a cluster.
    #[error("its endpoint {endpoint:?} does not begin with kubernetes://")]
    ClusterScheme {
        /// The endpoint.
        endpoint: String,
    },
    /// The endpoint's query is malformed.
    #[error("the kubeconfig in its endpoint {endpoint:?} is not percent-encoded")]
    ClusterQuery {
        /// The endpoint.
        endpoint: String,
    },
}

/// What is wrong with the value of a driver's option.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionProblem {
    /// Options are one CSV record.
    #[error("it is not one CSV record")]
    Csv,
    /// The option has no `=`.
    #[error("an option is NAME=VALUE")]
    Form,
    /// The value is not a boolean.
    #[error("it is neither true nor false")]
    Boolean,
    /// The path is relative.
    #[error("it needs an absolute path")]
    RelativePath,
    /// The value is not an integer.
    #[error("it is not a whole number")]
    Integer,
    /// The value is not an integer above zero.
    #[error("it is not a whole number above zero")]
    Count,
    /// The value is not a size in bytes.
    #[error("it is not a size such as 512m or 2g")]
    Size,
    /// The value is not a duration.
    #[error("it is not a time such as 90s or 5m")]
    Duration,
    /// The value is not an image reference.
    #[error("it is not the name of an image")]
    Image(#[source] oci::Error),
    /// The engine does not have this restart policy.
    #[error("it is no, always, unless-stopped or on-failure[:RETRIES]")]
    RestartPolicy,
    /// The way of selecting a pod is unknown.
    #[error("it is sticky or random")]
    Balance,
    /// The value cannot be a namespace.
    #[error("a namespace has up to 63 small letters, digits and '-', not at the ends")]
    Namespace,
    /// The value is not a quantity of Kubernetes.
    #[error("it is not a quantity such as 500m or 2 for CPUs, 512Mi or 4Gi for memory and storage")]
    Quantity,
    /// The quantity is negative.
    #[error("it cannot be less than zero")]
    Negative,
    /// More is requested than the limit allows.
    #[error("it is more than {limit}, {allowed}")]
    AboveLimit {
        /// The option with the limit.
        limit: String,
        /// The limit.
        allowed: String,
    },
    /// Two options say where the daemon's state is.
    #[error("the state is on a volume already ({option})")]
    StateOnVolume {
        /// The other option.
        option: &'static str,
    },
    /// The value is not a list of pairs.
    #[error("it is a list of KEY=VALUE with commas between")]
    Pairs,
    /// The key cannot be that of a label or an annotation.
    #[error("{key:?} is not a valid key")]
    Key {
        /// The key.
        key: String,
    },
    /// The key belongs to the driver.
    #[error("the driver sets {key:?} itself")]
    ReservedKey {
        /// The key.
        key: String,
    },
    /// The value cannot be that of a label.
    #[error(
        "{value:?} is not a valid label value: up to 63 letters, digits, '.', '-' and '_', not at \
         the ends"
    )]
    LabelValue {
        /// The value.
        value: String,
    },
    /// A toleration is invalid.
    #[error(transparent)]
    Toleration(#[from] TolerationProblem),
}

/// What is wrong with a toleration of pods.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TolerationProblem {
    /// It is not a list of fields.
    #[error(
        "it is key=KEY,operator=Exists|Equal,value=VALUE,effect=EFFECT,tolerationSeconds=SECONDS, \
         with ; between several"
    )]
    Form,
    /// The field is unknown.
    #[error("a toleration has no {field:?}{}, it has key, operator, value, effect, \
        tolerationSeconds", meant(*.nearest))]
    UnknownField {
        /// The field.
        field: String,
        /// The field with the nearest name.
        nearest: Option<&'static str>,
    },
    /// The operator is unknown.
    #[error("the operator {operator:?} is not Exists or Equal")]
    Operator {
        /// The operator.
        operator: String,
    },
    /// The effect is unknown.
    #[error("the effect {effect:?} is not NoSchedule, PreferNoSchedule or NoExecute")]
    Effect {
        /// The effect.
        effect: String,
    },
    /// The seconds are not an integer.
    #[error("tolerationSeconds {value:?} is not a whole number")]
    Seconds {
        /// The value.
        value: String,
    },
    /// `Exists` is used with a value.
    #[error("with the operator Exists there is no value")]
    ValueWithExists,
    /// `Equal` is used without a key.
    #[error("without a key the operator is Exists")]
    NoKey,
    /// Only pods that are evicted can wait.
    #[error("tolerationSeconds is for the effect NoExecute")]
    SecondsWithoutNoExecute,
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" (did you mean {nearest}?)"))
}

/// Why a context of the docker CLI is not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextProblem {
    /// There is no such context.
    #[error("it does not exist")]
    Unknown,
    /// It has no engine.
    #[error("it has no Docker endpoint")]
    NoEngine,
    /// It turns off the verification of certificates, which is not supported.
    #[error("it does not verify the engine's certificate, which is always done here")]
    SkipsVerification,
}

/// What is wrong with the configuration of a `buildkitd`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// The file is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// The file is not TOML.
    #[error("it is not TOML")]
    Toml(#[source] Box<toml::de::Error>),
    /// Keys or values that `buildkitd` does not understand.
    #[error("{}", .mistakes.join("; "))]
    Mistakes {
        /// Each with its place.
        mistakes: Vec<String>,
    },
}

/// Why a call of `kubectl` failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KubectlProblem {
    /// It could not be started.
    #[error("kubectl cannot be run")]
    Start(#[source] io::Error),
    /// It did not end in time.
    #[error("kubectl has no answer within {} s", .after.as_secs_f64())]
    TimedOut {
        /// The time limit.
        after: Duration,
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

/// Why a cluster refuses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterRefusal {
    /// The user may not do this.
    Forbidden,
    /// The user is not logged in.
    Unauthorized,
    /// The namespace does not exist.
    NoNamespace,
    /// The namespace's quota is exhausted.
    Quota,
    /// The object exists already.
    Exists,
}

impl ClusterRefusal {
    /// Recognizes a refusal in the message of `kubectl`, which has no other form.
    pub(super) fn in_message(message: &str) -> Option<Self> {
        let any = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if any(&["(Forbidden)", "is forbidden"]) {
            // A quota is also enforced by refusal.
            return Some(match any(&["exceeded quota"]) {
                true => Self::Quota,
                false => Self::Forbidden,
            });
        }
        if any(&["(Unauthorized)", "must be logged in", "provide credentials"]) {
            return Some(Self::Unauthorized);
        }
        if any(&["namespaces "]) && any(&["not found"]) {
            return Some(Self::NoNamespace);
        }
        any(&["(AlreadyExists)"]).then_some(Self::Exists)
    }
}

/// Why the pods of a node are not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodsProblem {
    /// Somebody has set the number of pods to 0.
    ScaledDown {
        /// The object for kubectl: `deployments.apps/NAME`.
        object: String,
        /// The number of pods that the node is to have.
        replicas: i32,
    },
    /// The cluster's machines cannot pull the image.
    ImagePull {
        /// The image.
        image: String,
    },
    /// The cluster does not allow privileged pods.
    Privileged,
    /// No machine of the cluster takes the pod.
    Unschedulable,
    /// The daemon ends again and again.
    Crashing {
        /// The pod.
        pod: String,
        /// Its namespace, if it is not the default one.
        namespace: Option<String>,
    },
    /// The pods are not ready yet, or the reason is unknown.
    Waiting {
        /// A pod that is not ready.
        pod: Option<String>,
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
                Some(ClusterRefusal::NoNamespace),
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
