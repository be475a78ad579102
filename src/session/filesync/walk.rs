//! Walks a directory in fsutil's order: by components, the names in a directory sorted by their
//! bytes, each directory before its content.

use std::borrow::Cow;
use std::io::ErrorKind;

use solvekit_host::{Kind, is_missing};

use super::descent::{Descent, Next};
use super::error::TransferError;
use super::filter::{Filter, State};
use super::metadata::{self, Inode};
use crate::files::Beneath;
use crate::proto::fsutil::types::Stat;

/// Receives the metadata of a path, and the inode of a file with several names. It may change the
/// metadata; the walk reuses the value.
pub(super) type Visit<'a> = dyn FnMut(&mut Stat, Option<Inode>) -> Result<(), TransferError> + 'a;

/// Visits every path under `root` that the filter accepts, and the directories above them.
///
/// Directories that cannot contain anything to send are not read. Entries that vanish or become
/// links meanwhile are ignored.
///
/// # Errors
///
/// The first unreadable path, or an error of `visit`; [`TransferError::Closed`] soon after `stop`
/// is true.
pub(super) fn walk(
    root: &Beneath,
    filter: &Filter,
    stop: &dyn Fn() -> bool,
    visit: &mut Visit<'_>,
) -> Result<(), TransferError> {
    let state = Folder {
        state: State::default(),
        visited: true,
    };
    let descent = Descent::of(root, state);
    let mut walk = Walk {
        filter,
        descent: descent.map_err(|error| TransferError::file("list", b".", error))?,
        stat: Stat::default(),
        visit,
    };
    loop {
        match walk.descent.next() {
            Next::Entry(kind) => walk.step(kind)?,
            Next::End if stop() => return Err(TransferError::Closed),
            Next::End => {}
            Next::Done => return Ok(()),
        }
    }
}

/// A walk in progress.
struct Walk<'a, 'b> {
    filter: &'a Filter,
    descent: Descent<'a, Folder>,
    stat: Stat,
    visit: &'a mut Visit<'b>,
}

/// A directory that is being walked.
struct Folder {
    state: State,
    /// True if the directory itself was visited, which happens before anything inside is.
    visited: bool,
}

impl Walk<'_, '_> {
    /// Decides about the current path, visits it, and enters it if it is a directory.
    fn step(&mut self, kind: Kind) -> Result<(), TransferError> {
        let is_directory = match kind {
            Kind::Unknown => {
                let length = self.descent.path().len();
                let found = self.descent.look(length);
                found.is_ok_and(|found| found.status.kind == Kind::Folder)
            }
            kind => kind == Kind::Folder,
        };
        let Some(parent) = self.descent.state() else {
            return Ok(());
        };
        let mut state = State::default();
        let path = in_text(self.descent.path());
        let inside = is_directory.then_some(&mut state);
        let decision = self.filter.decide(&path, &parent.state, inside);
        let length = self.descent.path().len();
        if decision.send && !(self.visit_parents()? && self.visit(length)?) {
            return Ok(());
        }
        if decision.enter {
            self.enter(state, decision.send)
        } else {
            Ok(())
        }
    }

    /// Visits the open directories that were not visited yet. Returns false if one has vanished.
    fn visit_parents(&mut self) -> Result<bool, TransferError> {
        for depth in 0..self.descent.open().len() {
            let level = &self.descent.open()[depth];
            if level.state.visited {
                continue;
            }
            let length = level.length;
            if !self.visit(length)? {
                return Ok(false);
            }
            self.descent.open()[depth].state.visited = true;
        }
        Ok(true)
    }

    /// Visits the first `length` bytes of the current path. Returns false if it has vanished.
    fn visit(&mut self, length: usize) -> Result<bool, TransferError> {
        // An entry mostly has attributes if the one before it has.
        let try_path = self.stat.xattrs.is_empty();
        let filled = self.descent.look(length).and_then(|mut found| {
            found.folder_path = found.folder_path.filter(|_| try_path);
            metadata::fill(&mut self.stat, &found)
        });
        let path = &self.descent.path()[..length];
        let inode = match filled {
            Ok(inode) => inode,
            Err(error) if is_missing(&error) => return Ok(false),
            Err(error) => return Err(TransferError::file("read the metadata of", path, error)),
        };
        self.stat.path.clear();
        self.stat.path.extend_from_slice(path);
        (self.visit)(&mut self.stat, inode)?;
        Ok(true)
    }

    /// Enters the current path, a directory. If it is unreadable, that is an error only if it is
    /// part of the transfer.
    fn enter(&mut self, state: State, visited: bool) -> Result<(), TransferError> {
        match self.descent.enter(Folder { state, visited }) {
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) if error.kind() == ErrorKind::PermissionDenied && !visited => Ok(()),
            Err(error) => Err(TransferError::file("list", self.descent.path(), error)),
            Ok(()) => Ok(()),
        }
    }
}

/// Converts a path for pattern matching: as in Go, each invalid UTF-8 byte becomes one replacement
/// character.
pub(super) fn in_text(path: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(path) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(path.len() + 8);
            for chunk in path.utf8_chunks() {
                text.push_str(chunk.valid());
                let invalid = chunk.invalid().iter();
                text.extend(invalid.map(|_| char::REPLACEMENT_CHARACTER));
            }
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests;
