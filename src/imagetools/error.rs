//! What can go wrong with images in registries.

use crate::oci::Digest;
use crate::task::Panicked;
use crate::walk::WalkError;
use crate::{layout, registry};

/// An error of this module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A registry did not give or take something.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// What a registry has is not what its type says.
    #[error("{reference} is no {kind}: {reason}")]
    Malformed {
        /// What it is.
        reference: String,
        /// What it should be.
        kind: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// An image is larger than any that is known.
    #[error("{reference} is not read")]
    TooMuch {
        /// The image.
        reference: String,
        /// Which limit it exceeds.
        #[source]
        source: WalkError,
    },
    /// A layout cannot be read.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// A layout lacks a part of its image.
    #[error("{layout} is incomplete: {digest} is missing")]
    Missing {
        /// The image.
        layout: String,
        /// The part.
        digest: Digest,
    },
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A text that names no part of an image.
    #[error("{input:?} is no name, digest or descriptor of an image: {reason}")]
    Source {
        /// The text.
        input: String,
        /// What is wrong.
        reason: String,
    },
    /// An annotation that cannot be made.
    #[error("invalid --annotation {input:?}: {reason}")]
    Annotation {
        /// The text.
        input: String,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be told which repository has something.
    #[error(
        "which repository has {digest} cannot be told: those that are named are several, or none"
    )]
    NoRepository {
        /// What was to be found.
        digest: Digest,
    },
    /// There is nothing for the platforms that were asked for.
    #[error("there is no image for {}; there is one for {}", wanted.join(", "), available.join(", "))]
    NoPlatform {
        /// The platforms that were asked for.
        wanted: Vec<String>,
        /// Those that there are.
        available: Vec<String>,
    },
    /// An image of the first schema, which an index cannot hold.
    #[error("{reference} is an image of schema 1, which cannot be part of an index")]
    SchemaOne {
        /// The image.
        reference: String,
    },
    /// A repository does not get what it needs.
    #[error("cannot push to {to}")]
    Copy {
        /// The repository.
        to: String,
        /// Why not.
        #[source]
        source: Box<Error>,
    },
}
