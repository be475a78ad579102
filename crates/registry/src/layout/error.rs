//! Errors of OCI image layouts.

use std::path::PathBuf;

use crate::oci;

/// An error of an OCI image layout; each names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the layout could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The action that failed, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The folder has no index.
    #[error("{} is not an OCI image layout: it has no index.json", path.display())]
    NoIndex {
        /// The folder.
        path: PathBuf,
    },
    /// The index is malformed.
    #[error("{} is not the index of an OCI image layout: {reason}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The fault of the file.
        reason: IndexProblem,
    },
    /// The index has no such entry.
    #[error("the OCI layout {} has no image {tag:?}; {}", path.display(), listed(available))]
    NoImage {
        /// The folder.
        path: PathBuf,
        /// The requested tag or name.
        tag: String,
        /// The names that exist.
        available: Vec<String>,
    },
    /// Another program did not release the lock of the index in time.
    #[error("another program holds the lock {}", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The text is not a reference to a layout.
    #[error("invalid OCI layout {input:?}: {reason}")]
    Reference {
        /// The original text.
        input: String,
        /// The fault of the text.
        reason: ReferenceProblem,
    },
}

/// The reason a file is not the index or manifest of a layout.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexProblem {
    /// It is not the expected JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// An entry has an invalid digest.
    #[error(transparent)]
    Digest(#[from] oci::Error),
}

/// The reason a text is not a reference to an image of a layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceProblem {
    /// It is not a URL of a layout.
    #[error("it does not begin with oci-layout://")]
    Scheme,
    /// The path is empty.
    #[error("the folder is missing")]
    NoFolder,
    /// The text after `@` is not a digest.
    #[error(transparent)]
    Digest(#[from] oci::Error),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "it has none with a tag".to_owned();
    }
    format!("it has {}", names.join(", "))
}
