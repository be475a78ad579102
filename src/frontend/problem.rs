//! Problems with attributes or the SBOM scanner: causes of [`Error`].
//!
//! [`Error`]: super::Error

use crate::{gateway, llb, translate};

/// Why an attribute of a build inside the daemon cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeProblem {
    /// The context is an input that does not exist.
    #[error("there is no input {input:?}")]
    NoInput {
        /// The input.
        input: String,
    },
    /// The metadata of an input is not the expected JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The image config in the metadata of an input is not base64.
    #[error(transparent)]
    Base64(#[from] base64::DecodeError),
    /// The graph of a context is invalid.
    #[error(transparent)]
    Graph(#[from] llb::Error),
    /// The context cannot be used.
    #[error(transparent)]
    Context(#[from] translate::Error),
    /// A stage is given as a context to a frontend in the daemon.
    #[error(
        "the frontend {frontend} takes no stage of the Dockerfile for a context; without \
         # syntax= or another choice the Dockerfile is translated here, which does"
    )]
    StageElsewhere {
        /// The frontend.
        frontend: String,
    },
}

/// Why the image that generates the SBOM cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScannerProblem {
    /// The daemon cannot resolve the image.
    #[error("{}", summary(.0))]
    Unresolved(Box<gateway::Error>),
    /// The config of the image is invalid.
    #[error("its config is invalid: {0}")]
    Config(serde_json::Error),
    /// The image has neither an entrypoint nor a command.
    #[error("it has neither entrypoint nor command")]
    NoCommand,
    /// The graph of the scan is invalid.
    #[error(transparent)]
    Graph(#[from] llb::Error),
}

/// The daemon's own message if there is one.
fn summary(error: &gateway::Error) -> String {
    match error.failure() {
        Some(failure) => failure.message.clone(),
        None => crate::causes::in_one_line(error),
    }
}
