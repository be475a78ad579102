//! Counts the sent files and bytes, and keeps the largest files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::listed::{Listed, Tables};
use crate::explain::Table;

/// The number of largest files that are kept.
const LARGEST: usize = 5;

/// Counts the files and bytes that a session sends of its [`Directories`](super::Directories).
/// Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    amount: Arc<Mutex<Amount>>,
    /// The files of each folder, if they are to be kept.
    tables: Option<Tables>,
}

#[derive(Debug, Default)]
struct Amount {
    files: u64,
    bytes: u64,
    largest: BinaryHeap<Reverse<(u64, String, String)>>,
    not_utf8: Option<UnusualName>,
}

/// A sent file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentFile {
    /// The name of its directory in the session: `context`, or a named context.
    pub directory: String,
    /// Its path in the directory.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A file whose name or link target is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnusualName {
    /// The name of its directory in the session: `context`, or a named context.
    pub directory: String,
    /// Its path in the directory, with bytes that are not UTF-8 as `\xNN`.
    pub path: String,
}

impl Sent {
    /// Also keeps the list of each folder's files, and digests of the contents that were sent.
    pub fn keeping_tables() -> Self {
        Self {
            tables: Some(Tables::default()),
            ..Self::default()
        }
    }

    /// Returns the files of each folder that was listed to its end, by the folder's path. Empty
    /// unless they are kept.
    pub fn tables(&self) -> BTreeMap<PathBuf, Arc<Table>> {
        self.tables.as_ref().map(Tables::all).unwrap_or_default()
    }

    /// Begins the table of a transfer, if tables are kept.
    pub(super) fn list(&self, folder: &Path) -> Option<Arc<Listed>> {
        let tables = self.tables.as_ref()?;
        Some(Arc::new(tables.begin(folder)))
    }

    /// Returns the number of files that were sent.
    pub fn files(&self) -> u64 {
        self.with(|amount| amount.files)
    }

    /// Returns their total size in bytes.
    pub fn bytes(&self) -> u64 {
        self.with(|amount| amount.bytes)
    }

    /// Returns the five largest files, largest first.
    pub fn largest(&self) -> Vec<SentFile> {
        let mut largest: Vec<_> = self.with(|amount| amount.largest.iter().cloned().collect());
        largest.sort_unstable();
        let file = |Reverse((bytes, directory, path))| SentFile {
            directory,
            path,
            bytes,
        };
        largest.into_iter().map(file).collect()
    }

    /// Returns the first listed file whose name or link target is not UTF-8.
    pub fn name_that_is_not_utf8(&self) -> Option<UnusualName> {
        self.with(|amount| amount.not_utf8.clone())
    }

    /// Records a path that is not UTF-8, or whose link target is not.
    pub(super) fn note_name(&self, directory: &str, path: &[u8]) {
        self.with(|amount| {
            amount.not_utf8.get_or_insert_with(|| UnusualName {
                directory: directory.to_owned(),
                path: escaped(path),
            });
        });
    }

    pub(super) fn add(&self, directory: &str, path: &str, bytes: u64) {
        self.with(|amount| {
            amount.files += 1;
            amount.bytes = amount.bytes.saturating_add(bytes);
            let small = amount.largest.peek().map_or(0, |Reverse(file)| file.0);
            if amount.largest.len() < LARGEST || bytes > small {
                let file = (bytes, directory.to_owned(), path.to_owned());
                amount.largest.push(Reverse(file));
                if amount.largest.len() > LARGEST {
                    amount.largest.pop();
                }
            }
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut Amount) -> T) -> T {
        look(&mut self.amount.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Escapes a path as text, so that no byte is lost.
fn escaped(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len() + 8);
    for chunk in path.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_unusual_name_is_remembered_with_its_bytes() {
        let sent = Sent::default();
        assert_eq!(sent.name_that_is_not_utf8(), None);
        sent.note_name("context", b"sub/gr\xf6\xdfe \xc3\xa4");
        sent.clone().note_name("other", b"later\xff");
        let name = sent.name_that_is_not_utf8().unwrap();
        assert_eq!(name.directory, "context");
        assert_eq!(name.path, "sub/gr\\xf6\\xdfe \u{e4}");
    }

    #[test]
    fn the_five_largest_files_are_remembered() {
        let sent = Sent::default();
        for bytes in [3, 9, 1, 7, 5, 8, 2] {
            sent.clone().add("context", &format!("f{bytes}"), bytes);
        }
        assert_eq!((sent.files(), sent.bytes()), (7, 35));
        let largest: Vec<_> = sent.largest().into_iter().map(|file| file.path).collect();
        assert_eq!(largest, ["f9", "f8", "f7", "f5", "f3"]);
    }
}
