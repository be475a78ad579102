//! Problems with bundles, traces and answers of Docker Desktop: causes of [`Error`].
//!
//! [`Error`]: super::Error

use std::io;

use crate::oci::Digest;

/// Why bytes are not a bundle of build records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleProblem {
    /// The bytes are not gzip.
    #[error("it is not compressed with gzip, or cut off: {0}")]
    Gzip(io::Error),
    /// The bundle is too large.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The archive in it is damaged.
    #[error("its archive is damaged: {0}")]
    Archive(io::Error),
    /// The archive in it ends too early.
    #[error("its archive is cut off")]
    CutOff,
    /// The bundle has no index.
    #[error("it has no index.json")]
    NoIndex,
    /// The bundle has no record.
    #[error("there is no record in it")]
    NoRecord,
    /// Indexes are nested too deeply.
    #[error("its indexes lie too deep")]
    TooDeep,
    /// A part is not the expected JSON.
    #[error("its {part} is damaged: {source}")]
    Json {
        /// The part, such as `index`.
        part: &'static str,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// A blob is missing.
    #[error("it lacks {digest}")]
    Missing {
        /// The blob.
        digest: Digest,
    },
    /// The content of a blob does not match its digest.
    #[error("{digest} has the digest {actual}")]
    Digest {
        /// The blob.
        digest: Digest,
        /// The digest of its bytes.
        actual: Digest,
    },
}

/// Why bytes are not a trace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceProblem {
    /// The bytes are not JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A part is not an object.
    #[error("its part {number} is not a span")]
    NotASpan {
        /// The number of the part, from 0.
        number: usize,
    },
    /// The trace is empty.
    #[error("it has no spans")]
    Empty,
}

/// Why Docker Desktop rejects a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DesktopProblem {
    /// Its socket cannot be opened.
    #[error(transparent)]
    Connect(#[from] io::Error),
    /// The connection broke.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// Its answer is too long or broke off.
    #[error(transparent)]
    Body(Box<dyn std::error::Error + Send + Sync>),
    /// Its answer is not the expected JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Docker Desktop rejects the bundle.
    #[error("{status}: {message}")]
    Refused {
        /// The HTTP status.
        status: http::StatusCode,
        /// Its message.
        message: String,
    },
}
