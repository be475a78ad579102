//! Entries of a cache mount while they are copied: their kinds, and the allowed paths.

use std::path::PathBuf;

use bytes::Bytes;
use solvekit_host::{Owner, names};

/// The longest path in bytes: Linux's limit minus the path of the mount.
const PATH: usize = 4000;
/// The longest name, in bytes.
const NAME: usize = 255;
/// The most bytes of extended attributes of one entry.
pub(super) const XATTRS: usize = 256 << 10;
/// The size of a piece of content, in bytes.
pub(super) const PIECE: usize = 256 << 10;
/// The most items that wait between reader and writer.
pub(super) const QUEUE: usize = 16;

/// A part of the stream between a mount and the other side of the copy.
#[derive(Debug)]
pub(super) enum Item {
    Entry(Box<Entry>),
    /// Content of the last entry, a file. All of it precedes the next entry.
    Data(Bytes),
    /// A device or a socket, which is omitted.
    Skipped,
    /// The end. A stream without it is incomplete.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Relative, with single slashes; empty for the root of the mount.
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) meta: Meta,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File(u64),
    Symlink(Vec<u8>),
    /// Another name of the earlier file with this path.
    HardLink(Vec<u8>),
    Fifo,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Meta {
    /// The permission, set-id and sticky bits.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The modification time: seconds since 1970, and nanoseconds.
    pub(super) mtime: (i64, u32),
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Meta {
    pub(super) fn owner(&self) -> Owner {
        Owner {
            user: self.uid,
            group: self.gid,
        }
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let attributes = self.xattrs.iter();
        attributes.map(|(name, value)| (name.as_slice(), value.as_slice()))
    }
}

/// The number of copied entries and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl Counts {
    pub(super) fn add(&mut self, entry: &Entry) {
        if entry.path.is_empty() {
            return;
        }
        self.entries += 1;
        if let Kind::File(size) = entry.kind {
            self.bytes = self.bytes.saturating_add(size);
        }
    }
}

/// Normalises a path in a mount; `None` if it leads out of the mount or is too long. Leading
/// slashes, `.` and empty parts are removed.
pub(super) fn clean(path: &[u8]) -> Option<Vec<u8>> {
    let mut clean = Vec::with_capacity(path.len());
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => continue,
            b".." => return None,
            part if part.len() > NAME || part.contains(&0) => return None,
            part => {
                if !clean.is_empty() {
                    clean.push(b'/');
                }
                clean.extend_from_slice(part);
            }
        }
    }
    (clean.len() <= PATH).then_some(clean)
}

/// True if this is a valid name of one file in a folder.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.contains(&b'/') && clean(name).is_some_and(|clean| clean == name && !name.is_empty())
}

/// The parent of a path; empty for the root of the mount.
pub(super) fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    path.get(..end).unwrap_or_default()
}

/// The path of a name in a folder.
pub(super) fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match folder {
        [] => name.to_vec(),
        folder => [folder, name].join(&b'/'),
    }
}

/// The text of a path, for messages.
pub(super) fn text(path: &[u8]) -> String {
    match path {
        [] => ".".to_owned(),
        path => String::from_utf8_lossy(path).into_owned(),
    }
}

/// The path on this machine.
pub(super) fn local(path: &[u8]) -> PathBuf {
    names::path(path)
}

/// True for attributes that a container can set. System attributes, for example of an overlay, are
/// omitted.
pub(super) fn is_portable(xattr: &[u8]) -> bool {
    xattr.starts_with(b"user.") || xattr == b"security.capability"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let of = |path: &str| clean(path.as_bytes()).map(|path| text(&path));
        assert_eq!(of("./a//b/./c/").as_deref(), Some("a/b/c"));
        assert_eq!(of("/etc/passwd").as_deref(), Some("etc/passwd"));
        assert_eq!(of("./").as_deref(), Some("."));
        for bad in ["..", "a/../../b", "a/..", "nul\0", &"x".repeat(256)] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
        assert_eq!(of(&"x/".repeat(2500)), None);
        assert_eq!(parent(b"a/b/c"), b"a/b");
        assert_eq!(parent(b"a"), b"");
        assert!(is_name(b"a") && !is_name(b"a/b") && !is_name(b".") && !is_name(b""));
    }
}
