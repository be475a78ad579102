//! Reads a table, file by file.

use super::{FileStat, Table, TableError};
use crate::varint;

/// The longest path: Linux's limit, with room to spare.
const MAX_PATH: usize = 1 << 14;

/// A table being read.
pub(super) struct Files<'a> {
    rest: &'a [u8],
    digests: &'a [(u32, [u8; 16])],
    pub(super) path: Vec<u8>,
    pub(super) number: u32,
    next: u32,
    file: FileStat<'a>,
}

impl<'a> Files<'a> {
    pub(super) fn of(table: &'a Table) -> Self {
        Self {
            rest: &table.stats,
            digests: &table.digests,
            path: Vec::new(),
            number: 0,
            next: 0,
            file: FileStat::default(),
        }
    }

    /// Reads the next file; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool, TableError> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        self.number = self.next;
        self.next = self.next.checked_add(1).ok_or(TableError)?;
        self.read().ok_or(TableError)?;
        let passed = self.digests.partition_point(|(of, _)| *of < self.number);
        self.digests = &self.digests[passed..];
        Ok(true)
    }

    fn read(&mut self) -> Option<()> {
        let shared = usize::try_from(varint::take(&mut self.rest)?).ok()?;
        if shared > self.path.len() {
            return None;
        }
        let rest = varint::take_bytes(&mut self.rest)?;
        self.path.truncate(shared);
        self.path.extend_from_slice(rest);
        if self.path.len() > MAX_PATH {
            return None;
        }
        let mode = u32::try_from(varint::take(&mut self.rest)?).ok()?;
        let size = varint::take(&mut self.rest)?;
        let (time, after) = self.rest.split_first_chunk::<8>()?;
        self.rest = after;
        let time = i64::from_le_bytes(*time);
        let link = varint::take_bytes(&mut self.rest)?;
        let attributes = varint::take(&mut self.rest)?;
        self.file = FileStat {
            path: &[],
            mode,
            size,
            time,
            link,
            attributes,
        };
        Some(())
    }

    pub(super) fn stat(&self) -> FileStat<'_> {
        FileStat {
            path: &self.path,
            ..self.file
        }
    }

    pub(super) fn digest(&self) -> Option<[u8; 16]> {
        let (number, digest) = self.digests.first()?;
        (*number == self.number).then_some(*digest)
    }
}
