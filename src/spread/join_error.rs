//! Why what the nodes have made cannot be put together.

use std::io;
use std::path::PathBuf;

use crate::task::Panicked;
use crate::{imagetools, layout, oci, registry, transfer};

/// Why the caches or the OCI layouts of several nodes cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A registry refuses it.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A folder with an OCI layout cannot be read or written.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// What was written to a layout is not what it should be.
    #[error(transparent)]
    Commit(#[from] layout::CommitError),
    /// The index of the parts cannot be made.
    #[error(transparent)]
    Index(#[from] imagetools::Error),
    /// The archive of the parts cannot be made.
    #[error(transparent)]
    Archive(#[from] transfer::Error),
    /// A name of an image breaks a rule.
    #[error(transparent)]
    Name(#[from] oci::Error),
    /// A file of a layout is missing.
    #[error("{} is not there", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive goes to the standard output, which the program did not give.
    #[error("the output needs stdout, but this program did not pass a writer for it")]
    NoStandardOutput,
    /// The standard output cannot be opened.
    #[error("cannot open the standard output")]
    StandardOutput {
        /// Why.
        source: io::Error,
    },
    /// An image that has no config of a cache.
    #[error("{name} is not a cache")]
    NoCache {
        /// The image.
        name: String,
    },
    /// A manifest or config that is not the JSON that it should be.
    #[error("a manifest or config is not valid JSON")]
    Json(#[from] serde_json::Error),
    /// There is no cache to merge.
    #[error("there are no caches")]
    NothingToMerge,
    /// The config of the merged cache is too large for BuildKit.
    #[error("its config has {size} bytes, and BuildKit reads {limit} at most")]
    TooLarge {
        /// Its size.
        size: usize,
        /// What BuildKit reads.
        limit: usize,
    },
    /// The layers of a cache are no tree.
    #[error("a layer is its own parent, or has one that is not there")]
    Layers,
    /// A record of a cache names a layer that the cache does not have.
    #[error("a record names a layer that is not there")]
    RecordLayer,
    /// The records of a cache are no tree.
    #[error("a record comes from itself, or from one that is not there")]
    Records,
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}
