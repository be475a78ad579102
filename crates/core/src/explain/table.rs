//! A compact table of the files in a folder: the metadata that the daemon got of each file, and
//! digests of the contents that were read.

mod reader;

use std::cmp::Ordering;

use sha2::{Digest as _, Sha256};

use super::reason::{FileChange, How};
use crate::varint;
use reader::Files;

/// The largest table in bytes: about 400,000 files. A larger one is not kept.
pub const MAX_TABLE: usize = 16 << 20;
/// The most changes that a comparison lists.
pub const MAX_CHANGES: usize = 10_000;

const MAGIC: &[u8] = b"solvekit files 1\n";

/// The type bits of Go's file modes; a regular file has none of them.
const TYPE: u32 = 0x8f28_0000;
const DIRECTORY: u32 = 1 << 31;

/// The metadata of a file, as the daemon gets it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileStat<'a> {
    /// The path in the folder.
    pub path: &'a [u8],
    /// Type and permissions, in the bits of Go's `os.FileMode`.
    pub mode: u32,
    /// The size in bytes.
    pub size: u64,
    /// The modification time, in nanoseconds since 1970.
    pub time: i64,
    /// The target of a link.
    pub link: &'a [u8],
    /// A digest of its extended attributes; 0 if it has none.
    pub attributes: u64,
}

/// Files in the order of a walk: by components, each folder before its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    stats: Vec<u8>,
    /// The first half of the SHA-256 of contents, by the file's number in the table.
    digests: Vec<(u32, [u8; 16])>,
}

/// A table cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the table of files is damaged")]
pub struct TableError;

/// Writes a table, file by file.
#[derive(Debug, Default)]
pub struct TableWriter {
    table: Table,
    last: Vec<u8>,
    is_full: bool,
}

impl TableWriter {
    /// Adds the next file of the walk.
    pub fn push(&mut self, file: &FileStat<'_>) {
        if self.table.stats.len() + file.path.len() + file.link.len() + 64 > MAX_TABLE {
            self.is_full = true;
        }
        if self.is_full {
            return;
        }
        let shared = self.last.iter().zip(file.path);
        let shared = shared.take_while(|(a, b)| a == b).count();
        // The time and size of a folder do not affect what the daemon keeps of it.
        let is_folder = file.mode & DIRECTORY != 0;
        let stats = &mut self.table.stats;
        varint::put(stats, shared as u64);
        varint::put(stats, (file.path.len() - shared) as u64);
        stats.extend_from_slice(&file.path[shared..]);
        varint::put(stats, u64::from(file.mode));
        varint::put(stats, if is_folder { 0 } else { file.size });
        let time = if is_folder { 0 } else { file.time };
        stats.extend_from_slice(&time.to_le_bytes());
        varint::put(stats, file.link.len() as u64);
        stats.extend_from_slice(file.link);
        varint::put(stats, file.attributes);
        self.last.truncate(shared);
        self.last.extend_from_slice(&file.path[shared..]);
    }

    /// Ends the table with digests of contents, by the numbers of the files. `None` if there were
    /// too many files.
    pub fn finish(mut self, mut digests: Vec<(u32, [u8; 16])>) -> Option<Table> {
        digests.sort_unstable();
        digests.dedup_by_key(|(number, _)| *number);
        self.table.digests = digests;
        (!self.is_full).then_some(self.table)
    }
}

/// The differences between two tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The first [`MAX_CHANGES`], by path.
    pub files: Vec<FileChange>,
    /// True if there are more.
    pub has_more: bool,
}

impl Changes {
    fn add(&mut self, path: &[u8], how: How) {
        match self.files.len() < MAX_CHANGES {
            true => self.files.push(FileChange {
                path: String::from_utf8_lossy(path).into_owned(),
                how,
            }),
            false => self.has_more = true,
        }
    }
}

impl Table {
    /// Returns a name for the list of files and their metadata; digests of contents are not part of
    /// it.
    pub fn name(&self) -> String {
        let hash = Sha256::digest(&self.stats);
        hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Returns how many contents have a digest.
    pub fn digests(&self) -> usize {
        self.digests.len()
    }

    /// Returns the changes since `old`. If only the time of a file differs, the digests of its
    /// content are compared, if both are known.
    ///
    /// # Errors
    /// If one of the tables is damaged.
    pub fn changes_since(&self, old: &Self) -> Result<Changes, TableError> {
        let mut changes = Changes::default();
        Self::compare(old, self, &mut |old, new| match (old, new) {
            (Some(old), None) => changes.add(old.stat().path, How::Removed),
            (None, Some(new)) => changes.add(new.stat().path, How::Added),
            (Some(old), Some(new)) => {
                if let Some(how) = change(old, new) {
                    changes.add(new.stat().path, how);
                }
            }
            (None, None) => {}
        })?;
        Ok(changes)
    }

    /// Copies digests from `old` for files with the same path, size and time.
    ///
    /// # Errors
    /// If one of the tables is damaged.
    pub fn keep_digests(&mut self, old: &Self) -> Result<(), TableError> {
        let mut kept = Vec::new();
        Self::compare(old, self, &mut |old, new| {
            if let (Some(old), Some(new)) = (old, new)
                && new.digest().is_none()
                && let Some(digest) = old.digest()
                && same_content(&old.stat(), &new.stat())
            {
                kept.push((new.number, digest));
            }
        })?;
        self.digests.append(&mut kept);
        self.digests.sort_unstable();
        Ok(())
    }

    /// Returns the files of both tables. Where they differ, `self` wins. `None` if the result is
    /// too large.
    ///
    /// # Errors
    /// If one of the tables is damaged.
    pub fn united(&self, other: &Self) -> Result<Option<Self>, TableError> {
        let (mut writer, mut digests) = (TableWriter::default(), Vec::new());
        let mut number = 0;
        Self::compare(other, self, &mut |other, own| {
            let Some(file) = own.or(other) else { return };
            digests.extend(file.digest().map(|digest| (number, digest)));
            writer.push(&file.stat());
            number += 1;
        })?;
        Ok(writer.finish(digests))
    }

    /// Serializes the table.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = MAGIC.len() + self.stats.len() + 20 * self.digests.len() + 16;
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(MAGIC);
        varint::put(&mut bytes, self.stats.len() as u64);
        bytes.extend_from_slice(&self.stats);
        let mut last = 0;
        for (number, digest) in &self.digests {
            varint::put(&mut bytes, u64::from(number.wrapping_sub(last)));
            bytes.extend_from_slice(digest);
            last = *number;
        }
        bytes
    }

    /// Parses a serialized table.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, TableError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(TableError)?;
        let stats = varint::take_bytes(&mut rest).ok_or(TableError)?.to_vec();
        let (mut digests, mut last) = (Vec::new(), 0u32);
        while !rest.is_empty() {
            let step = varint::take(&mut rest).and_then(|step| u32::try_from(step).ok());
            let number = step.and_then(|step| last.checked_add(step));
            let (digest, after) = rest.split_first_chunk::<16>().ok_or(TableError)?;
            last = number.ok_or(TableError)?;
            digests.push((last, *digest));
            rest = after;
        }
        let table = Self { stats, digests };
        let mut files = Files::of(&table);
        while files.advance()? {}
        Ok(table)
    }

    /// Walks two tables side by side.
    fn compare(
        old: &Self,
        new: &Self,
        visit: &mut dyn FnMut(Option<&Files<'_>>, Option<&Files<'_>>),
    ) -> Result<(), TableError> {
        let (mut old, mut new) = (Files::of(old), Files::of(new));
        let (mut has_old, mut has_new) = (old.advance()?, new.advance()?);
        while has_old || has_new {
            let order = match (has_old, has_new) {
                (true, false) => Ordering::Less,
                (false, _) => Ordering::Greater,
                (true, true) => in_walk(&old.path, &new.path),
            };
            let (from_old, from_new) = (order.is_le(), order.is_ge());
            visit(from_old.then_some(&old), from_new.then_some(&new));
            if from_old {
                has_old = old.advance()?;
            }
            if from_new {
                has_new = new.advance()?;
            }
        }
        Ok(())
    }
}

/// The order of a walk: a folder's content comes directly after the folder.
fn in_walk(a: &[u8], b: &[u8]) -> Ordering {
    let key = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    a.iter().map(key).cmp(b.iter().map(key))
}

fn same_content(old: &FileStat<'_>, new: &FileStat<'_>) -> bool {
    (old.mode & TYPE, old.size, old.time) == (new.mode & TYPE, new.size, new.time)
}

/// Returns the kind of change of a file, if the daemon sees one.
fn change(old: &Files<'_>, new: &Files<'_>) -> Option<How> {
    let (was, is) = (old.stat(), new.stat());
    if (was.mode ^ is.mode) & TYPE != 0 {
        return Some(How::Type);
    }
    if was.link != is.link {
        return Some(How::Link);
    }
    // Links and folders have no content.
    if is.mode & TYPE == 0 && is.link.is_empty() {
        if was.size != is.size {
            return Some(How::Content);
        }
        match (old.digest(), new.digest()) {
            (Some(was), Some(is)) if was != is => return Some(How::Content),
            (Some(_), Some(_)) => {}
            _ if was.time != is.time => return Some(How::Time),
            _ => {}
        }
    }
    if was.mode != is.mode {
        return Some(How::Mode);
    }
    (was.attributes != is.attributes).then_some(How::Attributes)
}

#[cfg(test)]
mod tests;
