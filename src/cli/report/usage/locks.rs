//! Locks that cannot be used.

use std::io;
use std::path::PathBuf;

use solvekit::lock;
use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum LockUsage {
    #[error("cannot read the lock {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot use the lock {}: {source}", .path.display())]
    Invalid { path: PathBuf, source: lock::Error },
    #[error("the lock does not have {name}")]
    Lacks { name: String, known: Vec<String> },
}

impl Advised for LockUsage {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Unreadable { path, source } => {
                let is_missing = source.kind() == io::ErrorKind::NotFound;
                is_missing.then(|| format!("make it: solvekit lock -o {}", path.display()))
            }
            Self::Invalid { path, .. } => Some(format!(
                "make it anew: solvekit lock --update -o {}",
                path.display()
            )),
            Self::Lacks { known, .. } => Some(format!("it has {}", known.join(", "))),
        }
    }
}
