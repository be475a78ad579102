//! The records of builds on disk: bounded, private to their owner, and never trusted.
//!
//! - `targets/HASH.json`: the last build of a target, a [`Record`].
//! - `files/NAME`: a [`Table`] of files. Records name them.
//! - `reports/TIME-RANDOM.json`: what was explained, a [`Report`].
//!
//! What is broken, of another version, or gone counts as missing.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};
use solvekit_core::explain::{
    Changes, Explained, MAX_RECORD, MAX_TABLE, Record, RecordError, Table, explain,
};
use solvekit_host::files::{make_private_folders, with_permissions};

use super::{Built, Report, TargetReport};
use crate::files::{AtomicFile, lock_until, random_name, read_at_most};

const TARGETS: Kind = Kind {
    folder: "targets",
    most: 100,
    bytes: 32 << 20,
};
const FILES: Kind = Kind {
    folder: "files",
    most: 100,
    bytes: 64 << 20,
};
const REPORTS: Kind = Kind {
    folder: "reports",
    most: 100,
    bytes: 8 << 20,
};
/// The largest report that is kept or read.
const MAX_REPORT: u64 = 1 << 20;
/// Steps beyond these are only counted.
const MAX_EXPLAINED: usize = 1000;
/// How long another program may hold the lock. A build does not wait longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A kind of file, and how much of it is kept: the oldest files are removed.
#[derive(Debug, Clone, Copy)]
struct Kind {
    folder: &'static str,
    most: usize,
    bytes: u64,
}

/// A record cannot be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried: `read`, `write`, `create`.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record cannot be written down or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A report is not valid JSON.
    #[error("the report {} is not valid", path.display())]
    Report {
        /// The path.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Another program has held the lock for too long.
    #[error("another program is using {}", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
}

/// Records and reports in a folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// What is known of a target after a build.
#[derive(Debug)]
struct Compared {
    was_there: bool,
    ran: Vec<Explained>,
}

impl Store {
    /// Uses a folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Compares builds with the ones before, and keeps them in their place. `targets` are names,
    /// keys that tell the target from all others of the user, and what was built. `note` gets what
    /// could not be read or kept; the rest is done all the same. Blocking.
    pub fn keep(
        &self,
        targets: Vec<(String, String, Built)>,
        now: SystemTime,
        note: &mut dyn FnMut(&StoreError),
    ) -> Report {
        // Without a lock records are read, but not written.
        let lock = self.lock();
        if let Err(error) = &lock {
            note(error);
        }
        let mut report = Report {
            ended_at: since_1970(now).as_secs(),
            ..Report::default()
        };
        for (target, key, built) in targets {
            let (steps, build_refs) = (built.record.steps_begun(), built.build_refs.clone());
            let compared = self.compare(&key, built, lock.is_ok(), note);
            let mut ran = compared.ran;
            ran.truncate(MAX_EXPLAINED);
            report.targets.push(TargetReport {
                target,
                build_refs,
                compared: compared.was_there,
                steps,
                ran,
            });
        }
        if lock.is_ok()
            && let Err(error) = self.write_report(&report, now)
        {
            note(&error);
        }
        report
    }

    /// Returns the newest report, or the newest that has this build.
    ///
    /// # Errors
    /// If the folder or the newest report cannot be read. Older reports that are broken are passed
    /// over.
    pub fn report(&self, build_ref: Option<&str>) -> Result<Option<Report>, StoreError> {
        let mut names = self.names(REPORTS)?;
        names.sort_unstable();
        for name in names.into_iter().rev() {
            let report = self.read_report(&name);
            match build_ref {
                None => return report.map(Some),
                Some(build_ref) => match report {
                    Ok(report) if report.has(build_ref) => return Ok(Some(report)),
                    _ => {}
                },
            }
        }
        Ok(None)
    }

    /// Returns the last builds of all targets. What cannot be read is left out. Blocking.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn builds(&self) -> Result<Vec<Record>, StoreError> {
        let mut names = self.names(TARGETS)?;
        names.sort_unstable();
        names.truncate(TARGETS.most);
        let records = names
            .iter()
            .filter_map(|name| read_record(&self.path(TARGETS, name)).ok().flatten());
        Ok(records.collect())
    }

    fn compare(
        &self,
        key: &str,
        mut built: Built,
        may_write: bool,
        note: &mut dyn FnMut(&StoreError),
    ) -> Compared {
        let path = self.path(TARGETS, &format!("{}.json", hex(key.as_bytes())));
        let old = noted(read_record(&path), note).flatten();
        let mut changes = BTreeMap::new();
        for (folder, table) in std::mem::take(&mut built.tables) {
            let known = old.as_ref().and_then(|old| old.folders.get(&folder));
            let kept = self.compare_files(known, table, may_write);
            if let Some((name, changed)) = noted(kept, note) {
                built.record.folders.insert(folder.clone(), name);
                changes.extend(changed.map(|changed| (folder, changed)));
            }
        }
        let was_there = old.is_some();
        let ran = explain(&old.unwrap_or_default(), &built.record, &changes);
        if may_write {
            let written = built.record.to_bytes().map_err(StoreError::from);
            let written = written.and_then(|bytes| self.write(TARGETS, &path, &bytes));
            noted(written, note);
        }
        Compared { was_there, ran }
    }

    /// Keeps the files of a folder. Returns the name of the table, and what changed since the known
    /// one.
    fn compare_files(
        &self,
        known: Option<&String>,
        mut table: Table,
        may_write: bool,
    ) -> Result<(String, Option<Changes>), StoreError> {
        let name = table.name();
        let path = self.path(FILES, &name);
        let is_same = known == Some(&name);
        if is_same && table.digests() == 0 && touch(&path).is_ok() {
            return Ok((name, Some(Changes::default())));
        }
        let old = known.and_then(|known| {
            let bytes = read_at_most(&self.path(FILES, known), 2 * MAX_TABLE as u64);
            Table::parse(&bytes.ok()?).ok()
        });
        let mut changes = is_same.then(Changes::default);
        if let Some(old) = &old {
            // A table that parses is not damaged.
            changes = table.changes_since(old).ok();
            let _ = table.keep_digests(old);
        }
        if may_write {
            self.write(FILES, &path, &table.to_bytes())?;
        }
        Ok((name, changes))
    }

    fn write_report(&self, report: &Report, now: SystemTime) -> Result<(), StoreError> {
        if report.targets.is_empty() {
            return Ok(());
        }
        // Plain data: making JSON of it cannot fail.
        let mut bytes = serde_json::to_vec(report).unwrap_or_default();
        if bytes.len() as u64 > MAX_REPORT {
            let mut report = report.clone();
            report
                .targets
                .iter_mut()
                .for_each(|target| target.ran.truncate(20));
            bytes = serde_json::to_vec(&report).unwrap_or_default();
        }
        let time = format!("{:020}", since_1970(now).as_nanos());
        let name = random_name(time.as_ref()).map_err(failed("name a report in", &self.folder))?;
        let name = format!("{}.json", name.to_string_lossy().trim_start_matches('.'));
        self.write(REPORTS, &self.path(REPORTS, &name), &bytes)
    }

    fn read_report(&self, name: &str) -> Result<Report, StoreError> {
        let path = self.path(REPORTS, name);
        let bytes = read_at_most(&path, MAX_REPORT).map_err(failed("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|source| StoreError::Report { path, source })
    }

    fn path(&self, kind: Kind, name: &str) -> PathBuf {
        self.folder.join(kind.folder).join(name)
    }

    fn names(&self, kind: Kind) -> Result<Vec<String>, StoreError> {
        let folder = self.folder.join(kind.folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("read", &folder))?,
        };
        // More than is ever kept is not ours.
        let names = entries.take(10 * kind.most);
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        // Hidden ones are being written.
        Ok(names.filter(|name| !name.starts_with('.')).collect())
    }

    fn lock(&self) -> Result<File, StoreError> {
        for kind in [TARGETS, FILES, REPORTS] {
            let folder = self.folder.join(kind.folder);
            make_private_folders(&folder).map_err(failed("create", &folder))?;
        }
        let path = self.folder.join("lock");
        let mut open = OpenOptions::new();
        open.create(true).truncate(false).write(true);
        let file = with_permissions(&mut open, 0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        let until = Instant::now() + PATIENCE;
        match lock_until(&file, until).map_err(failed("lock", &path))? {
            true => Ok(file),
            false => Err(StoreError::Locked {
                path: self.folder.clone(),
            }),
        }
    }

    /// Replaces a file, and removes the oldest ones of its kind beyond what is kept.
    fn write(&self, kind: Kind, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let written = || -> io::Result<()> {
            let mut file = AtomicFile::create_with_mode(path, 0o600)?;
            file.write_all(bytes)?;
            // A record that a crash empties is a record that is missing.
            file.commit_unsynced()
        };
        written().map_err(failed("write", path))?;
        self.evict(kind)
    }

    fn evict(&self, kind: Kind) -> Result<(), StoreError> {
        let folder = self.folder.join(kind.folder);
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
            // The newest stays, whatever its size.
            if place > 0 && (place >= kind.most || bytes > kind.bytes) {
                // Another program may have removed it.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

fn read_record(path: &Path) -> Result<Option<Record>, StoreError> {
    match read_at_most(path, MAX_RECORD) {
        Ok(bytes) => Ok(Some(Record::parse(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Marks a file as used, so that it is not among the oldest.
fn touch(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).open(path)?;
    file.set_modified(SystemTime::now())
}

fn noted<T>(result: Result<T, StoreError>, note: &mut dyn FnMut(&StoreError)) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            note(&error);
            None
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File {
        action,
        path,
        source,
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

fn hex(key: &[u8]) -> String {
    let hash = Sha256::digest(key);
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
