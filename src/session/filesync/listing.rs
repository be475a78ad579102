//! The sorted names of a directory, stored compactly: a directory can have a million files.

use std::io;

use solvekit_host::Kind;

use crate::files::Beneath;

/// The remaining names, sorted by their bytes.
#[derive(Debug)]
pub(super) struct Listing {
    /// All names, concatenated.
    names: Vec<u8>,
    entries: std::vec::IntoIter<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    length: u16,
    kind: Kind,
}

impl Listing {
    /// Reads the names of an open directory.
    pub(super) fn read(directory: &Beneath) -> io::Result<Self> {
        let mut names = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        directory.each(&mut |name, kind| {
            let length = u16::try_from(name.len()).map_err(|_| io::ErrorKind::InvalidFilename)?;
            entries.push(Entry {
                start: names.len(),
                length,
                kind,
            });
            names.extend_from_slice(name);
            Ok(())
        })?;
        entries.sort_unstable_by(|a, b| a.name(&names).cmp(b.name(&names)));
        Ok(Self {
            names,
            entries: entries.into_iter(),
        })
    }

    /// Returns the next name, with its type according to the directory.
    pub(super) fn next(&mut self) -> Option<(&[u8], Kind)> {
        let entry = self.entries.next()?;
        Some((entry.name(&self.names), entry.kind))
    }
}

impl Entry {
    fn name<'a>(&self, names: &'a [u8]) -> &'a [u8] {
        &names[self.start..self.start + usize::from(self.length)]
    }
}
