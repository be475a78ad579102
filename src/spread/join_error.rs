//! Errors of combining the results of several nodes.

use std::io;
use std::path::PathBuf;

use crate::task::Panicked;
use crate::{imagetools, layout, oci, registry, transfer};

/// Why the caches or OCI layouts of several nodes cannot be combined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A registry rejects the request.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A folder with an OCI layout cannot be read or written.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// A blob of a layout does not match its digest or size.
    #[error(transparent)]
    Commit(#[from] layout::CommitError),
    /// The index of the parts cannot be created.
    #[error(transparent)]
    Index(#[from] imagetools::Error),
    /// The archive of the parts cannot be created.
    #[error(transparent)]
    Archive(#[from] transfer::Error),
    /// The name of an image is invalid.
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
        /// The cause.
        source: io::Error,
    },
    /// The archive needs the standard output, but this program did not pass a writer for it.
    #[error("the output needs stdout, but this program did not pass a writer for it")]
    NoStandardOutput,
    /// The standard output cannot be opened.
    #[error("cannot open the standard output")]
    StandardOutput {
        /// The cause.
        source: io::Error,
    },
    /// The image has no config of a cache.
    #[error("{name} is not a cache")]
    NoCache {
        /// The image.
        name: String,
    },
    /// A manifest or config is not the expected JSON.
    #[error("a manifest or config is not valid JSON")]
    Json(#[from] serde_json::Error),
    /// There is no cache to merge.
    #[error("there are no caches")]
    NothingToMerge,
    /// The config of the merged cache is too large for BuildKit.
    #[error("its config has {size} bytes, and BuildKit reads {limit} at most")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit of BuildKit, in bytes.
        limit: usize,
    },
    /// The layers of a cache do not form a tree.
    #[error("a layer is its own parent, or has one that is not there")]
    Layers,
    /// A record of a cache refers to a missing layer.
    #[error("a record names a layer that is not there")]
    RecordLayer,
    /// The records of a cache do not form a tree.
    #[error("a record comes from itself, or from one that is not there")]
    Records,
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}
