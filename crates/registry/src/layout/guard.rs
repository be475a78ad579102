//! The lock of `index.json`: one writer at a time. Go clients of BuildKit use the same lock file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use solvekit_host::files::{is_at, without_links};

use super::Error;
use super::upload::file_error;
use crate::files::lock_until;

/// The longest wait for another program's lock; it only writes one small file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    path: PathBuf,
    _file: File,
}

impl Guard {
    /// Waits for the lock of an index.
    pub(super) fn of(index: &Path) -> Result<Self, Error> {
        let mut path = index.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let until = Instant::now() + PATIENCE;
        loop {
            let mut options = File::options();
            options.write(true).create(true).truncate(false);
            // Others who can write to the folder could place a link here.
            let file = without_links(&mut options)
                .open(&path)
                .map_err(|error| file_error("create", &path, error))?;
            // Without locks the index is still replaced in one step.
            match lock_until(&file, until) {
                // The previous holder removed the file.
                Ok(true) if !is_at(&file, &path) => continue,
                Ok(true) => return Ok(Self { path, _file: file }),
                Ok(false) => return Err(Error::Locked { path }),
                Err(error) => return Err(file_error("lock", &path, error)),
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A lock file left behind is harmless.
        let _ = fs::remove_file(&self.path);
    }
}
