//! Creates the received entries in a folder of the mount, with many calls per round trip.

use std::collections::HashSet;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Imported;
use super::calls::{Expected, check, meta_calls, problem, times_of, xattr_calls};
use crate::cache_mount::entry::below;
use crate::cache_mount::entry::{Counts, Entry, Item, Kind, Meta, clean, parent};
use crate::cache_mount::remote::{Call, INPUT_SIZE, ROUND, Remote, absolute};
use crate::cache_mount::staging::{NEW, STAGING};
use crate::cache_mount::{ArchiveProblem, Error};

/// Flags of `open`: write-only, create, must be new.
const CREATE: u64 = 0o1 | 0o100 | 0o200;
/// The file type of a FIFO, for `mknod`.
const FIFO: u32 = 0o010_000;

/// The received entries. The first one arrived before the container started.
pub(super) struct Items {
    pub(super) first: Option<Item>,
    pub(super) rest: mpsc::Receiver<Item>,
}

impl Items {
    async fn next(&mut self) -> Option<Item> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.rest.recv().await,
        }
    }
}

pub(super) struct Filling<'a> {
    remote: &'a mut Remote,
    items: Items,
    /// The folders that were created. Nothing is created in other folders, so no link is followed.
    folders: HashSet<Vec<u8>>,
    /// Times and permissions of folders, which are set after their content is complete.
    finished: Vec<(Vec<u8>, Meta)>,
    calls: Vec<Call>,
    expected: Vec<(Expected, &'static str, usize)>,
    /// The paths that the calls refer to.
    paths: Vec<Vec<u8>>,
    cost: usize,
    /// The metadata of the mount's root.
    pub(super) root: Option<Meta>,
    pub(super) imported: Imported,
}

impl<'a> Filling<'a> {
    pub(super) fn new(remote: &'a mut Remote, items: Items) -> Self {
        Self {
            remote,
            items,
            folders: HashSet::from([Vec::new()]),
            finished: Vec::new(),
            calls: Vec::new(),
            expected: Vec::new(),
            paths: Vec::new(),
            cost: 0,
            root: None,
            imported: Imported::default(),
        }
    }

    /// Copies all items to the folder in the mount.
    pub(super) async fn copy(&mut self, cancelled: &CancellationToken) -> Result<(), Error> {
        let mut counts = Counts::default();
        let mut open: Option<(Entry, u64)> = None;
        loop {
            let item = tokio::select! {
                biased;
                () = cancelled.cancelled() => {
                    return Err(Error::Interrupted { left_behind: false });
                }
                item = self.items.next() => item.ok_or(Error::BrokenOff)?,
            };
            if let (false, Some((entry, left))) = (matches!(item, Item::Data(_)), &open) {
                if *left > 0 {
                    return Err(problem(&entry.path, ArchiveProblem::CutOff));
                }
                self.finish_file(&entry.meta);
                open = None;
            }
            match item {
                Item::End => break,
                Item::Skipped => self.imported.skipped += 1,
                Item::Data(data) => {
                    if let Some((_, left)) = &mut open {
                        *left = left.saturating_sub(data.len() as u64);
                        self.write(&data).await?;
                    }
                }
                Item::Entry(mut entry) => {
                    entry.path = clean(&entry.path)
                        .ok_or_else(|| problem(&entry.path, ArchiveProblem::Path))?;
                    if entry.path.split(|&byte| byte == b'/').next() == Some(STAGING) {
                        continue;
                    }
                    counts.add(&entry);
                    self.begin(&entry)?;
                    if let Kind::File(size) = entry.kind {
                        open = Some((*entry, size));
                    }
                }
            }
            if self.cost >= ROUND {
                self.flush().await?;
            }
        }
        // Nested folders come before their parents.
        for (path, meta) in std::mem::take(&mut self.finished).into_iter().rev() {
            self.note(&path);
            let absolute = absolute(&below(NEW, &path));
            self.set_meta(&absolute, &meta, false);
            if self.cost >= ROUND {
                self.flush().await?;
            }
        }
        self.flush().await?;
        self.imported.entries = counts.entries;
        self.imported.bytes = counts.bytes;
        Ok(())
    }

    /// Creates an entry. A regular file is left open.
    fn begin(&mut self, entry: &Entry) -> Result<(), Error> {
        if entry.path.is_empty() {
            if entry.kind != Kind::Directory {
                return Err(problem(b"", ArchiveProblem::Path));
            }
            self.root = Some(entry.meta.clone());
            return Ok(());
        }
        self.make_parents(&entry.path)?;
        self.note(&entry.path);
        let system = self.remote.system;
        let path = absolute(&below(NEW, &entry.path));
        if entry.kind == Kind::Directory {
            self.finished.push((entry.path.clone(), entry.meta.clone()));
            if self.folders.insert(entry.path.clone()) {
                self.make_folder(&path);
            }
            return Ok(());
        }
        // A later entry replaces an earlier one, as in any archive; a folder stays.
        let unlink = Call::new(system.calls.unlinkat).here(0).path(1, &path);
        self.push(unlink, Expected::Anything, "remove");
        match &entry.kind {
            Kind::Directory => {}
            Kind::File(_) => {
                let open = self.remote.open(&path, CREATE);
                self.push(open, Expected::Opened, "create");
            }
            Kind::Symlink(target) => {
                let call = Call::new(system.calls.symlinkat).path(0, target).here(1);
                self.push(call.path(2, &path), Expected::Success, "create");
                self.set_meta(&path, &entry.meta, true);
            }
            Kind::HardLink(first) => {
                let first = clean(first).filter(|it| self.folders.contains(parent(it)));
                let first = first.ok_or_else(|| problem(&entry.path, ArchiveProblem::Path))?;
                let first = absolute(&below(NEW, &first));
                let call = Call::new(system.calls.linkat).here(0).path(1, &first);
                let call = call.here(2).path(3, &path);
                self.push(call, Expected::Success, "link");
            }
            Kind::Fifo => {
                let call = Call::new(system.calls.mknodat).here(0).path(1, &path);
                let call = call.number(2, u64::from(FIFO | 0o600));
                self.push(call, Expected::Success, "create");
                self.set_meta(&path, &entry.meta, false);
            }
        }
        Ok(())
    }

    /// Creates the parents of a path that are missing in the archive.
    fn make_parents(&mut self, path: &[u8]) -> Result<(), Error> {
        let mut missing = Vec::new();
        let mut folder = parent(path);
        while !self.folders.contains(folder) {
            missing.push(folder.to_vec());
            folder = parent(folder);
        }
        for folder in missing.into_iter().rev() {
            self.note(&folder);
            self.make_folder(&absolute(&below(NEW, &folder)));
            self.folders.insert(folder);
        }
        Ok(())
    }

    fn make_folder(&mut self, path: &[u8]) {
        let call = Call::new(self.remote.system.calls.mkdirat)
            .here(0)
            .path(1, path);
        self.push(call.number(2, 0o755), Expected::Success, "create");
    }

    /// Writes to the open file.
    async fn write(&mut self, data: &Bytes) -> Result<(), Error> {
        for piece in data.chunks(INPUT_SIZE / 2) {
            let call = Call::new(self.remote.system.calls.write)
                .number(0, self.remote.descriptor)
                .bytes(1, piece)
                .number(2, piece.len() as u64);
            self.push(call, Expected::Written(piece.len()), "write");
            if self.cost >= ROUND {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Sets the metadata of the open file, and closes it.
    fn finish_file(&mut self, meta: &Meta) {
        let system = self.remote.system;
        let file = self.remote.descriptor;
        let chown = Call::new(system.calls.fchown).number(0, file);
        let chown = chown.number(1, meta.uid.into()).number(2, meta.gid.into());
        self.push(chown, Expected::Success, "set the owner of");
        // After the owner, because a change of the owner clears the set-id bits.
        let chmod = Call::new(system.calls.fchmod).number(0, file);
        let chmod = chmod.number(1, meta.mode.into());
        self.push(chmod, Expected::Success, "set the permissions of");
        let path = self.paths.last().cloned().unwrap_or_default();
        let path = absolute(&below(NEW, &path));
        self.set_xattrs(&path, meta);
        let times = Call::new(system.calls.utimensat)
            .number(0, file)
            .number(1, 0);
        let times = times.bytes(2, &times_of(meta));
        self.push(times, Expected::Success, "set the time of");
        let close = self.remote.close();
        self.push(close, Expected::Success, "close");
    }

    /// Sets the metadata of an entry that is not a regular file.
    fn set_meta(&mut self, path: &[u8], meta: &Meta, is_link: bool) {
        let calls = meta_calls(self.remote, path, meta, is_link);
        for (call, action) in calls {
            self.push(call, Expected::Success, action);
        }
        self.set_xattrs(path, meta);
    }

    fn set_xattrs(&mut self, path: &[u8], meta: &Meta) {
        let calls: Vec<_> = xattr_calls(self.remote, path, meta).collect();
        for call in calls {
            self.push(call, Expected::Attribute, "set an attribute of");
        }
    }

    /// Sets the path that the next calls refer to.
    fn note(&mut self, path: &[u8]) {
        self.paths.push(path.to_vec());
    }

    fn push(&mut self, call: Call, expected: Expected, action: &'static str) {
        self.cost += call.cost();
        self.calls.push(call);
        let path = self.paths.len().saturating_sub(1);
        self.expected.push((expected, action, path));
    }

    /// Makes the calls, and checks their results.
    async fn flush(&mut self) -> Result<(), Error> {
        let replies = self.remote.batch(&self.calls).await?;
        self.calls.clear();
        self.cost = 0;
        // If a file is still open, the next calls refer to its path too.
        let last = self.paths.last().cloned().unwrap_or_default();
        let paths = std::mem::replace(&mut self.paths, vec![last]);
        for (reply, (expected, action, path)) in replies.iter().zip(self.expected.drain(..)) {
            let path = paths.get(path).map(Vec::as_slice).unwrap_or_default();
            self.imported.lost_attributes +=
                check(reply, expected, self.remote.descriptor, action, path)?;
        }
        Ok(())
    }
}
