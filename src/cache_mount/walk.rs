//! Reads a cache mount through system calls, and gives its entries one after the other.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Error;
use super::attached::MOUNT;
use super::entry::{Counts, Entry, Item, Kind, Meta, PIECE, is_name, is_portable, text};
use super::remote::{Call, OUTPUT_SIZE, Remote, Reply};
use super::staging::STAGING;

/// How many folders are read in one round trip.
const FOLDERS: usize = 64;
/// How many bytes one round trip may take.
pub(super) const ROUND: usize = 4 << 20;
/// The bytes of a folder's list that are read at once.
const LIST: usize = 32 << 10;
/// `AT_SYMLINK_NOFOLLOW`.
pub(super) const NO_FOLLOW: u64 = 0x100;
/// `O_NONBLOCK`: a pipe is not waited for.
const NONBLOCK: u64 = 0o4_000;
/// No such file: it was removed meanwhile.
const MISSING: i32 = 2;

/// What was left out of an export, or differs from what it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) counts: Counts,
    /// Devices and sockets.
    pub(super) skipped: u64,
    /// Files that were changed while they were read.
    pub(super) changed: u64,
}

/// What `statx` tells.
struct Stat {
    mode: u32,
    links: u32,
    uid: u32,
    gid: u32,
    size: u64,
    inode: (u32, u32, u64),
    mtime: (i64, u32),
}

/// A path, and what is read of it after this.
struct Looked<'a> {
    path: &'a Vec<u8>,
    stat: Stat,
    /// The names of the attributes that are kept.
    names: Vec<Vec<u8>>,
}

struct Walk<'a> {
    remote: &'a mut Remote,
    items: mpsc::Sender<Item>,
    /// The first path of each file that has several.
    links: HashMap<(u32, u32, u64), Vec<u8>>,
    walked: Walked,
}

/// Sends everything that is in the mount, folders before what is in them.
pub(super) async fn walk(remote: &mut Remote, items: mpsc::Sender<Item>) -> Result<Walked, Error> {
    let mut walk = Walk {
        remote,
        items,
        links: HashMap::new(),
        walked: Walked::default(),
    };
    let mut folders = walk.entries(vec![Vec::new()]).await?;
    while !folders.is_empty() {
        let rest = folders.len().saturating_sub(FOLDERS);
        let mut next = folders.split_off(rest);
        // The first in the order of names is at the end.
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

/// What is known about the mount itself.
pub(super) async fn root_meta(remote: &mut Remote) -> Result<Meta, Error> {
    let call = stat_call(remote, b"");
    let reply = remote.batch(&[call]).await?.into_iter().next();
    let reply = reply.ok_or(Error::ProgramAnswer)?;
    reply.value().map_err(|code| failed("look at", b"", code))?;
    let stat = Stat::read(&reply.data).ok_or(Error::ProgramAnswer)?;
    Ok(stat.meta(Vec::new()))
}

fn stat_call(remote: &Remote, path: &[u8]) -> Call {
    let stat = Call::new(remote.system.statx).here(0);
    let stat = stat.path(1, &absolute(path)).number(2, NO_FOLLOW);
    stat.number(3, 0x7ff).writes(4, 256)
}

/// The path of a name in a folder.
pub(super) fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match folder {
        [] => name.to_vec(),
        folder => [folder, name].join(&b'/'),
    }
}

/// The path in the container.
pub(super) fn absolute(path: &[u8]) -> Vec<u8> {
    match path {
        [] => MOUNT.to_vec(),
        path => [MOUNT, path].join(&b'/'),
    }
}

/// The names in folders, sorted. Folders that are gone are left out.
pub(super) async fn list(
    remote: &mut Remote,
    folders: &[Vec<u8>],
) -> Result<Vec<(Vec<u8>, Vec<Vec<u8>>)>, Error> {
    let listing = |remote: &Remote| {
        Call::new(remote.system.getdents)
            .number(0, remote.descriptor)
            .fills(1, LIST)
    };
    let mut calls = Vec::new();
    for folder in folders {
        calls.push(remote.open(&absolute(folder), remote.system.o_directory));
        calls.extend([listing(remote), listing(remote), remote.close()]);
    }
    let replies = remote.batch(&calls).await?;
    let mut found = Vec::new();
    for (folder, replies) in folders.iter().zip(replies.chunks(4)) {
        let [opened, first, second, _] = replies else {
            return Err(Error::ProgramAnswer);
        };
        match opened.value() {
            Err(MISSING) => continue,
            Err(code) => return Err(failed("open", folder, code)),
            Ok(_) => {}
        }
        let mut names = Vec::new();
        take_names(folder, first, &mut names)?;
        if take_names(folder, second, &mut names)? {
            names = list_long(remote, folder, &listing(remote)).await?;
        }
        names.sort();
        found.push((folder.clone(), names));
    }
    Ok(found)
}

/// A folder whose list is longer than two answers.
async fn list_long(
    remote: &mut Remote,
    folder: &[u8],
    listing: &Call,
) -> Result<Vec<Vec<u8>>, Error> {
    let open = remote.open(&absolute(folder), remote.system.o_directory);
    for reply in remote.batch(&[open]).await? {
        reply.value().map_err(|code| failed("open", folder, code))?;
    }
    let mut names = Vec::new();
    let many = vec![listing.clone(); 32];
    let mut goes_on = true;
    while goes_on {
        for reply in remote.batch(&many).await? {
            goes_on = take_names(folder, &reply, &mut names)?;
        }
    }
    let close = remote.close();
    remote.batch(&[close]).await?;
    Ok(names)
}

/// Reads `struct linux_dirent64`. Returns false at the end of the folder.
fn take_names(folder: &[u8], reply: &Reply, names: &mut Vec<Vec<u8>>) -> Result<bool, Error> {
    match reply.value() {
        Ok(0) | Err(MISSING) => return Ok(false),
        Ok(_) => {}
        Err(code) => return Err(failed("list", folder, code)),
    }
    let mut rest = &reply.data[..];
    while !rest.is_empty() {
        let length = rest
            .get(16..18)
            .map(|it| u16::from_le_bytes([it[0], it[1]]));
        let entry = length.and_then(|length| rest.split_at_checked(length.into()));
        let Some((entry, after)) = entry else {
            return Err(Error::ProgramAnswer);
        };
        let name = entry.get(19..).unwrap_or_default();
        let end = name.iter().position(|&byte| byte == 0);
        let name = name.get(..end.unwrap_or(0)).unwrap_or_default();
        if name != b"." && name != b".." {
            // The daemon is not trusted: a name never leads elsewhere.
            if !is_name(name) {
                return Err(Error::ProgramAnswer);
            }
            names.push(name.to_vec());
        }
        rest = after;
    }
    Ok(true)
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

    /// Everything about these paths but the content of files. Those that are gone are left out.
    async fn describe(&mut self, paths: &[Vec<u8>]) -> Result<Vec<Entry>, Error> {
        let system = self.remote.system;
        let mut calls = Vec::with_capacity(paths.len() * 2);
        for path in paths {
            calls.push(stat_call(self.remote, path));
            let path = absolute(path);
            calls.push(Call::new(system.llistxattr).path(0, &path).fills(1, 4096));
        }
        let replies = self.remote.batch(&calls).await?;
        let mut found = Vec::new();
        for (path, replies) in paths.iter().zip(replies.chunks(2)) {
            let [stat, xattrs] = replies else {
                return Err(Error::ProgramAnswer);
            };
            match stat.value() {
                Err(MISSING) => continue,
                Err(code) => return Err(failed("look at", path, code)),
                Ok(_) => {}
            }
            let stat = Stat::read(&stat.data).ok_or(Error::ProgramAnswer)?;
            let names = xattrs.data.split(|&byte| byte == 0);
            let names = names.filter(|name| is_portable(name)).map(<[u8]>::to_vec);
            let names = names.collect();
            found.push(Looked { path, stat, names });
        }
        self.complete(found).await
    }

    /// Reads attributes and the targets of links.
    async fn complete(&mut self, found: Vec<Looked<'_>>) -> Result<Vec<Entry>, Error> {
        let system = self.remote.system;
        let mut calls = Vec::new();
        for Looked { path, stat, names } in &found {
            let path = absolute(path);
            if stat.is(LINK) {
                let call = Call::new(system.readlinkat).here(0).path(1, &path);
                calls.push(call.fills(2, 4096));
            }
            for name in names {
                let call = Call::new(system.lgetxattr).path(0, &path).path(1, name);
                calls.push(call.fills(2, 64 << 10));
            }
        }
        let mut replies = Vec::with_capacity(calls.len());
        for calls in chunks(&calls) {
            replies.extend(self.remote.batch(calls).await?);
        }
        let mut replies = replies.into_iter();
        let mut next = || replies.next().ok_or(Error::ProgramAnswer);
        let mut entries = Vec::new();
        for Looked { path, stat, names } in found {
            let target = match stat.is(LINK) {
                true => next()?.data.to_vec(),
                false => Vec::new(),
            };
            let mut xattrs = Vec::new();
            for name in names {
                let reply = next()?;
                if reply.value().is_ok() {
                    xattrs.push((name, reply.data.to_vec()));
                }
            }
            xattrs.sort();
            let Some(kind) = self.kind(path, &stat, target) else {
                self.walked.skipped += 1;
                continue;
            };
            let meta = stat.meta(xattrs);
            let path = path.clone();
            entries.push(Entry { path, kind, meta });
        }
        Ok(entries)
    }

    /// `None` for devices and sockets, which are nothing that a cache needs.
    fn kind(&mut self, path: &[u8], stat: &Stat, target: Vec<u8>) -> Option<Kind> {
        let kind = match stat.mode & FORMAT {
            0o040_000 => return Some(Kind::Directory),
            0o100_000 => Kind::File(stat.size),
            LINK => Kind::Symlink(target),
            0o010_000 => Kind::Fifo,
            _ => return None,
        };
        if stat.links > 1 {
            if let Some(first) = self.links.get(&stat.inode) {
                return Some(Kind::HardLink(first.clone()));
            }
            self.links.insert(stat.inode, path.to_vec());
        }
        Some(kind)
    }

    /// Sends small entries, with their content.
    async fn send_group(&mut self, group: Vec<Entry>) -> Result<(), Error> {
        let mut calls = Vec::new();
        for entry in &group {
            if let Kind::File(size @ 1..) = entry.kind {
                calls.push(self.remote.open(&absolute(&entry.path), NONBLOCK));
                calls.push(self.read(size as usize));
                calls.push(self.remote.close());
            }
        }
        let mut replies = self.remote.batch(&calls).await?.into_iter();
        for entry in group {
            let Kind::File(size @ 1..) = entry.kind else {
                self.walked.counts.add(&entry);
                self.send(Item::Entry(Box::new(entry))).await?;
                continue;
            };
            let (opened, content) = (replies.next(), replies.next());
            let (Some(opened), Some(content), Some(_)) = (opened, content, replies.next()) else {
                return Err(Error::ProgramAnswer);
            };
            if self.is_gone(&entry, &opened)? {
                continue;
            }
            let path = entry.path.clone();
            content
                .value()
                .map_err(|code| failed("read", &path, code))?;
            self.walked.counts.add(&entry);
            self.send(Item::Entry(Box::new(entry))).await?;
            self.send_content(&content.data, size).await?;
        }
        Ok(())
    }

    /// Sends a large file piece by piece.
    async fn send_large(&mut self, entry: Entry, size: u64) -> Result<(), Error> {
        let path = entry.path.clone();
        let open = self.remote.open(&absolute(&path), NONBLOCK);
        let opened = self.remote.batch(&[open]).await?;
        let opened = opened.into_iter().next().ok_or(Error::ProgramAnswer)?;
        if self.is_gone(&entry, &opened)? {
            return Ok(());
        }
        self.walked.counts.add(&entry);
        self.send(Item::Entry(Box::new(entry))).await?;
        let mut left = size;
        while left > 0 {
            let mut calls = Vec::new();
            let mut asked = 0;
            while asked < left.min(ROUND as u64) {
                let piece = (left - asked).min(OUTPUT_SIZE as u64);
                calls.push(self.read(piece as usize));
                asked += piece;
            }
            let mut got = 0;
            for reply in self.remote.batch(&calls).await? {
                got += reply.value().map_err(|code| failed("read", &path, code))?;
                if !reply.data.is_empty() {
                    self.send(Item::Data(reply.data)).await?;
                }
            }
            left -= got.min(left);
            if got == 0 {
                self.send_content(&Bytes::new(), left).await?;
                left = 0;
            }
        }
        let close = self.remote.close();
        self.remote.batch(&[close]).await.map(drop)
    }

    fn read(&self, size: usize) -> Call {
        Call::new(self.remote.system.read)
            .number(0, self.remote.descriptor)
            .fills(1, size)
    }

    /// True for a file that was removed meanwhile.
    fn is_gone(&mut self, entry: &Entry, opened: &Reply) -> Result<bool, Error> {
        match opened.value() {
            Err(MISSING) => Ok(true),
            Err(code) => Err(failed("open", &entry.path, code)),
            Ok(opened) if opened == self.remote.descriptor => Ok(false),
            Ok(_) => Err(Error::ProgramAnswer),
        }
    }

    /// Sends content, with zeros for what a file has lost since it was looked at.
    async fn send_content(&mut self, content: &Bytes, size: u64) -> Result<(), Error> {
        let mut missing = size - (content.len() as u64).min(size);
        if !content.is_empty() {
            self.send(Item::Data(content.clone())).await?;
        }
        self.walked.changed += u64::from(missing > 0);
        while missing > 0 {
            let piece = missing.min(PIECE as u64);
            self.send(Item::Data(vec![0; piece as usize].into()))
                .await?;
            missing -= piece;
        }
        Ok(())
    }
}

const FORMAT: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

impl Stat {
    /// Reads `struct statx`.
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            bytes
                .get(at..at + 4)?
                .try_into()
                .ok()
                .map(u32::from_le_bytes)
        };
        let long = |at: usize| {
            bytes
                .get(at..at + 8)?
                .try_into()
                .ok()
                .map(u64::from_le_bytes)
        };
        Some(Self {
            links: word(16)?,
            uid: word(20)?,
            gid: word(24)?,
            mode: word(28)? & 0xffff,
            size: long(40)?,
            inode: (word(136)?, word(140)?, long(32)?),
            mtime: (long(112)?.cast_signed(), word(120)?),
        })
    }

    fn meta(&self, xattrs: Vec<(Vec<u8>, Vec<u8>)>) -> Meta {
        Meta {
            mode: self.mode & 0o7777,
            uid: self.uid,
            gid: self.gid,
            mtime: self.mtime,
            xattrs,
        }
    }

    fn is(&self, format: u32) -> bool {
        self.mode & FORMAT == format
    }
}

/// Calls in rounds that are not too large.
pub(super) fn chunks(calls: &[Call]) -> impl Iterator<Item = &[Call]> {
    let mut rest = calls;
    std::iter::from_fn(move || {
        let mut cost = 0;
        let fits = |call: &&Call| {
            cost += call.cost();
            cost <= ROUND
        };
        let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (next, after) = rest.split_at(count);
        rest = after;
        (!next.is_empty()).then_some(next)
    })
}

pub(super) fn failed(action: &'static str, path: &[u8], code: i32) -> Error {
    Error::Remote {
        action,
        path: text(path),
        code,
    }
}
