//! Creates the entries of a new folder, with their metadata.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use solvekit_host::{Special, owner};
use tokio::sync::mpsc;

use super::{SECOND, directory, failed, last};
use crate::cache_mount::entry::{self, Entry, Item, Kind, Meta, clean, local, parent};
use crate::cache_mount::{ArchiveProblem, Error};
use crate::files::Beneath;

struct Filling {
    root: Beneath,
    /// The folders that were created. Nothing is created in other folders.
    folders: HashSet<Vec<u8>>,
    finished: Vec<(Vec<u8>, Meta)>,
    keeps_owners: bool,
    /// The path of the last entry's parent, and the open folder.
    opened: Option<(Vec<u8>, Beneath)>,
}

/// Fills a new folder. Returns the metadata of its root, and true if owners are kept.
pub(super) fn fill(
    path: &Path,
    items: &mut mpsc::Receiver<Item>,
) -> Result<(Option<Meta>, bool), Error> {
    let mut filling = Filling {
        root: Beneath::open(path).map_err(failed("open", path))?,
        folders: HashSet::from([Vec::new()]),
        finished: Vec::new(),
        keeps_owners: owner::is_root(),
        opened: None,
    };
    let mut root = None;
    let mut file: Option<(File, Entry)> = None;
    loop {
        let item = items.blocking_recv().ok_or(Error::BrokenOff)?;
        if !matches!(item, Item::Data(_))
            && let Some((file, entry)) = file.take()
        {
            let set = set_meta(&file, &entry.meta, filling.keeps_owners);
            set.map_err(failed("write", &path.join(local(&entry.path))))?;
        }
        match item {
            Item::End => break,
            Item::Skipped => {}
            Item::Data(data) => {
                if let Some((file, entry)) = &mut file {
                    let written = file.write_all(&data);
                    written.map_err(failed("write", &path.join(local(&entry.path))))?;
                }
            }
            Item::Entry(entry) => {
                let invalid = |problem| Error::Archive {
                    path: entry::text(&entry.path),
                    problem,
                };
                if clean(&entry.path).as_ref() != Some(&entry.path) {
                    return Err(invalid(ArchiveProblem::Path));
                }
                if entry.path.is_empty() {
                    root = Some(entry.meta);
                    continue;
                }
                if !filling.folders.contains(parent(&entry.path)) {
                    return Err(invalid(ArchiveProblem::Parent));
                }
                let created = filling.create(&entry);
                let created = created.map_err(failed("create", &path.join(local(&entry.path))))?;
                file = created.map(|file| (file, *entry));
            }
        }
    }
    filling.finish().map_err(failed("write", path))?;
    Ok((root, filling.keeps_owners))
}

impl Filling {
    /// Creates an entry. Returns the open file of a regular file.
    fn create(&mut self, entry: &Entry) -> io::Result<Option<File>> {
        let name = last(&entry.path);
        let keeps_owners = self.keeps_owners;
        let folder = self.folder(parent(&entry.path))?;
        match &entry.kind {
            Kind::Directory => {
                folder.make_folder(name)?;
                self.folders.insert(entry.path.clone());
                self.finished.push((entry.path.clone(), entry.meta.clone()));
            }
            Kind::File(_) => return folder.make_file(name, 0o600).map(Some),
            Kind::Symlink(target) => {
                folder.make_link(name, target)?;
                if keeps_owners {
                    folder.give(name, entry.meta.owner())?;
                }
                folder.set_time(name, time(&entry.meta))?;
            }
            Kind::HardLink(first) => {
                let first = clean(first).filter(|first| !first.is_empty());
                let first = first.ok_or(io::ErrorKind::InvalidInput)?;
                let from = directory(&self.root, parent(&first))?;
                let folder = self.folder(parent(&entry.path))?;
                folder.make_hard_link(name, &from, last(&first))?;
            }
            Kind::Fifo => make_pipe(folder, name, &entry.meta, keeps_owners)?,
        }
        Ok(None)
    }

    fn folder(&mut self, path: &[u8]) -> io::Result<&Beneath> {
        let is_open = self.opened.as_ref().is_some_and(|(open, _)| open == path);
        if !is_open {
            self.opened = Some((path.to_vec(), directory(&self.root, path)?));
        }
        match &self.opened {
            Some((_, folder)) => Ok(folder),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Sets the metadata of folders, the inner ones first.
    fn finish(&mut self) -> io::Result<()> {
        for (path, meta) in self.finished.drain(..).rev() {
            set_folder_meta(&directory(&self.root, &path)?, &meta, self.keeps_owners)?;
        }
        Ok(())
    }
}

/// Creates a pipe, on systems that have such files.
fn make_pipe(folder: &Beneath, name: &[u8], meta: &Meta, keeps_owners: bool) -> io::Result<()> {
    let special = Special {
        kind: solvekit_host::Kind::Pipe,
        permissions: meta.mode & 0o777,
        major: 0,
        minor: 0,
    };
    match folder.make_special(name, &special) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
        made => made?,
    }
    if keeps_owners {
        folder.give(name, meta.owner())?;
    }
    folder.set_time(name, time(meta))
}

/// The modification time in nanoseconds since 1970, limited to the range of `i64`.
fn time(meta: &Meta) -> i64 {
    let (seconds, nanoseconds) = meta.mtime;
    seconds
        .saturating_mul(SECOND)
        .saturating_add(nanoseconds.into())
}

/// Sets owner, permissions, attributes and time. Attributes that the file system rejects are
/// omitted.
fn set_meta(file: &File, meta: &Meta, keeps_owners: bool) -> io::Result<()> {
    if keeps_owners {
        Beneath::give_file(file, meta.owner())?;
    }
    Beneath::complete_file(file, meta.mode, time(meta), meta.attributes())
}

/// Sets the metadata of an open folder, as [`set_meta`].
pub(super) fn set_folder_meta(folder: &Beneath, meta: &Meta, keeps_owners: bool) -> io::Result<()> {
    if keeps_owners {
        folder.give(b".", meta.owner())?;
    }
    folder.complete_folder(b".", meta.mode, time(meta), meta.attributes())
}
