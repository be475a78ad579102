//! Folders of exports that broke off: what is in them is not the result.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The folders that exports have left incomplete, also those of a build that was cancelled. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct BrokenFolders(Arc<Mutex<Vec<PathBuf>>>);

impl BrokenFolders {
    /// The folders, in the order in which their exports broke off.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.with(|paths| paths.clone())
    }

    /// Watches an export into a folder. A whole one takes the folder off the list again.
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

/// An export into a folder. When it is dropped before it is complete, and something was written, it has broken off.
#[derive(Debug)]
pub(super) struct Watch {
    folders: BrokenFolders,
    folder: PathBuf,
    begun: Arc<AtomicBool>,
    complete: AtomicBool,
}

impl Watch {
    /// To be set when something is about to be written.
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
