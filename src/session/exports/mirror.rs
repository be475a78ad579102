//! Directories that must hold the result and nothing else. Other files are removed after everything
//! has arrived.

use std::collections::HashSet;

use solvekit_host::{Kind, names};

use super::error::ExportError;
use crate::files::Beneath;

/// The paths that arrived, in the form in which the system compares them.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    paths: HashSet<Vec<u8>>,
}

impl Mirror {
    pub(super) fn keep(&mut self, path: &[u8]) {
        self.paths.insert(compared(path));
    }

    /// Removes all other paths below the root. Links are removed, not followed.
    pub(super) fn remove_others(&self, root: &Beneath) -> Result<(), ExportError> {
        self.clean(root, &mut Vec::new())
    }

    fn clean(&self, directory: &Beneath, path: &mut Vec<u8>) -> Result<(), ExportError> {
        let failed = ExportError::file;
        let entries = directory.entries();
        let entries = entries.map_err(|error| failed("read", path, error))?;
        let length = path.len();
        for (name, kind) in entries {
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(&name);
            if !self.paths.contains(&compared(path)) {
                let removed = directory.remove(&name, kind);
                removed.map_err(|error| failed("remove", path, error))?;
            } else if kind == Kind::Folder {
                let inner = directory.inner(&name);
                let inner = inner.map_err(|error| failed("open", path, error))?;
                self.clean(&inner, path)?;
            }
            path.truncate(length);
        }
        Ok(())
    }
}

/// A folder keeps its name when it arrives as `Dist` and exists as `dist`.
fn compared(path: &[u8]) -> Vec<u8> {
    names::compared(path).unwrap_or_else(|| path.to_vec())
}
