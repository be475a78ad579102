//! What can go wrong on the way.

use std::path::PathBuf;

use crate::oci::Digest;
use crate::task::Panicked;
use crate::walk::WalkError;
use crate::{layout, registry};

/// An error of a transfer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text that names no place.
    #[error("invalid place {input:?}: {reason}")]
    Place {
        /// The text as given.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file is no archive of an image.
    #[error("{} is not an archive of an image: {reason}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Several images, and nothing says which, or none of that name.
    #[error("{place} {}", which(wanted.as_deref(), available))]
    NoImage {
        /// The folder or file.
        place: String,
        /// The name that was looked for.
        wanted: Option<String>,
        /// Those that there are.
        available: Vec<String>,
    },
    /// A blob that the image refers to is missing, or cut off.
    #[error("{place} is incomplete: the blob {digest} {problem}")]
    Incomplete {
        /// The folder or file.
        place: String,
        /// The blob.
        digest: Digest,
        /// `is missing`, or how long it is.
        problem: String,
    },
    /// A manifest cannot be read.
    #[error("{digest} of {place} is no manifest of an image: {reason}")]
    Manifest {
        /// Where it is.
        place: String,
        /// The manifest.
        digest: Digest,
        /// What is wrong with it.
        reason: String,
    },
    /// The image is larger than any that is known.
    #[error("{place} is not copied")]
    TooMuch {
        /// Where it is.
        place: String,
        /// Which limit it exceeds.
        #[source]
        source: WalkError,
    },
    /// The image has other platforms.
    #[error("{place} has no image for {platform}; it has {}", available.join(", "))]
    NotForPlatform {
        /// The image.
        place: String,
        /// What was asked for.
        platform: String,
        /// What there is.
        available: Vec<String>,
    },
    /// An archive for `docker load` holds one image, not an index of several.
    #[error("{place} is an index of several platforms, and a docker archive holds one; it has {}", available.join(", "))]
    SeveralPlatforms {
        /// The image.
        place: String,
        /// What there is.
        available: Vec<String>,
    },
    /// Something that can only be read, or only be written.
    #[error("{place} cannot be {action}")]
    Direction {
        /// The place.
        place: String,
        /// `read`, `written`.
        action: &'static str,
    },
    /// A registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A layout.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// A blob that was written is another one than was announced.
    #[error("{place} gave other bytes than those of {digest}: {reason}")]
    Damaged {
        /// Where it was read.
        place: String,
        /// What was announced.
        digest: Digest,
        /// Size or digest.
        reason: String,
    },
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
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
