//! Errors of policies about the sources of a build.

use std::path::PathBuf;

use crate::policy::{EvalError, LoadError};

/// Why a policy about sources stopped a build.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy beside the Dockerfile is in a context from a stream and cannot be read.
    #[error("the policy {file} is in a context from a stream, and cannot be read before the build")]
    InStream {
        /// Its path.
        file: String,
    },
    /// The policy beside the Dockerfile cannot be read.
    #[error("cannot read the policy {}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The policies of the build cannot be used.
    #[error(transparent)]
    Load(Box<LoadError>),
    /// A policy cannot be evaluated.
    #[error(transparent)]
    Eval(Box<EvalError>),
    /// A policy denies a source.
    #[error("source {origin:?} not allowed by policy: {}", reasons.join("; "))]
    Denied {
        /// The source.
        origin: String,
        /// The reasons, each with the file and line of the rule.
        reasons: Vec<String>,
    },
    /// A policy failed while it evaluated a source.
    #[error("the policy cannot decide about the source {origin:?}: {reason}")]
    Failed {
        /// The source.
        origin: String,
        /// The cause.
        reason: String,
    },
    /// The daemon does not ask the client about sources.
    #[error(
        "this BuildKit cannot obey the policy {}: it does not ask the client about sources",
        files.join(", ")
    )]
    NotAsked {
        /// The files of the policy.
        files: Vec<String>,
    },
    /// The daemon has no network proxy for steps.
    #[error(
        "network proxy requested by policy {} is not supported by the current BuildKit daemon, \
         please upgrade to version v0.31+",
        files.join(", ")
    )]
    Proxy {
        /// The files of the policy.
        files: Vec<String>,
    },
}

impl From<LoadError> for PolicyError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

impl From<EvalError> for PolicyError {
    fn from(error: EvalError) -> Self {
        Self::Eval(Box::new(error))
    }
}
