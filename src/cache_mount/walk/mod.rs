//! Reads a cache mount through system calls, and sends its entries one after another.

mod content;
mod describe;
mod list;

use std::collections::{HashMap, HashSet};

use tokio::sync::mpsc;

pub(super) use describe::root_meta;
pub(super) use list::list;

use super::Error;
use super::entry::{Counts, Entry, Item, Kind, PIECE, below};
use super::remote::{ROUND, Remote};
use super::staging::STAGING;

/// The number of folders that are read per round trip.
const FOLDERS: usize = 64;
/// Errors of paths that were removed or replaced meanwhile: `ENOENT`, `ENOTDIR`, `ELOOP`.
const GONE: [i32; 3] = [2, 20, 40];

/// Statistics of a walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) counts: Counts,
    /// Omitted devices and sockets.
    pub(super) skipped: u64,
    /// The number of files that changed or were removed while they were read.
    pub(super) changed: u64,
}

struct Walk<'a> {
    remote: &'a mut Remote,
    items: mpsc::Sender<Item>,
    /// The first paths of files with several names that were removed before they were read.
    gone: HashSet<Vec<u8>>,
    /// The first path of each file with several names.
    links: HashMap<(u32, u32, u64), Vec<u8>>,
    walked: Walked,
}

/// Sends the whole content of the mount, each folder before its content.
pub(super) async fn walk(remote: &mut Remote, items: mpsc::Sender<Item>) -> Result<Walked, Error> {
    let mut walk = Walk {
        remote,
        items,
        gone: HashSet::new(),
        links: HashMap::new(),
        walked: Walked::default(),
    };
    let mut folders = walk.entries(vec![Vec::new()]).await?;
    while !folders.is_empty() {
        let rest = folders.len().saturating_sub(FOLDERS);
        let mut next = folders.split_off(rest);
        // The list is used as a stack: the first name must be at its end.
        next.reverse();
        let mut found = Vec::new();
        for (folder, names) in list(walk.remote, &next).await? {
            let is_own = |name: &Vec<u8>| folder.is_empty() && name == STAGING;
            let names = names.into_iter().filter(|name| !is_own(name));
            found.extend(names.map(|name| below(&folder, &name)));
        }
        let mut below = walk.entries(found).await?;
        below.reverse();
        folders.extend(below);
    }
    walk.send(Item::End).await?;
    Ok(walk.walked)
}

impl Walk<'_> {
    async fn send(&self, item: Item) -> Result<(), Error> {
        let sent = self.items.send(item).await;
        sent.map_err(|_| Error::BrokenOff)
    }

    /// Sends the entries of these paths. Returns the folders among them.
    async fn entries(&mut self, paths: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Error> {
        let mut folders = Vec::new();
        for paths in paths.chunks(1000) {
            let described = self.describe(paths).await?;
            let mut group: Vec<Entry> = Vec::new();
            let mut size = 0;
            for entry in described {
                let content = match entry.kind {
                    Kind::File(size) => size,
                    _ => 0,
                };
                if content > PIECE as u64 || size + content > ROUND as u64 {
                    self.send_group(std::mem::take(&mut group)).await?;
                    size = 0;
                }
                if entry.kind == Kind::Directory {
                    folders.push(entry.path.clone());
                }
                match content > PIECE as u64 {
                    true => self.send_large(entry, content).await?,
                    false => group.push(entry),
                }
                size += content;
            }
            self.send_group(group).await?;
        }
        Ok(folders)
    }
}
