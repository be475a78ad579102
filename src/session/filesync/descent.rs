//! Walks down a directory. Every folder is opened beneath the root's descriptor, and its entries
//! are read from its own. A folder that becomes a link counts as vanished.

use std::io;

use solvekit_host::{Kind, Status};

use super::listing::Listing;
use crate::files::{Beneath, BeneathError, Links};

/// A walk through a directory, by components; the names in a folder are sorted by their bytes.
///
/// It holds the names of the folders from the root to the current one, but only one descriptor, so
/// a deep tree needs no more descriptors than a flat one.
#[derive(Debug)]
pub(super) struct Descent<'r, S> {
    root: &'r Beneath,
    /// The current path, relative to the root.
    path: Vec<u8>,
    open: Vec<Level<S>>,
    handle: Option<Handle>,
}

/// The open folder.
#[derive(Debug)]
struct Handle {
    /// The length of its path, relative to the root.
    length: usize,
    folder: Beneath,
    /// Its absolute path, if that leads to it.
    path: Option<Vec<u8>>,
}

/// An entry of a folder.
pub(super) struct Found<'d> {
    pub(super) folder: &'d Beneath,
    /// The absolute path that the folder had when it was opened, if it is known.
    pub(super) folder_path: Option<&'d [u8]>,
    pub(super) name: &'d [u8],
    pub(super) status: Status,
}

/// A folder between the root and the current path.
#[derive(Debug)]
pub(super) struct Level<S> {
    /// The entries still to be visited.
    listing: Listing,
    /// The length of the folder's path; 0 for the root.
    pub(super) length: usize,
    pub(super) state: S,
}

/// The next step of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// An entry of the current folder, with its type according to the folder.
    Entry(Kind),
    /// The end of a folder.
    End,
    /// The end of the root.
    Done,
}

impl<'r, S> Descent<'r, S> {
    /// Starts at the root.
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

    /// Moves to the next entry.
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

    /// Returns the current path, relative to the root.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    /// Returns the folders from the root to the parent of the current path.
    pub(super) fn open(&mut self) -> &mut [Level<S>] {
        &mut self.open
    }

    /// Returns the state of the current path's parent.
    pub(super) fn state(&self) -> Option<&S> {
        self.open.last().map(|level| &level.state)
    }

    /// Looks at the first `length` bytes of the current path. Links are not followed.
    pub(super) fn look(&mut self, length: usize) -> io::Result<Found<'_>> {
        let parent = self.path[..length].iter().rposition(|&byte| byte == b'/');
        let parent = parent.unwrap_or_default();
        self.hold(parent)?;
        let name = match &self.path[parent..length] {
            [b'/', name @ ..] => name,
            name => name,
        };
        let (folder, folder_path) = match &self.handle {
            Some(handle) => (&handle.folder, handle.path.as_deref()),
            None => (self.root, None),
        };
        Ok(Found {
            folder,
            folder_path,
            name,
            status: folder.status(name)?,
        })
    }

    /// Enters the current path, a folder.
    pub(super) fn enter(&mut self, state: S) -> io::Result<()> {
        let length = self.path.len();
        self.handle = None;
        self.hold(length)?;
        let Some(handle) = &self.handle else {
            return Ok(());
        };
        let listing = Listing::read(&handle.folder)?;
        self.open.push(Level {
            listing,
            length,
            state,
        });
        Ok(())
    }

    /// Opens the folder at the first `length` bytes of the path, unless it is open already.
    fn hold(&mut self, length: usize) -> io::Result<()> {
        let held = self.handle.as_ref().map(|handle| handle.length);
        if held == Some(length) {
            return Ok(());
        }
        let path = match length {
            0 => &b"."[..],
            length => &self.path[..length],
        };
        let folder = self.root.directory(path, Links::Never).map_err(vanished)?;
        self.handle = Some(Handle {
            length,
            path: folder.absolute(),
            folder,
        });
        Ok(())
    }
}

/// A folder that became a link counts as vanished.
fn vanished(error: BeneathError) -> io::Error {
    match error {
        BeneathError::Io(error) => error,
        _ => io::ErrorKind::NotADirectory.into(),
    }
}
