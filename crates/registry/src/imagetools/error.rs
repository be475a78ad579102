//! Errors of images in registries.

use super::{AnnotationProblem, ContentProblem, SourceProblem};
use crate::oci::Digest;
use crate::registry::FailureKind;
use crate::task::Panicked;
use crate::walk::WalkError;
use crate::{layout, registry};

/// An error of this module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A registry refused a read or write.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A registry's content does not match its media type.
    #[error("{reference} is not a valid {kind}: {reason}")]
    Malformed {
        /// The content's name.
        reference: String,
        /// The expected kind of content.
        kind: &'static str,
        /// The fault of the content.
        reason: ContentProblem,
    },
    /// An image exceeds a limit.
    #[error("{reference} is not read")]
    TooMuch {
        /// The image.
        reference: String,
        /// The limit.
        #[source]
        source: WalkError,
    },
    /// A layout could not be read.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// A part could not be stored in a layout: it does not match its descriptor.
    #[error("cannot store {digest}")]
    Store {
        /// The part.
        digest: Digest,
        /// The difference.
        source: layout::CommitError,
    },
    /// A layout lacks a part of its image.
    #[error("{layout} is incomplete: {digest} is missing")]
    Missing {
        /// The image.
        layout: String,
        /// The part.
        digest: Digest,
    },
    /// A task of this program panicked: a bug.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The text does not name a part of an image.
    #[error("{input:?} is not a name, digest or descriptor of an image: {reason}")]
    Source {
        /// The text.
        input: String,
        /// The fault of the text.
        reason: Box<SourceProblem>,
    },
    /// The annotation is invalid.
    #[error("invalid annotation {input:?}: {reason}")]
    Annotation {
        /// The text.
        input: String,
        /// The fault of the text.
        reason: AnnotationProblem,
    },
    /// The repository of a digest is ambiguous.
    #[error("the repository of {digest} is not known: several are named, or none")]
    NoRepository {
        /// The digest.
        digest: Digest,
    },
    /// The image has none of the requested platforms.
    #[error("there is no image for {}; there is one for \
             {}", wanted.join(", "), available.join(", "))]
    NoPlatform {
        /// The requested platforms.
        wanted: Vec<String>,
        /// The existing platforms.
        available: Vec<String>,
    },
    /// The image has a schema 1 manifest, which an index cannot hold.
    #[error("{reference} is an image of schema 1, which cannot be part of an index")]
    SchemaOne {
        /// The image.
        reference: String,
    },
    /// Copying to a repository failed.
    #[error("cannot push to {to}")]
    Copy {
        /// The repository.
        to: String,
        /// The cause.
        #[source]
        source: Box<Error>,
    },
}

impl Error {
    /// Returns the kind of a registry's failure, or of invalid content; `None` for all other
    /// errors.
    pub fn kind(&self) -> Option<FailureKind> {
        match self {
            Self::Registry(error) => error.kind(),
            Self::Copy { source, .. } => source.kind(),
            Self::Malformed { .. } | Self::Store { .. } | Self::Missing { .. } => {
                Some(FailureKind::Broken)
            }
            _ => None,
        }
    }
}
