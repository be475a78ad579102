//! What can be wrong with a layout.

use std::path::PathBuf;

/// An error of an OCI image layout; each names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of it cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The folder has no index.
    #[error("{} is not an OCI image layout: it has no index.json", path.display())]
    NoIndex {
        /// The folder.
        path: PathBuf,
    },
    /// The index is not what it should be.
    #[error("{} is not the index of an OCI image layout: {reason}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The index has no such entry.
    #[error("the OCI layout {} has no image {tag:?}; {}", path.display(), listed(available))]
    NoImage {
        /// The folder.
        path: PathBuf,
        /// The tag or name that was looked for.
        tag: String,
        /// Those that there are.
        available: Vec<String>,
    },
    /// Another program writes the index all the time.
    #[error("another program holds the lock {}", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A text that is no reference to a layout.
    #[error("invalid OCI layout {input:?}: {reason}")]
    Reference {
        /// The text as given.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "it has none with a tag".to_owned();
    }
    format!("it has {}", names.join(", "))
}
