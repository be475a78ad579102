//! Folders of interrupted exports, whose content is incomplete.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The folders that interrupted exports left incomplete, including those of a cancelled build.
/// Clones share them.
#[derive(Debug, Clone, Default)]
pub struct BrokenFolders(Arc<Mutex<Folders>>);

#[derive(Debug, Default)]
struct Folders {
    /// In the order of their interruption.
    broken: Vec<PathBuf>,
    /// The exports in progress.
    open: Vec<Arc<Export>>,
}

#[derive(Debug)]
struct Export {
    folder: PathBuf,
    begun: Arc<AtomicBool>,
    complete: AtomicBool,
}

impl Export {
    fn is_incomplete(&self) -> bool {
        self.begun.load(Ordering::Relaxed) && !self.complete.load(Ordering::Relaxed)
    }
}

impl BrokenFolders {
    /// Returns the folders in the order of their interruption, then those that are being written.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.with(|folders| {
            let open = folders.open.iter().filter(|export| export.is_incomplete());
            let open = open.map(|export| &export.folder);
            folders.broken.iter().chain(open).cloned().collect()
        })
    }

    /// Watches an export into a folder. A complete export removes the folder from the list.
    pub(super) fn watch(&self, folder: &Path) -> Watch {
        let export = Arc::new(Export {
            folder: folder.to_owned(),
            begun: Arc::default(),
            complete: AtomicBool::new(false),
        });
        self.with(|folders| folders.open.push(Arc::clone(&export)));
        Watch {
            folders: self.clone(),
            export,
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Folders) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An export into a folder. If it is dropped after a write but before it is complete, the export
/// was interrupted.
#[derive(Debug)]
pub(super) struct Watch {
    folders: BrokenFolders,
    export: Arc<Export>,
}

impl Watch {
    /// Returns a flag to set before the first write.
    pub(super) fn begun(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.export.begun)
    }

    pub(super) fn complete(&self) {
        self.export.complete.store(true, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let export = &self.export;
        self.folders.with(|folders| {
            folders.open.retain(|open| !Arc::ptr_eq(open, export));
            folders.broken.retain(|path| *path != export.folder);
            if export.is_incomplete() {
                folders.broken.push(export.folder.clone());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_listed_from_its_first_write_until_it_is_complete() {
        let folders = BrokenFolders::default();
        let watch = folders.watch(Path::new("out"));
        assert!(folders.paths().is_empty());
        watch.begun().store(true, Ordering::Relaxed);
        assert_eq!(folders.paths(), [Path::new("out")]);
        drop(watch);
        assert_eq!(folders.paths(), [Path::new("out")]);
        let again = folders.watch(Path::new("out"));
        again.begun().store(true, Ordering::Relaxed);
        again.complete();
        drop(again);
        assert!(folders.paths().is_empty());
    }
}
