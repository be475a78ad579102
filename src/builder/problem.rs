//! Problems with nodes, contexts and configurations: causes of [`Error`].
//!
//! [`Error`]: super::Error

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
    /// TLS needs more of its files.
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

/// The mistake in the configuration of a `buildkitd`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// The file is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// The file is not TOML.
    #[error("it is not TOML")]
    Toml(#[source] Box<toml::de::Error>),
    /// Keys or values that `buildkitd` does not support.
    #[error("{}", .mistakes.join("; "))]
    Mistakes {
        /// The mistakes, each with its place.
        mistakes: Vec<String>,
    },
}
