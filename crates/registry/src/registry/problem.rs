//! Faults of certificates and content: causes of errors.

use thiserror::Error;

/// The reason a file has no usable certificate or key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// The file contains no certificate or key of the expected kind.
    #[error("nothing of that kind is in it, in PEM")]
    Empty,
    /// The file is not PEM.
    #[error(transparent)]
    Pem(rustls::pki_types::pem::Error),
}

/// The fault of content that a registry sent or is to be sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContentProblem {
    /// The JSON is not a manifest.
    #[error("it is not a manifest of an image: {0}")]
    Manifest(serde_json::Error),
    /// The bytes are not gzip, although the header says so.
    #[error("it is not the gzip that its header says: {0}")]
    Gzip(std::io::Error),
    /// The media type cannot be sent in a header.
    #[error("{media_type:?} is not a media type")]
    MediaType {
        /// The media type.
        media_type: String,
    },
    /// The answer begins at another byte than the requested one.
    #[error("it begins at byte {start} and not at {wanted}")]
    Range {
        /// The first byte of the answer.
        start: u64,
        /// The requested byte.
        wanted: u64,
    },
}
