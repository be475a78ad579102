//! Describes entries: kind, metadata, and targets of links.

use super::{GONE, Walk};
use crate::cache_mount::Error;
use crate::cache_mount::entry::{Entry, Kind, Meta, is_portable};
use crate::cache_mount::remote::{Call, NO_FOLLOW, Remote, absolute, chunks, failed};

/// The size in bytes of a usual file's list of attribute names, and Linux's limit.
const NAMES: usize = 4 << 10;
const ALL_NAMES: usize = 64 << 10;
/// `ERANGE`: the list is larger than the buffer.
const RANGE: i32 = 34;
const FORMAT: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

/// The parts of `statx` that are used.
struct Stat {
    mode: u32,
    links: u32,
    uid: u32,
    gid: u32,
    size: u64,
    inode: (u32, u32, u64),
    mtime: (i64, u32),
}

/// A path with its status, before its attributes and its target are read.
struct Looked<'a> {
    path: &'a Vec<u8>,
    stat: Stat,
    /// The names of the attributes that are exported.
    names: Vec<Vec<u8>>,
}

/// The metadata of the mount's root.
pub(in crate::cache_mount) async fn root_meta(remote: &mut Remote) -> Result<Meta, Error> {
    let call = stat_call(remote, b"");
    let reply = remote.batch(&[call]).await?.into_iter().next();
    let reply = reply.ok_or(Error::ProgramAnswer)?;
    reply.value().map_err(|code| failed("look at", b"", code))?;
    let stat = Stat::read(&reply.data).ok_or(Error::ProgramAnswer)?;
    Ok(stat.meta(Vec::new()))
}

fn stat_call(remote: &Remote, path: &[u8]) -> Call {
    let stat = Call::new(remote.system.calls.statx).here(0);
    let stat = stat.path(1, &absolute(path)).number(2, NO_FOLLOW);
    stat.number(3, 0x7ff).writes(4, 256)
}

impl Walk<'_> {
    /// Everything about these paths except the content of files. Removed paths are omitted.
    pub(super) async fn describe(&mut self, paths: &[Vec<u8>]) -> Result<Vec<Entry>, Error> {
        let system = self.remote.system;
        let mut calls = Vec::with_capacity(paths.len() * 2);
        for path in paths {
            calls.push(stat_call(self.remote, path));
            let path = absolute(path);
            calls.push(
                Call::new(system.calls.llistxattr)
                    .path(0, &path)
                    .fills(1, NAMES),
            );
        }
        let replies = self.remote.batch(&calls).await?;
        let mut found = Vec::new();
        for (path, replies) in paths.iter().zip(replies.chunks(2)) {
            let [stat, xattrs] = replies else {
                return Err(Error::ProgramAnswer);
            };
            match stat.value() {
                Err(code) if GONE.contains(&code) => continue,
                Err(code) => return Err(failed("look at", path, code)),
                Ok(_) => {}
            }
            let stat = Stat::read(&stat.data).ok_or(Error::ProgramAnswer)?;
            let names = match xattrs.value() {
                Err(RANGE) => self.many_names(path).await?,
                _ => names_of(&xattrs.data),
            };
            found.push(Looked { path, stat, names });
        }
        self.complete(found).await
    }

    /// The names of a path's attributes, if their list is larger than usual.
    async fn many_names(&mut self, path: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let call = Call::new(self.remote.system.calls.llistxattr).path(0, &absolute(path));
        let replies = self.remote.batch(&[call.fills(1, ALL_NAMES)]).await?;
        let names = replies.first().map(|reply| names_of(&reply.data));
        names.ok_or(Error::ProgramAnswer)
    }

    /// Reads the attributes, and the targets of links.
    async fn complete(&mut self, found: Vec<Looked<'_>>) -> Result<Vec<Entry>, Error> {
        let system = self.remote.system;
        let mut calls = Vec::new();
        for Looked { path, stat, names } in &found {
            let path = absolute(path);
            if stat.is(LINK) {
                let call = Call::new(system.calls.readlinkat).here(0).path(1, &path);
                calls.push(call.fills(2, 4096));
            }
            for name in names {
                let call = Call::new(system.calls.lgetxattr)
                    .path(0, &path)
                    .path(1, name);
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

    /// The kind of an entry; `None` for devices and sockets, which caches do not need.
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
}

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

/// The names in a list of attributes, without those that are not kept.
fn names_of(list: &[u8]) -> Vec<Vec<u8>> {
    let names = list.split(|&byte| byte == 0);
    let names = names.filter(|name| is_portable(name));
    names.map(<[u8]>::to_vec).collect()
}
