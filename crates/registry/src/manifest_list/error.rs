//! Errors of manifest lists.

use std::path::PathBuf;

use crate::oci::{self, Reference};
use crate::{imagetools, registry};

/// An error of this module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The list does not exist locally.
    #[error("there is no manifest list {list} here")]
    NoList {
        /// The list.
        list: Reference,
    },
    /// The list does not have this manifest.
    #[error("the manifest list {list} has no {manifest}; it has {}", known.join(", "))]
    NoManifest {
        /// The list.
        list: Box<Reference>,
        /// The manifest.
        manifest: Box<Reference>,
        /// The manifests of the list.
        known: Vec<String>,
    },
    /// A file of a list could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The action that failed, such as `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file of a list is malformed.
    #[error("{} is not a manifest of a list: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The fault of the file.
        reason: EntryProblem,
    },
    /// A manifest has no platform.
    #[error("it is not known which platform {manifest} is for")]
    NoPlatform {
        /// The manifest.
        manifest: Reference,
    },
    /// The platform is unknown to docker.
    #[error("{os}/{architecture} is not a platform of images; for {os} there is \
             {}", known.join(", "))]
    UnknownPlatform {
        /// The operating system.
        os: String,
        /// The architecture.
        architecture: String,
        /// The architectures of that operating system.
        known: Vec<&'static str>,
    },
    /// A manifest of the list is no longer in its repository.
    #[error("{manifest} is not in the registry any more")]
    Gone {
        /// The manifest, by digest.
        manifest: Reference,
    },
    /// A registry refused a read or write.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A manifest could not be read or copied.
    #[error(transparent)]
    Image(#[from] imagetools::Error),
}

/// The reason a file is not a manifest of a list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// It is not the expected JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Its reference is invalid.
    #[error(transparent)]
    Reference(#[from] oci::Error),
    /// It has no descriptor, as in old versions of docker.
    #[error("it was written by a docker of before 2018; create the list again")]
    NoDescriptor,
    /// The manifest in the file is not base64.
    #[error("its manifest is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
}
