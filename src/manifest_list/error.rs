//! What can go wrong with manifest lists.

use std::path::PathBuf;

use crate::oci::Reference;
use crate::{imagetools, registry};

/// An error of this module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such list here.
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
        /// Those that it has.
        known: Vec<String>,
    },
    /// A file of a list cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was to be done with it.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file of a list is not in docker's form.
    #[error("{} is not a manifest of a list: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A manifest has no platform.
    #[error("it is not known which platform {manifest} is for")]
    NoPlatform {
        /// The manifest.
        manifest: Reference,
    },
    /// Docker knows no such platform.
    #[error("{os}/{architecture} is not a platform of images; for {os} there is {}", known.join(", "))]
    UnknownPlatform {
        /// The operating system.
        os: String,
        /// The architecture.
        architecture: String,
        /// The architectures of that operating system.
        known: Vec<&'static str>,
    },
    /// What the list names is not where it should be any more.
    #[error("{manifest} is not in the registry any more")]
    Gone {
        /// The manifest, by digest.
        manifest: Reference,
    },
    /// A registry did not give or take something.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A manifest could not be read or copied.
    #[error(transparent)]
    Image(#[from] imagetools::Error),
}
