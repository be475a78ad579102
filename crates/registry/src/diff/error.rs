//! Errors of comparisons.

use std::io;

use crate::oci::Digest;
use crate::task::Panicked;
use crate::{registry, transfer};

/// The reason two images cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image cannot be read.
    #[error(transparent)]
    Image(#[from] transfer::Error),
    /// A blob cannot be read from its registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A layer is damaged, not an archive, or has more files than any real one.
    #[error("cannot read the layer {digest}")]
    Layer {
        /// The layer.
        digest: Digest,
        /// The cause.
        source: io::Error,
    },
    /// A task of this program panicked: a bug.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}
