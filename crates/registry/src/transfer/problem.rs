//! Faults of places, archives and manifests: causes of [`Error`].
//!
//! [`Error`]: super::Error

use std::io;

use crate::layout::ReferenceProblem;
use crate::oci;

/// The reason a text does not name a place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceProblem {
    /// The path after the transport is missing.
    #[error("the path is missing")]
    NoPath,
    /// The transport is not supported.
    #[error(
        "{transport}: is not known here; a place is NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], \
         docker-archive:FILE[:NAME] or docker-daemon:NAME"
    )]
    UnknownTransport {
        /// The transport.
        transport: String,
    },
    /// The text is not the name of an image.
    #[error(transparent)]
    Name(#[from] oci::Error),
    /// The text is not an image of a layout.
    #[error(transparent)]
    Layout(#[from] ReferenceProblem),
}

/// The reason a file is not an archive of an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveProblem {
    /// The archive is compressed.
    #[error("it is compressed; decompress it first (gunzip, zstd -d)")]
    Compressed,
    /// The file is not a tar archive.
    #[error("it is not a tar archive, damaged or cut off ({0})")]
    Damaged(io::Error),
    /// The archive has more files than an image needs.
    #[error("it has more files than any image")]
    TooManyFiles,
    /// The archive has no list of images.
    #[error("it has neither index.json nor manifest.json")]
    NoIndex,
    /// A file is missing.
    #[error("{name} is missing")]
    Missing {
        /// The file.
        name: String,
    },
    /// A file that must be read as a whole is too large.
    #[error("{name} is larger than {mebibytes} MiB")]
    TooLarge {
        /// The file.
        name: String,
        /// The limit in MiB.
        mebibytes: u64,
    },
    /// A file is not the expected JSON.
    #[error("{name}: {source}")]
    Json {
        /// The file.
        name: String,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// The archive has more or fewer layers than the image's config names.
    #[error("it has {found} layers, and the image has {named}")]
    Layers {
        /// The number of layers in the archive.
        found: usize,
        /// The number of layers in the config.
        named: usize,
    },
}

/// The reason bytes are not the manifest of an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestProblem {
    /// The media type is unknown.
    #[error("its type {media_type:?} is not known")]
    MediaType {
        /// The media type.
        media_type: String,
    },
    /// The manifest is too large.
    #[error("it is too large")]
    TooLarge,
    /// The bytes are not the expected JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
