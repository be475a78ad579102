//! A compact table of files by number: a million of them take about ten megabytes.

use solvekit_core::varint::{put, take};

/// The number of entries per block. Within a block, a path is stored as its difference from the
/// previous one.
const BLOCK: usize = 32;

/// Numbers with their path and some values, added in ascending order.
///
/// An entry is a list of varints, then the rest of the path. The varints are: the distance from the
/// previous number, the values, the length of the shared prefix, the length of the rest. The first
/// entry of a block does not depend on others.
#[derive(Debug, Default)]
pub(in crate::session) struct PathTable<const N: usize> {
    bytes: Vec<u8>,
    /// The first number of each block, and where it starts.
    blocks: Vec<(u32, usize)>,
    length: usize,
    last_id: u32,
    last_path: Vec<u8>,
}

impl<const N: usize> PathTable<N> {
    /// Adds an entry. Its number must be larger than all previous ones.
    pub(in crate::session) fn insert(&mut self, id: u32, path: &[u8], values: [u64; N]) {
        if self.length.is_multiple_of(BLOCK) {
            self.blocks.push((id, self.bytes.len()));
            self.last_id = id;
            self.last_path.clear();
        }
        let shared = self
            .last_path
            .iter()
            .zip(path)
            .take_while(|(a, b)| a == b)
            .count();
        put(&mut self.bytes, u64::from(id - self.last_id));
        for value in values {
            put(&mut self.bytes, value);
        }
        put(&mut self.bytes, shared as u64);
        put(&mut self.bytes, (path.len() - shared) as u64);
        self.bytes.extend_from_slice(&path[shared..]);
        self.last_id = id;
        self.last_path.truncate(shared);
        self.last_path.extend_from_slice(&path[shared..]);
        self.length += 1;
    }

    /// Returns the number of entries.
    pub(in crate::session) fn len(&self) -> usize {
        self.length
    }

    /// Returns the memory that the entries take, in bytes.
    pub(in crate::session) fn size(&self) -> usize {
        self.bytes.len() + self.blocks.len() * size_of::<(u32, usize)>()
    }

    /// Returns the path and values of a number.
    pub(in crate::session) fn get(&self, id: u32) -> Option<(Vec<u8>, [u64; N])> {
        let block = self
            .blocks
            .partition_point(|&(first, _)| first <= id)
            .checked_sub(1)?;
        let (mut current, start) = self.blocks[block];
        let end = self
            .blocks
            .get(block + 1)
            .map_or(self.bytes.len(), |&(_, next)| next);
        let mut bytes = &self.bytes[start..end];
        let mut path = Vec::new();
        while !bytes.is_empty() {
            current += u32::try_from(take(&mut bytes)?).ok()?;
            let mut values = [0; N];
            for value in &mut values {
                *value = take(&mut bytes)?;
            }
            let shared = usize::try_from(take(&mut bytes)?).ok()?;
            let length = usize::try_from(take(&mut bytes)?).ok()?;
            let (rest, after) = bytes.split_at_checked(length)?;
            path.truncate(shared);
            path.extend_from_slice(rest);
            if current == id {
                return Some((path, values));
            }
            bytes = after;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_again_and_no_other() {
        let mut table = PathTable::default();
        let entry = |n: u32| {
            (
                n * 3 + 1,
                // Latin-1, which is not UTF-8.
                [
                    format!("dir{}/sub/gr", n / 40).as_bytes(),
                    b"\xf6\xdfe",
                    n.to_string().as_bytes(),
                ]
                .concat(),
                [u64::from(n) << 20, 7],
            )
        };
        for n in 0..1000 {
            let (id, path, values) = entry(n);
            table.insert(id, &path, values);
        }
        for n in 0..1000 {
            let (id, path, values) = entry(n);
            assert_eq!(table.get(id), Some((path, values)));
            assert_eq!(table.get(id + 1), None);
        }
        assert_eq!(table.get(0), None);
        assert_eq!(table.get(u32::MAX), None);
        assert_eq!(PathTable::<0>::default().get(0), None);
    }

    #[test]
    fn a_million_files_take_some_ten_megabytes() {
        let mut table = PathTable::default();
        for n in 0..1_000_000 {
            table.insert(
                n,
                format!(
                    "node_modules/package-{:04}/lib/file-{:03}.js",
                    n / 100,
                    n % 100
                )
                .as_bytes(),
                [4096],
            );
        }
        let size = table.size();
        assert!(size < 12 << 20, "{size}");
    }
}
