//! The folder of records: kinds of files, bounded in number and size, and private to their owner.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use solvekit_host::files::{make_private_folders, with_permissions};

use super::error::{StoreError, failed};
use crate::files::{AtomicFile, lock_until};

pub(super) const TARGETS: Kind = Kind {
    folder: "targets",
    most: 100,
    bytes: 32 << 20,
};
pub(super) const FILES: Kind = Kind {
    folder: "files",
    most: 100,
    bytes: 64 << 20,
};
pub(super) const REPORTS: Kind = Kind {
    folder: "reports",
    most: 100,
    bytes: 8 << 20,
};
/// The most time that a build waits for the lock of another program.
const PATIENCE: Duration = Duration::from_secs(2);

/// A kind of file, with the limits beyond which the oldest files are removed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) folder: &'static str,
    pub(super) most: usize,
    pub(super) bytes: u64,
}

/// A folder with the files of all kinds.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    pub(super) fn file(&self, kind: Kind, name: &str) -> PathBuf {
        self.path.join(kind.folder).join(name)
    }

    pub(super) fn names(&self, kind: Kind) -> Result<Vec<String>, StoreError> {
        let folder = self.path.join(kind.folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("read", &folder))?,
        };
        // solvekit never keeps so many files.
        let names = entries.take(10 * kind.most);
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        // Hidden files are still being written.
        Ok(names.filter(|name| !name.starts_with('.')).collect())
    }

    pub(super) fn lock(&self) -> Result<File, StoreError> {
        for kind in [TARGETS, FILES, REPORTS] {
            let folder = self.path.join(kind.folder);
            make_private_folders(&folder).map_err(failed("create", &folder))?;
        }
        let path = self.path.join("lock");
        let mut open = OpenOptions::new();
        open.create(true).truncate(false).write(true);
        let file = with_permissions(&mut open, 0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        let until = Instant::now() + PATIENCE;
        match lock_until(&file, until).map_err(failed("lock", &path))? {
            true => Ok(file),
            false => Err(StoreError::Locked {
                path: self.path.clone(),
            }),
        }
    }

    /// Replaces a file, and removes the oldest files of its kind beyond the limits.
    pub(super) fn write(&self, kind: Kind, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let written = || -> io::Result<()> {
            let mut file = AtomicFile::create_with_mode(path, 0o600)?;
            file.write_all(bytes)?;
            // A record that is emptied by a crash counts as missing.
            file.commit_unsynced()
        };
        written().map_err(failed("write", path))?;
        // A removal reads the size and time of each file. It makes room for a fifth more, so that
        // not every build needs one.
        let share = kind.bytes / kind.most as u64;
        if self.count(kind)? > kind.most {
            self.evict(kind, kind.most - kind.most / 5)
        } else if bytes.len() as u64 > share {
            self.evict(kind, kind.most)
        } else {
            Ok(())
        }
    }

    fn count(&self, kind: Kind) -> Result<usize, StoreError> {
        let folder = self.path.join(kind.folder);
        let entries = fs::read_dir(&folder).map_err(failed("read", &folder))?;
        Ok(entries.count())
    }

    /// Keeps the newest files, `most` of them.
    fn evict(&self, kind: Kind, most: usize) -> Result<(), StoreError> {
        let folder = self.path.join(kind.folder);
        let entries = fs::read_dir(&folder).map_err(failed("read", &folder))?;
        let mut found: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let metadata = entry.metadata().ok()?;
                let time = metadata.modified().ok()?;
                metadata
                    .is_file()
                    .then(|| (time, metadata.len(), entry.path()))
            })
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        let mut bytes = 0u64;
        for (place, (_, size, path)) in found.into_iter().enumerate() {
            bytes = bytes.saturating_add(size);
            // The newest file stays, whatever its size.
            if place > 0 && (place >= most || bytes > kind.bytes) {
                // Another program may have removed it.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

/// Marks a file as used, so that it is not among the oldest ones.
pub(super) fn touch(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).open(path)?;
    file.set_modified(SystemTime::now())
}
