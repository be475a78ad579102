//! Folders of interrupted exports, whose content is incomplete.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The folders that interrupted exports left incomplete, including those of a cancelled build.
/// Clones share them.
#[derive(Debug, Clone, Default)]
pub struct BrokenFolders(Arc<Mutex<Vec<PathBuf>>>);

impl BrokenFolders {
    /// Returns the folders, in the order of their interruption.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.with(|paths| paths.clone())
    }

    /// Watches an export into a folder. A complete export removes the folder from the list.
    pub(super) fn watch(&self, folder: &Path) -> Watch {
        Watch {
            folders: self.clone(),
            folder: folder.to_owned(),
            begun: Arc::default(),
            complete: AtomicBool::new(false),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Vec<PathBuf>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An export into a folder. If it is dropped after a write but before it is complete, the export
/// was interrupted.
#[derive(Debug)]
pub(super) struct Watch {
    folders: BrokenFolders,
    folder: PathBuf,
    begun: Arc<AtomicBool>,
    complete: AtomicBool,
}

impl Watch {
    /// Returns a flag to set before the first write.
    pub(super) fn begun(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.begun)
    }

    pub(super) fn complete(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let is_complete = self.complete.load(Ordering::Relaxed);
        self.folders.with(|paths| {
            paths.retain(|path| *path != self.folder);
            if self.begun.load(Ordering::Relaxed) && !is_complete {
                paths.push(self.folder.clone());
            }
        });
    }
}
