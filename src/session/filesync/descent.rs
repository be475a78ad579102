//! Goes down a directory: every folder is opened beneath the root's descriptor, and what is in it is looked at from the
//! folder's own. A folder that becomes a link meanwhile was never there.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::Errno;

use super::listing::Listing;
use crate::files::{Beneath, Links};

/// A way through a directory, by components, the names of a folder sorted by their bytes.
///
/// In memory are the names in the folders from the root to the current one; open is one of them, so that a deep tree needs
/// no more descriptors than a flat one.
#[derive(Debug)]
pub(super) struct Descent<'r, S> {
    root: &'r Beneath,
    /// The current path, relative to the root.
    path: Vec<u8>,
    open: Vec<Level<S>>,
    /// The folder that was opened last, and how much of the path is its own.
    handle: Option<(usize, OwnedFd)>,
}

/// A folder on the way.
#[derive(Debug)]
pub(super) struct Level<S> {
    /// What is still to be visited.
    listing: Listing,
    /// How much of the path is its own; 0 for the root.
    pub(super) length: usize,
    pub(super) state: S,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// An entry of the current folder, and what the folder says it is.
    Entry(FileType),
    /// A folder has ended.
    End,
    /// The root has ended.
    Done,
}

impl<'r, S> Descent<'r, S> {
    /// Begins at the root.
    pub(super) fn of(root: &'r Beneath, state: S) -> io::Result<Self> {
        let mut descent = Self {
            root,
            path: Vec::new(),
            open: Vec::new(),
            handle: None,
        };
        descent.enter(state)?;
        Ok(descent)
    }

    /// Goes to the next entry.
    pub(super) fn next(&mut self) -> Next {
        let Some(level) = self.open.last_mut() else {
            return Next::Done;
        };
        match level.listing.next() {
            Some((name, kind)) => {
                self.path.truncate(level.length);
                if level.length > 0 {
                    self.path.push(b'/');
                }
                self.path.extend_from_slice(name);
                Next::Entry(kind)
            }
            None => {
                self.open.pop();
                Next::End
            }
        }
    }

    /// The current path, relative to the root.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    /// The folders from the root to the one that holds the current path.
    pub(super) fn open(&mut self) -> &mut [Level<S>] {
        &mut self.open
    }

    /// The state of the folder that holds the current path.
    pub(super) fn state(&self) -> Option<&S> {
        self.open.last().map(|level| &level.state)
    }

    /// What is at the first `length` bytes of the current path: the folder that holds it, its name there, and its
    /// metadata. A link is itself.
    pub(super) fn look(&mut self, length: usize) -> io::Result<(BorrowedFd<'_>, &[u8], Stat)> {
        let parent = self.path[..length].iter().rposition(|&byte| byte == b'/');
        let parent = parent.unwrap_or_default();
        self.hold(parent)?;
        let name = match &self.path[parent..length] {
            [b'/', name @ ..] => name,
            name => name,
        };
        let folder = match &self.handle {
            Some((_, folder)) => folder.as_fd(),
            None => self.root.as_fd(),
        };
        let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((folder, name, found))
    }

    /// Goes into the current path, a folder.
    pub(super) fn enter(&mut self, state: S) -> io::Result<()> {
        let length = self.path.len();
        self.handle = None;
        self.hold(length)?;
        let Some((_, folder)) = &self.handle else {
            return Ok(());
        };
        let listing = Listing::read(folder)?;
        self.open.push(Level {
            listing,
            length,
            state,
        });
        Ok(())
    }

    /// Opens the folder at the first `length` bytes of the path, unless it is the one that is open.
    fn hold(&mut self, length: usize) -> io::Result<()> {
        if self
            .handle
            .as_ref()
            .is_some_and(|(held, _)| *held == length)
        {
            return Ok(());
        }
        let path = match length {
            0 => b".",
            length => &self.path[..length],
        };
        let folder = self.root.directory(path, Links::Never).map_err(vanished)?;
        self.handle = Some((length, folder));
        Ok(())
    }
}

/// What is a link now is no folder any more.
fn vanished(error: Errno) -> io::Error {
    match error {
        Errno::LOOP | Errno::XDEV => io::ErrorKind::NotADirectory.into(),
        error => error.into(),
    }
}
