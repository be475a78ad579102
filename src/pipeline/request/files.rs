//! A context whose files come from the embedding program, not from a local folder.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

/// Source of a context's files: memory, an object store, another archive.
pub trait FileSource: Send + Sync + fmt::Debug {
    /// Lists the files and folders, each folder before its content. The Dockerfile and the ignore
    /// file are among them.
    ///
    /// # Errors
    /// Any failure to list them; the build fails with it.
    fn entries(&self) -> io::Result<Vec<FileEntry>>;

    /// Opens a file of that list.
    ///
    /// # Errors
    /// Any failure to read it.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;
}

/// A file or folder of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileEntry {
    /// The path in the context, with `/` between its parts.
    pub path: String,
    /// File, folder or link.
    pub kind: EntryKind,
    /// The permission bits.
    pub mode: u32,
    /// The modification time, in seconds since 1970.
    pub modified: u64,
}

/// The kind of a [`FileEntry`], with the data of that kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// The size in bytes.
        size: u64,
    },
    /// A folder.
    Folder,
    /// A symbolic link.
    Link {
        /// The target of the link.
        target: String,
    },
}

impl FileEntry {
    /// A file with mode 0644.
    pub fn file(path: impl Into<String>, size: u64) -> Self {
        Self::new(path, EntryKind::File { size }, 0o644)
    }

    /// A folder with mode 0755.
    pub fn folder(path: impl Into<String>) -> Self {
        Self::new(path, EntryKind::Folder, 0o755)
    }

    /// A symbolic link.
    pub fn link(path: impl Into<String>, target: impl Into<String>) -> Self {
        let target = target.into();
        Self::new(path, EntryKind::Link { target }, 0o777)
    }

    fn new(path: impl Into<String>, kind: EntryKind, mode: u32) -> Self {
        Self {
            path: path.into(),
            kind,
            mode,
            modified: 0,
        }
    }

    /// The entry's header in a tar archive; a long name takes several blocks.
    fn header(&self) -> io::Result<Vec<u8>> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(self.mode);
        header.set_mtime(self.modified);
        header.set_uid(0);
        header.set_gid(0);
        let (kind, size) = match &self.kind {
            EntryKind::File { size } => (tar::EntryType::Regular, *size),
            EntryKind::Folder => (tar::EntryType::Directory, 0),
            EntryKind::Link { .. } => (tar::EntryType::Symlink, 0),
        };
        header.set_entry_type(kind);
        header.set_size(size);
        // The builder writes the blocks of long names; the content is written after them.
        let mut archive = tar::Builder::new(Vec::new());
        let nothing = io::empty();
        match &self.kind {
            EntryKind::Link { target } => archive.append_link(&mut header, &self.path, target)?,
            _ => archive.append_data(&mut header, &self.path, nothing)?,
        }
        Ok(std::mem::take(archive.get_mut()))
    }
}

/// The files as a tar archive, generated while it is read.
pub(super) struct Archive {
    source: Arc<dyn FileSource>,
    /// `None` until they are listed.
    entries: Option<std::vec::IntoIter<FileEntry>>,
    current: Box<dyn Read + Send>,
    is_ended: bool,
}

impl Archive {
    pub(super) fn new(source: Arc<dyn FileSource>) -> Self {
        Self {
            source,
            entries: None,
            current: Box::new(io::empty()),
            is_ended: false,
        }
    }

    /// The header and content of the next file; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Box<dyn Read + Send>>> {
        let entries = match &mut self.entries {
            Some(entries) => entries,
            None => self.entries.insert(self.source.entries()?.into_iter()),
        };
        let Some(entry) = entries.next() else {
            let last = (!self.is_ended).then(|| zeros(1024));
            self.is_ended = true;
            return Ok(last);
        };
        let header = Cursor::new(entry.header()?);
        let EntryKind::File { size } = entry.kind else {
            return Ok(Some(Box::new(header)));
        };
        let content = Exactly {
            reader: self.source.open(&entry.path)?,
            left: size,
            path: entry.path,
        };
        let padding = zeros((512 - size % 512) % 512);
        Ok(Some(Box::new(header.chain(content).chain(padding))))
    }
}

fn zeros(count: u64) -> Box<dyn Read + Send> {
    Box::new(io::repeat(0).take(count))
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.current.read(buffer)? {
                0 if !buffer.is_empty() => match self.next()? {
                    Some(next) => self.current = next,
                    None => return Ok(0),
                },
                read => return Ok(read),
            }
        }
    }
}

/// A reader that fails unless the file has exactly this size.
struct Exactly {
    reader: Box<dyn Read + Send>,
    left: u64,
    path: String,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if room == 0 {
            return Ok(0);
        }
        let read = self.reader.read(&mut buffer[..room])?;
        self.left -= read as u64;
        match read {
            0 => Err(io::Error::other(format!(
                "the file {} is {} bytes shorter than it was listed",
                self.path, self.left
            ))),
            read => Ok(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Two {
        listed: u64,
    }

    impl FileSource for Two {
        fn entries(&self) -> io::Result<Vec<FileEntry>> {
            Ok(vec![
                FileEntry::folder("d"),
                FileEntry::file(format!("d/{}", "n".repeat(200)), self.listed),
                FileEntry::link("l", "d"),
            ])
        }

        fn open(&self, _: &str) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Cursor::new(b"content".to_vec())))
        }
    }

    #[test]
    fn files_become_an_archive() {
        let mut archive = tar::Archive::new(Archive::new(Arc::new(Two { listed: 7 })));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((entry.path().unwrap().display().to_string().len(), text));
        }
        let expected = [(1, ""), (202, "content"), (1, "")];
        let expected = expected.map(|(length, text)| (length, text.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_that_is_shorter_than_listed_is_an_error() {
        let mut archive = Archive::new(Arc::new(Two { listed: 9 }));
        let error = archive
            .read_to_end(&mut Vec::new())
            .unwrap_err()
            .to_string();
        assert!(error.contains("2 bytes shorter"), "{error}");
    }
}
