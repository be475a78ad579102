//! Errors of transfers.

use std::path::PathBuf;

use super::{ArchiveProblem, ManifestProblem, PlaceProblem};
use crate::layout::CommitError;
use crate::oci::Digest;
use crate::registry::FailureKind;
use crate::task::Panicked;
use crate::walk::WalkError;
use crate::{layout, registry};

/// An error of a transfer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text does not name a place.
    #[error("invalid place {input:?}: {reason}")]
    Place {
        /// The original text.
        input: String,
        /// The fault of the text.
        reason: PlaceProblem,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The action that failed, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file is not an archive of an image.
    #[error("{} is not an archive of an image: {reason}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// The fault of the file.
        reason: ArchiveProblem,
    },
    /// There are several images and no name was given, or no image has the name.
    #[error("{place} {}", which(wanted.as_deref(), available))]
    NoImage {
        /// The folder or file.
        place: String,
        /// The requested name.
        wanted: Option<String>,
        /// The existing names.
        available: Vec<String>,
    },
    /// A blob of the image is missing or truncated.
    #[error("{place} is incomplete: the blob {digest} {problem}")]
    Incomplete {
        /// The folder or file.
        place: String,
        /// The blob.
        digest: Digest,
        /// `is missing`, or its actual length.
        problem: String,
    },
    /// A manifest could not be read.
    #[error("{digest} of {place} is not a manifest of an image: {reason}")]
    Manifest {
        /// The place of the manifest.
        place: String,
        /// The manifest.
        digest: Digest,
        /// The fault of the manifest.
        reason: ManifestProblem,
    },
    /// The image exceeds a limit.
    #[error("{place} is not copied")]
    TooMuch {
        /// The place of the image.
        place: String,
        /// The limit.
        #[source]
        source: WalkError,
    },
    /// The image does not have the requested platform.
    #[error("{place} has no image for {platform}; it has {}", available.join(", "))]
    NotForPlatform {
        /// The image.
        place: String,
        /// The requested platform.
        platform: String,
        /// The existing platforms.
        available: Vec<String>,
    },
    /// An archive for `docker load` can hold one image, not an index of several.
    #[error("{place} is an index of several platforms, and a docker archive holds one; it has \
             {}", available.join(", "))]
    SeveralPlatforms {
        /// The image.
        place: String,
        /// The platforms of the index.
        available: Vec<String>,
    },
    /// The place is read-only or write-only.
    #[error("{place} cannot be {action}")]
    Direction {
        /// The place.
        place: String,
        /// `read` or `written`.
        action: &'static str,
    },
    /// A registry's error.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A layout's error.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// A blob does not match its descriptor.
    #[error("{place} gave other bytes than those of {digest}: {reason}")]
    Damaged {
        /// The place of the blob.
        place: String,
        /// The expected digest.
        digest: Digest,
        /// The mismatch: size or digest.
        reason: Box<CommitError>,
    },
    /// A task of this program panicked: a bug.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl Error {
    /// Returns the kind of a registry's failure, or of invalid content; `None` for all other
    /// errors.
    pub fn kind(&self) -> Option<FailureKind> {
        match self {
            Self::Registry(error) => error.kind(),
            Self::Incomplete { .. } | Self::Damaged { .. } | Self::Manifest { .. } => {
                Some(FailureKind::Broken)
            }
            _ => None,
        }
    }
}

fn which(wanted: Option<&str>, available: &[String]) -> String {
    let listed = match available.is_empty() {
        true => "no image with a name".to_owned(),
        false => available.join(", "),
    };
    match wanted {
        Some(wanted) => format!("has no image {wanted:?}; it has {listed}"),
        None => format!("has several images, say which: it has {listed}"),
    }
}

pub(super) fn file(
    action: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}
