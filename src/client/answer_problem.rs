//! Problems with answers of the daemon.

use crate::{llb, oci};

/// Why an answer of the daemon is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerProblem {
    /// A part is missing.
    #[error("there is no {part} in it")]
    Missing {
        /// The part, such as `version`.
        part: &'static str,
    },
    /// The answer is larger than the limit.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The build ended without a result.
    #[error("it ended before it had a result")]
    NoResult,
    /// The result has several platforms, but one is required.
    #[error("it has several platforms")]
    SeveralPlatforms,
    /// An input has no graph.
    #[error("the input {name:?} is an empty graph")]
    EmptyInput {
        /// The input.
        name: String,
    },
    /// The graph of an input is invalid.
    #[error("{name}: {source}")]
    Input {
        /// The input.
        name: String,
        /// The cause.
        source: llb::Error,
    },
    /// The bytes are not the expected protobuf message.
    #[error(transparent)]
    Protobuf(#[from] prost::DecodeError),
    /// A digest is invalid.
    #[error(transparent)]
    Digest(#[from] oci::Error),
}
