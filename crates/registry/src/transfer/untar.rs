//! Reads tar archives: finds the position of each file. Nothing is unpacked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::path::Path;

use tar::{Archive, EntryType};

use super::{ArchiveProblem, Error, error};

/// The maximum number of entries; no image has more.
const ENTRIES: usize = 100_000;
/// The first bytes of compressed files.
const COMPRESSED: [&[u8]; 4] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ"];

/// The position of a file's bytes in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// Returns the files of an archive by path; links are resolved. Blocking.
pub(super) fn files(path: &Path) -> Result<BTreeMap<String, Span>, Error> {
    let unreadable = error::file("read", path);
    let broken = |reason| Error::Archive {
        path: path.to_owned(),
        reason,
    };
    let damaged = |error: io::Error| broken(ArchiveProblem::Damaged(error));
    let open = || {
        let mut file = File::open(path)?;
        let mut start = Vec::new();
        file.by_ref().take(6).read_to_end(&mut start)?;
        file.rewind()?;
        let length = file.metadata()?.len();
        Ok((file, start, length))
    };
    let (file, start, length) = open().map_err(unreadable)?;
    if COMPRESSED.iter().any(|magic| start.starts_with(magic)) {
        return Err(broken(ArchiveProblem::Compressed));
    }
    let mut archive = Archive::new(BufReader::new(file));
    let mut files = BTreeMap::new();
    let mut links = Vec::new();
    for entry in archive.entries_with_seek().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name = clean(&text(&entry.path_bytes()));
        let link = entry.link_name_bytes().map(|link| text(&link));
        let link = link.unwrap_or_default();
        let span = Span {
            offset: entry.raw_file_position(),
            size: entry.size(),
        };
        match entry.header().entry_type() {
            EntryType::Regular if span.offset.saturating_add(span.size) > length => {
                return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
            }
            EntryType::Regular => drop(files.insert(name, span)),
            EntryType::Link => links.push((name, clean(&link))),
            EntryType::Symlink => {
                let target = match name.rsplit_once('/') {
                    Some((folder, _)) if !link.starts_with('/') => format!("{folder}/{link}"),
                    _ => link,
                };
                links.push((name, clean(&target)));
            }
            _ => {}
        }
        if files.len() + links.len() > ENTRIES {
            return Err(broken(ArchiveProblem::TooManyFiles));
        }
    }
    for (name, target) in links {
        // No tool writes links to links.
        if let Some(span) = files.get(&target).copied() {
            files.insert(name, span);
        }
    }
    Ok(files)
}

/// Removes `.`, `..` and redundant slashes.
fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
