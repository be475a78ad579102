//! The records of builds on disk: bounded, private to their owner, and never trusted.
//!
//! - `targets/HASH.json`: the last build of a target, a [`Record`].
//! - `files/NAME`: a [`Table`] of files, referenced by records.
//! - `reports/TIME-RANDOM.json`: an explanation, a [`Report`].
//!
//! A file that is damaged, missing or of another version is ignored.

mod error;
mod folder;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use solvekit_core::explain::{Changes, Explained, MAX_RECORD, MAX_TABLE, Record, Table, explain};

use super::{Built, Report, TargetReport};
use crate::files::{random_name, read_at_most};
pub use error::StoreError;
use error::failed;
use folder::{FILES, Folder, REPORTS, TARGETS, touch};

/// The size limit of a report, in bytes.
const MAX_REPORT: u64 = 1 << 20;
/// The most steps that are stored in full; the others are only counted.
const MAX_EXPLAINED: usize = 1000;

/// The records and reports in a folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: Folder,
}

/// The result of a target's comparison.
#[derive(Debug)]
struct Compared {
    was_there: bool,
    ran: Vec<Explained>,
}

impl Store {
    /// Uses a folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Folder {
                path: folder.into(),
            },
        }
    }

    /// Compares builds with the previous ones, and replaces those. `targets` are names, keys that
    /// distinguish a target from all others of the user, and the collected data. `note` receives
    /// errors of single files; the rest is still done. Blocking.
    pub fn keep(
        &self,
        targets: Vec<(String, String, Built)>,
        now: SystemTime,
        note: &mut dyn FnMut(&StoreError),
    ) -> Report {
        // Without the lock, records are read but not written.
        let lock = self.folder.lock();
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

    /// Returns the newest report, or the newest one with this build.
    ///
    /// # Errors
    /// If the folder or the newest report cannot be read. Damaged older reports are skipped.
    pub fn report(&self, build_ref: Option<&str>) -> Result<Option<Report>, StoreError> {
        let mut names = self.folder.names(REPORTS)?;
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

    /// Returns the last builds of all targets. Unreadable records are omitted. Blocking.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn builds(&self) -> Result<Vec<Record>, StoreError> {
        let mut names = self.folder.names(TARGETS)?;
        names.sort_unstable();
        names.truncate(TARGETS.most);
        let records = names
            .iter()
            .filter_map(|name| read_record(&self.folder.file(TARGETS, name)).ok().flatten());
        Ok(records.map(|(record, _)| record).collect())
    }

    fn compare(
        &self,
        key: &str,
        mut built: Built,
        may_write: bool,
        note: &mut dyn FnMut(&StoreError),
    ) -> Compared {
        let path = self
            .folder
            .file(TARGETS, &format!("{}.json", hex(key.as_bytes())));
        let (old, written) = noted(read_record(&path), note).flatten().unzip();
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
            let bytes = built.record.to_bytes().map_err(StoreError::from);
            let kept = bytes.and_then(|bytes| match written {
                Some(old) if old == bytes && touch(&path).is_ok() => Ok(()),
                _ => self.folder.write(TARGETS, &path, &bytes),
            });
            noted(kept, note);
        }
        Compared { was_there, ran }
    }

    /// Stores the files of a folder. Returns the name of the table, and the changes since the known
    /// one.
    fn compare_files(
        &self,
        known: Option<&String>,
        mut table: Arc<Table>,
        may_write: bool,
    ) -> Result<(String, Option<Changes>), StoreError> {
        let name = table.name();
        let path = self.folder.file(FILES, &name);
        let is_same = known == Some(&name);
        if is_same && table.digests() == 0 && touch(&path).is_ok() {
            return Ok((name, Some(Changes::default())));
        }
        let old = known.and_then(|known| {
            let bytes = read_at_most(&self.folder.file(FILES, known), 2 * MAX_TABLE as u64);
            Table::parse(&bytes.ok()?).ok()
        });
        let mut changes = is_same.then(Changes::default);
        if let Some(old) = &old {
            // A table that can be parsed is not damaged.
            changes = table.changes_since(old).ok();
            let _ = Arc::make_mut(&mut table).keep_digests(old);
        }
        if may_write {
            self.folder.write(FILES, &path, &table.to_bytes())?;
        }
        Ok((name, changes))
    }

    fn write_report(&self, report: &Report, now: SystemTime) -> Result<(), StoreError> {
        if report.targets.is_empty() {
            return Ok(());
        }
        // Plain data: it always serializes to JSON.
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
        let name =
            random_name(time.as_ref()).map_err(failed("name a report in", &self.folder.path))?;
        let name = format!("{}.json", name.to_string_lossy().trim_start_matches('.'));
        self.folder
            .write(REPORTS, &self.folder.file(REPORTS, &name), &bytes)
    }

    fn read_report(&self, name: &str) -> Result<Report, StoreError> {
        let path = self.folder.file(REPORTS, name);
        let bytes = read_at_most(&path, MAX_REPORT).map_err(failed("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|source| StoreError::Report { path, source })
    }
}

/// A record, and the bytes that it was read from.
fn read_record(path: &Path) -> Result<Option<(Record, Vec<u8>)>, StoreError> {
    match read_at_most(path, MAX_RECORD) {
        Ok(bytes) => Ok(Some((Record::parse(&bytes)?, bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
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
