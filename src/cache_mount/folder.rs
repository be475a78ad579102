//! Folders of this machine: filled from a cache mount, and read into one.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Dev, Dir, FileType, Gid, Mode, OFlags, RawMode, Timespec, Timestamps, Uid, XattrFlags,
};
use tokio::sync::mpsc;

use super::entry::{Entry, Item, Kind, Meta, PIECE, clean, is_portable, local, parent};
use super::{ArchiveProblem, Error};
use crate::files::{Beneath, Links, random_name};

const NO_FOLLOW: AtFlags = AtFlags::SYMLINK_NOFOLLOW;

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

/// Writes everything that comes to a folder, in the place of what is in it. Returns false if owners
/// were lost, because only root can set them.
///
/// All is put in a folder inside of it first, and moved up at the end.
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
            set_meta(&opened, &root, keeps_owners).map_err(failed("write", path))?;
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

/// Moves what is in the folder one level up, and removes everything else there.
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
    /// The folders that were made: nothing is created in others.
    folders: HashSet<Vec<u8>>,
    finished: Vec<(Vec<u8>, Meta)>,
    keeps_owners: bool,
    /// The folder of the last entry.
    opened: Option<(Vec<u8>, OwnedFd)>,
}

/// Fills a new folder. Returns the metadata of its root, and if owners are kept.
fn fill(path: &Path, items: &mut mpsc::Receiver<Item>) -> Result<(Option<Meta>, bool), Error> {
    let mut filling = Filling {
        root: Beneath::open(path).map_err(failed("open", path))?,
        folders: HashSet::from([Vec::new()]),
        finished: Vec::new(),
        keeps_owners: rustix::process::geteuid().is_root(),
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
    /// Creates an entry. Returns it open, if it is a file.
    fn create(&mut self, entry: &Entry) -> io::Result<Option<File>> {
        let name = local(last(&entry.path));
        let name = name.as_path();
        let own = Mode::RWXU;
        let keeps_owners = self.keeps_owners;
        let folder = self.folder(parent(&entry.path))?;
        match &entry.kind {
            Kind::Directory => {
                rustix::fs::mkdirat(folder, name, own)?;
                self.folders.insert(entry.path.clone());
                self.finished.push((entry.path.clone(), entry.meta.clone()));
            }
            Kind::File(_) => {
                let new = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
                let flags = new | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
                return Ok(Some(file.into()));
            }
            Kind::Symlink(target) => {
                rustix::fs::symlinkat(local(target), folder, name)?;
                if keeps_owners {
                    let (uid, gid) = owner(&entry.meta);
                    rustix::fs::chownat(folder, name, uid, gid, NO_FOLLOW)?;
                }
                let times = times(&entry.meta);
                rustix::fs::utimensat(folder, name, &times, NO_FOLLOW)?;
            }
            Kind::HardLink(first) => {
                let first = clean(first).filter(|first| !first.is_empty());
                let first = first.ok_or(io::ErrorKind::InvalidInput)?;
                let (from, old) = (parent(&first).to_vec(), local(last(&first)));
                let from = directory(&self.root, &from)?;
                let folder = self.folder(parent(&entry.path))?;
                rustix::fs::linkat(from, &old, folder, name, AtFlags::empty())?;
            }
            #[cfg(target_os = "linux")]
            Kind::Fifo => {
                let mode = Mode::from_raw_mode((entry.meta.mode & 0o777) as RawMode);
                rustix::fs::mknodat(folder, name, FileType::Fifo, mode, 0)?;
                if keeps_owners {
                    let (uid, gid) = owner(&entry.meta);
                    rustix::fs::chownat(folder, name, uid, gid, NO_FOLLOW)?;
                }
                rustix::fs::chmodat(folder, name, mode, AtFlags::empty())?;
                rustix::fs::utimensat(folder, name, &times(&entry.meta), NO_FOLLOW)?;
            }
            #[cfg(not(target_os = "linux"))]
            Kind::Fifo => {}
        }
        Ok(None)
    }

    fn folder(&mut self, path: &[u8]) -> io::Result<&OwnedFd> {
        let is_open = self.opened.as_ref().is_some_and(|(open, _)| open == path);
        if !is_open {
            self.opened = Some((path.to_vec(), directory(&self.root, path)?));
        }
        match &self.opened {
            Some((_, folder)) => Ok(folder),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Sets what is known about folders, the inner ones first.
    fn finish(&mut self) -> io::Result<()> {
        for (path, meta) in self.finished.drain(..).rev() {
            set_meta(&directory(&self.root, &path)?, &meta, self.keeps_owners)?;
        }
        Ok(())
    }
}

fn directory(root: &Beneath, path: &[u8]) -> io::Result<OwnedFd> {
    let path = match path {
        [] => Path::new(".").to_owned(),
        path => local(path),
    };
    Ok(root.directory(path.as_path(), Links::Never)?)
}

/// The name of a path.
fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

fn owner(meta: &Meta) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)))
}

fn times(meta: &Meta) -> Timestamps {
    let time = Timespec {
        tv_sec: meta.mtime.0,
        tv_nsec: meta.mtime.1.into(),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// Sets owner, permissions, attributes and time. File systems without attributes lose them.
fn set_meta(file: &impl AsFd, meta: &Meta, keeps_owners: bool) -> io::Result<()> {
    if keeps_owners {
        let (uid, gid) = owner(meta);
        rustix::fs::fchown(file, uid, gid)?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(meta.mode as RawMode))?;
    for (name, value) in &meta.xattrs {
        let _ = rustix::fs::fsetxattr(file, local(name), value, XattrFlags::empty());
    }
    Ok(rustix::fs::futimens(file, &times(meta))?)
}

/// Sends everything that is in a folder. For another user than root, that user's files are root's:
/// a folder cannot keep owners for it.
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
            let path = super::walk::below(&folder, &name);
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
    links: HashMap<(Dev, u64), Vec<u8>>,
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
            for entry in Dir::read_from(directory(root, folder)?)? {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(name);
                }
            }
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

    /// The entry, and its open file if it is one with content. `None` for devices and sockets.
    fn describe(
        &mut self,
        root: &Beneath,
        path: &[u8],
    ) -> io::Result<Option<(Entry, Option<File>)>> {
        let folder = directory(root, parent(path))?;
        let name = match path {
            [] => PathBuf::from("."),
            path => local(last(path)),
        };
        let stat = rustix::fs::statat(&folder, &name, NO_FOLLOW)?;
        let mut file = None;
        let mut xattrs = Vec::new();
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                xattrs = attributes(&directory(root, path)?);
                Kind::Directory
            }
            FileType::RegularFile => {
                let opened = root.file(&local(path), Links::Never);
                let opened = opened.map_err(io::Error::other)?;
                xattrs = attributes(&opened);
                let size = opened.metadata()?.len();
                file = Some(opened);
                Kind::File(size)
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&folder, &name, Vec::new())?;
                Kind::Symlink(target.into_bytes())
            }
            FileType::Fifo => Kind::Fifo,
            _ => return Ok(None),
        };
        let kind = self.linked(kind, &stat, path);
        let file = file.filter(|_| matches!(kind, Kind::File(_)));
        let own = rustix::process::geteuid();
        // A folder of another user than root says nothing about owners.
        let is_own = !own.is_root() && own.as_raw() == stat.st_uid;
        let meta = Meta {
            mode: (u64::from(stat.st_mode) & 0o7777) as u32,
            uid: if is_own { 0 } else { stat.st_uid },
            gid: if is_own { 0 } else { stat.st_gid },
            mtime: (
                stat.st_mtime,
                u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            ),
            xattrs,
        };
        let path = path.to_vec();
        Ok(Some((Entry { path, kind, meta }, file)))
    }

    /// Another name of a file that was sent already.
    fn linked(&mut self, kind: Kind, stat: &rustix::fs::Stat, path: &[u8]) -> Kind {
        if stat.st_nlink < 2 || kind == Kind::Directory {
            return kind;
        }
        let inode = (stat.st_dev, stat.st_ino);
        match self.links.get(&inode) {
            Some(first) => Kind::HardLink(first.clone()),
            None => {
                self.links.insert(inode, path.to_vec());
                kind
            }
        }
    }

    /// Sends as many bytes as the entry says, with zeros for what is gone.
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

/// The extended attributes that can be kept; none where the file system has none.
fn attributes(file: &impl AsFd) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; 64 << 10];
    let length = rustix::fs::flistxattr(file, &mut names[..]).unwrap_or(0);
    let mut found = Vec::new();
    for name in names[..length].split(|&byte| byte == 0) {
        let mut value = vec![0; 64 << 10];
        if is_portable(name)
            && let Ok(length) = rustix::fs::fgetxattr(file, local(name), &mut value[..])
        {
            value.truncate(length);
            found.push((name.to_vec(), value));
        }
    }
    found.sort();
    found
}
