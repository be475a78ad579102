//! How much of the directories was sent, and which files were the largest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many of the largest files are remembered.
const LARGEST: usize = 5;

/// Counts what a session sends of its [`Directories`](super::Directories). Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Sent(Arc<Mutex<Amount>>);

#[derive(Debug, Default)]
struct Amount {
    files: u64,
    bytes: u64,
    largest: BinaryHeap<Reverse<(u64, String, String)>>,
}

/// A file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentFile {
    /// The name of its directory in the session: `context`, or that of a named context.
    pub directory: String,
    /// Its path in the directory.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Sent {
    /// How many files the daemon asked for and got.
    pub fn files(&self) -> u64 {
        self.with(|amount| amount.files)
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.with(|amount| amount.bytes)
    }

    /// The five largest of them, the largest first.
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
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
