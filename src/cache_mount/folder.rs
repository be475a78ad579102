//! Local folders: written from a cache mount, and read into one.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use solvekit_host::{Owner, Special, Status, owner};
use tokio::sync::mpsc;

use super::entry::{Entry, Item, Kind, Meta, PIECE, clean, is_portable, local, parent};
use super::{ArchiveProblem, Error};
use crate::files::{Beneath, Links, random_name};

const SECOND: i64 = 1_000_000_000;

/// Fails if a folder that must be empty is not.
pub(super) fn check_empty(path: &Path) -> Result<(), Error> {
    match std::fs::read_dir(path) {
        Ok(entries) => match entries.take(1).count() {
            0 => Ok(()),
            _ => Err(Error::NotEmpty {
                path: path.to_owned(),
            }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(failed("read", path)(source)),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Local {
        action,
        path,
        source,
    }
}

/// Replaces the content of a folder by the received items. Returns false if owners were lost,
/// because only root can set them.
///
/// Everything is written to a subfolder first, and moved up at the end.
pub(super) fn write(path: &Path, items: &mut mpsc::Receiver<Item>) -> Result<bool, Error> {
    let is_new = !path.exists();
    std::fs::create_dir_all(path).map_err(failed("create", path))?;
    let staging = random_name("solvekit-export".as_ref()).map_err(failed("write", path))?;
    let staging = path.join(staging);
    let filled = std::fs::create_dir(&staging).map_err(failed("create", &staging));
    let filled = filled.and_then(|()| fill(&staging, items));
    let done = filled.and_then(|(root, keeps_owners)| {
        move_up(&staging, path).map_err(failed("write", path))?;
        if let Some(root) = root {
            let opened = Beneath::open(path).map_err(failed("open", path))?;
            set_folder_meta(&opened, &root, keeps_owners).map_err(failed("write", path))?;
        }
        Ok(keeps_owners)
    });
    if done.is_err() {
        let _ = std::fs::remove_dir_all(&staging);
        if is_new {
            let _ = std::fs::remove_dir(path);
        }
    }
    done
}

/// Moves the content of the subfolder one level up, and removes everything else.
fn move_up(staging: &Path, path: &Path) -> io::Result<()> {
    for other in std::fs::read_dir(path)? {
        let other = other?;
        if other.path() == staging {
            continue;
        }
        match other.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(other.path())?,
            false => std::fs::remove_file(other.path())?,
        }
    }
    for entry in std::fs::read_dir(staging)? {
        let entry = entry?;
        std::fs::rename(entry.path(), path.join(entry.file_name()))?;
    }
    std::fs::remove_dir(staging)
}

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
fn fill(path: &Path, items: &mut mpsc::Receiver<Item>) -> Result<(Option<Meta>, bool), Error> {
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
                    path: super::entry::text(&entry.path),
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

fn directory(root: &Beneath, path: &[u8]) -> io::Result<Beneath> {
    root.inner(if path.is_empty() { b"." } else { path })
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

/// The last part of a path.
fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
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
fn set_folder_meta(folder: &Beneath, meta: &Meta, keeps_owners: bool) -> io::Result<()> {
    if keeps_owners {
        folder.give(b".", meta.owner())?;
    }
    folder.complete_folder(b".", meta.mode, time(meta), meta.attributes())
}

/// Sends the content of a folder. If the user is not root, the user's own files are sent as root's:
/// such a folder cannot keep owners.
pub(super) fn read(path: &Path, items: &mpsc::Sender<Item>) -> Result<(), Error> {
    let root = Beneath::open(path).map_err(failed("open", path))?;
    let mut reading = Reading {
        items,
        links: HashMap::new(),
        path,
    };
    reading.entry(&root, Vec::new())?;
    let mut folders = vec![Vec::new()];
    while let Some(folder) = folders.pop() {
        let names = reading.names(&root, &folder)?;
        let mut found = Vec::new();
        for name in names {
            let path = super::entry::below(&folder, &name);
            if reading.entry(&root, path.clone())? {
                found.push(path);
            }
        }
        found.reverse();
        folders.extend(found);
    }
    reading.send(Item::End)
}

struct Reading<'a> {
    items: &'a mpsc::Sender<Item>,
    links: HashMap<(u64, u64), Vec<u8>>,
    path: &'a Path,
}

impl Reading<'_> {
    fn send(&self, item: Item) -> Result<(), Error> {
        let sent = self.items.blocking_send(item);
        sent.map_err(|_| Error::BrokenOff)
    }

    fn full(&self, path: &[u8]) -> PathBuf {
        self.path.join(local(path))
    }

    fn names(&self, root: &Beneath, folder: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let names = || {
            let mut names = Vec::new();
            directory(root, folder)?.each(&mut |name, _| {
                names.push(name.to_vec());
                Ok(())
            })?;
            names.sort();
            Ok(names)
        };
        names().map_err(failed("list", &self.full(folder)))
    }

    /// Sends an entry. Returns true for a folder.
    fn entry(&mut self, root: &Beneath, path: Vec<u8>) -> Result<bool, Error> {
        let full = self.full(&path);
        let described = self.describe(root, &path);
        let Some((entry, file)) = described.map_err(failed("read", &full))? else {
            self.send(Item::Skipped)?;
            return Ok(false);
        };
        let is_folder = entry.kind == Kind::Directory;
        let size = match entry.kind {
            Kind::File(size) => size,
            _ => 0,
        };
        self.send(Item::Entry(Box::new(entry)))?;
        if let Some(file) = file {
            self.content(&file, size, &full)?;
        }
        Ok(is_folder)
    }

    /// The entry, with its open file if it has content. `None` for devices and sockets.
    fn describe(
        &mut self,
        root: &Beneath,
        path: &[u8],
    ) -> io::Result<Option<(Entry, Option<File>)>> {
        let folder = directory(root, parent(path))?;
        let name = match path {
            [] => b".",
            path => last(path),
        };
        let found = folder.status(name)?;
        let mut file = None;
        let mut xattrs = Vec::new();
        let kind = match found.kind {
            solvekit_host::Kind::Folder => {
                xattrs = directory(root, path)?.own_attributes(is_portable);
                Kind::Directory
            }
            solvekit_host::Kind::File => {
                let opened = root.file(&local(path), Links::Never);
                let opened = opened.map_err(io::Error::other)?;
                xattrs = Beneath::file_attributes(&opened, is_portable);
                let size = opened.metadata()?.len();
                file = Some(opened);
                Kind::File(size)
            }
            solvekit_host::Kind::Link => Kind::Symlink(folder.read_link(name)?),
            solvekit_host::Kind::Pipe => Kind::Fifo,
            _ => return Ok(None),
        };
        let kind = self.linked(kind, &found, path);
        let file = file.filter(|_| matches!(kind, Kind::File(_)));
        // A folder of a user other than root has no information about owners.
        let is_own = !owner::is_root() && owner::user_id() == Some(found.owner.user);
        let owner = if is_own {
            Owner::default()
        } else {
            found.owner
        };
        let nanoseconds = found.modified.rem_euclid(SECOND);
        let meta = Meta {
            mode: found.permissions,
            uid: owner.user,
            gid: owner.group,
            mtime: (
                found.modified.div_euclid(SECOND),
                u32::try_from(nanoseconds).unwrap_or(0),
            ),
            xattrs,
        };
        let path = path.to_vec();
        Ok(Some((Entry { path, kind, meta }, file)))
    }

    /// Detects another name of a file that was sent already.
    fn linked(&mut self, kind: Kind, found: &Status, path: &[u8]) -> Kind {
        let Some(inode) = found.shared else {
            return kind;
        };
        match self.links.get(&inode) {
            Some(first) => Kind::HardLink(first.clone()),
            None => {
                self.links.insert(inode, path.to_vec());
                kind
            }
        }
    }

    /// Sends exactly the entry's size, padded with zeros if the file became shorter.
    fn content(&self, file: &File, size: u64, path: &Path) -> Result<(), Error> {
        let mut left = size;
        let mut file = file.take(size);
        while left > 0 {
            let mut piece = vec![0; left.min(PIECE as u64) as usize];
            let mut filled = 0;
            while filled < piece.len() {
                match file
                    .read(&mut piece[filled..])
                    .map_err(failed("read", path))?
                {
                    0 => break,
                    count => filled += count,
                }
            }
            left -= piece.len() as u64;
            self.send(Item::Data(piece.into()))?;
        }
        Ok(())
    }
}
