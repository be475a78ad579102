//! Directories that must hold the result and nothing else. Other files are removed after everything
//! has arrived.

use std::collections::HashSet;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::beneath;
use super::error::ExportError;

/// The paths that arrived.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    paths: HashSet<Vec<u8>>,
}

impl Mirror {
    /// Keeps a path.
    pub(super) fn keep(&mut self, path: &[u8]) {
        self.paths.insert(path.to_vec());
    }

    /// Removes all other paths below the root. Links are removed, not followed.
    pub(super) fn remove_others(&self, root: BorrowedFd<'_>) -> Result<(), ExportError> {
        self.clean(root, &mut Vec::new())
    }

    fn clean(&self, directory: BorrowedFd<'_>, path: &mut Vec<u8>) -> Result<(), ExportError> {
        let failed = |action, path: &[u8], error: Errno| ExportError::file(action, path, error);
        let entries = beneath::entries(directory).map_err(|error| failed("read", path, error))?;
        let length = path.len();
        for (name, kind) in entries {
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(name.to_bytes());
            let name = name.as_c_str();
            if !self.paths.contains(path) {
                let removed = beneath::remove(directory, name, kind);
                removed.map_err(|error| failed("remove", path, error))?;
            } else if kind == FileType::Directory {
                let inner = beneath::open(directory, name);
                let inner = inner.map_err(|error| failed("open", path, error))?;
                self.clean(inner.as_fd(), path)?;
            }
            path.truncate(length);
        }
        Ok(())
    }
}
