//! Errors of keeping and reading records.

use std::io;
use std::path::{Path, PathBuf};

use solvekit_core::explain::RecordError;

/// An error of storing or reading records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The operation that failed: `read`, `write`, `create`.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A record cannot be encoded or decoded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A report is not valid JSON.
    #[error("the report {} is not valid", path.display())]
    Report {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// Another program has held the lock for too long.
    #[error("another program is using {}", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File {
        action,
        path,
        source,
    }
}
