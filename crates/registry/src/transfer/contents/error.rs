//! Errors of reading a file of an image.

use std::io;

use crate::oci::Digest;
use crate::task::Panicked;
use crate::{registry, transfer};

/// The reason a file of an image cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentsError {
    /// The image does not have the file.
    #[error("{place} has no file {path:?}")]
    NotFound {
        /// The image.
        place: String,
        /// The path.
        path: String,
    },
    /// The path is a folder.
    #[error("{path:?} is a folder of {place}")]
    Folder {
        /// The image.
        place: String,
        /// The path.
        path: String,
    },
    /// The path is a device, a pipe or a socket.
    #[error("{path:?} of {place} is not a regular file")]
    Special {
        /// The image.
        place: String,
        /// The path.
        path: String,
    },
    /// Links form a cycle, or a chain that is too long.
    #[error("too many links lead from {path:?} of {place}")]
    Links {
        /// The image.
        place: String,
        /// The path.
        path: String,
    },
    /// The place contains something other than an image.
    #[error("{place} is not an image with layers but a {kind}")]
    NotAnImage {
        /// The place.
        place: String,
        /// The media type.
        kind: String,
    },
    /// A layer is damaged, not an archive, or too large.
    #[error("cannot read the layer {digest}")]
    Layer {
        /// The layer.
        digest: Digest,
        /// The cause.
        source: io::Error,
    },
    /// The file cannot be written to its destination.
    #[error("cannot write the file")]
    Write(#[source] io::Error),
    /// A manifest or blob cannot be read.
    #[error(transparent)]
    Image(#[from] transfer::Error),
    /// A blob cannot be read from its registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// The error of reading a layer.
pub(super) enum LayerError {
    Read(io::Error),
    Write(io::Error),
}

impl From<io::Error> for LayerError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl ContentsError {
    pub(super) fn not_found(place: String, path: String) -> Self {
        Self::NotFound { place, path }
    }

    pub(super) fn folder(place: String, path: String) -> Self {
        Self::Folder { place, path }
    }

    pub(super) fn special(place: String, path: String) -> Self {
        Self::Special { place, path }
    }

    pub(super) fn links(place: String, path: String) -> Self {
        Self::Links { place, path }
    }

    pub(super) fn layer(digest: Digest, error: LayerError) -> Self {
        match error {
            LayerError::Read(source) => Self::Layer { digest, source },
            LayerError::Write(source) => Self::Write(source),
        }
    }
}
