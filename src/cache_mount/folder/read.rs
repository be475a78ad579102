//! Sends the content of a local folder, to fill a cache mount.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use solvekit_host::{Owner, Status, owner};
use tokio::sync::mpsc;

use super::{SECOND, directory, failed, last};
use crate::cache_mount::Error;
use crate::cache_mount::entry::{
    Entry, Item, Kind, Meta, PIECE, below, is_portable, local, parent,
};
use crate::files::{Beneath, Links};

/// Sends the content of a folder. If the user is not root, the user's own files are sent as root's:
/// such a folder cannot keep owners.
pub(in crate::cache_mount) fn read(path: &Path, items: &mpsc::Sender<Item>) -> Result<(), Error> {
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
            let path = below(&folder, &name);
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
