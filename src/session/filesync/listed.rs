//! Records the files that a transfer listed and digests of the contents that it sent, for a
//! comparison with a later build.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::explain::{FileStat, Table, TableWriter};
use crate::proto::fsutil::types::Stat;

/// Contents of larger files are not hashed, to save time.
const MAX_HASHED: u64 = 16 << 20;

/// The tables of all folders, by path. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables(Arc<Mutex<BTreeMap<PathBuf, Arc<Table>>>>);

/// The table of one transfer.
#[derive(Debug)]
pub(super) struct Listed {
    folder: PathBuf,
    tables: Tables,
    writer: Mutex<TableWriter>,
    digests: Mutex<Vec<(u32, [u8; 16])>>,
}

impl Tables {
    pub(super) fn all(&self) -> BTreeMap<PathBuf, Arc<Table>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn begin(&self, folder: &Path) -> Listed {
        Listed {
            folder: folder.to_owned(),
            tables: self.clone(),
            writer: Mutex::default(),
            digests: Mutex::default(),
        }
    }

    /// Adds the table of a transfer. Other graphs may have requested other files of the folder.
    fn add(&self, folder: &Path, table: Table) {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let united = match tables.get(folder) {
            // Our own tables are never damaged.
            Some(known) => table.united(known).ok().flatten(),
            None => Some(table),
        };
        if let Some(table) = united {
            tables.insert(folder.to_owned(), Arc::new(table));
        }
    }
}

impl Listed {
    /// Adds the next file of the walk.
    pub(super) fn push(&self, stat: &Stat) {
        let attributes = match stat.xattrs.is_empty() {
            true => 0,
            false => {
                let mut hasher = DefaultHasher::new();
                stat.xattrs.hash(&mut hasher);
                hasher.finish().max(1)
            }
        };
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.push(&FileStat {
            path: &stat.path,
            mode: stat.mode,
            size: u64::try_from(stat.size).unwrap_or_default(),
            time: stat.mod_time,
            link: &stat.linkname,
            attributes,
        });
    }

    /// Begins the digest of a file's content, unless it is too large.
    pub(super) fn hasher(&self, size: u64) -> Option<Sha256> {
        (size <= MAX_HASHED).then(Sha256::new)
    }

    /// Records the digest of a content under the number of its file in the walk.
    pub(super) fn note(&self, number: u32, hasher: Sha256) {
        let hash = hasher.finalize();
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash[..16]);
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.push((number, digest));
    }

    /// Keeps the table, after the end of the transfer.
    pub(super) fn keep(&self) {
        let writer =
            std::mem::take(&mut *self.writer.lock().unwrap_or_else(PoisonError::into_inner));
        let digests =
            std::mem::take(&mut *self.digests.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(table) = writer.finish(digests) {
            self.tables.add(&self.folder, table);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(path: &str) -> Stat {
        Stat {
            path: path.into(),
            mode: 0o644,
            size: 1,
            ..Stat::default()
        }
    }

    #[test]
    fn transfers_of_one_folder_make_one_table() {
        let tables = Tables::default();
        let folder = Path::new("/context");
        for path in ["a", "b"] {
            let listed = tables.begin(folder);
            listed.push(&stat(path));
            let mut hasher = listed.hasher(1).unwrap();
            hasher.update(path);
            listed.note(0, hasher);
            listed.keep();
        }
        // An interrupted transfer is not kept.
        tables.begin(folder).push(&stat("c"));
        let all = tables.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[folder].digests(), 2);
        assert!(tables.begin(folder).hasher(1 << 30).is_none());
    }
}
