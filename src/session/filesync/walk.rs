//! Walks a directory in fsutil's order: by components, the names in a directory sorted by their
//! bytes, each directory before its content.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use rustix::fs::FileType;

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
    fn step(&mut self, kind: FileType) -> Result<(), TransferError> {
        let is_directory = match kind {
            FileType::Unknown => {
                let length = self.descent.path().len();
                let found = self.descent.look(length);
                found.is_ok_and(|(_, _, found)| {
                    FileType::from_raw_mode(found.st_mode) == FileType::Directory
                })
            }
            kind => kind == FileType::Directory,
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
        let looked = self.descent.look(length);
        let filled = looked
            .and_then(|(folder, name, found)| metadata::fill(&mut self.stat, folder, name, &found));
        let path = &self.descent.path()[..length];
        let inode = match filled {
            Ok(inode) => inode,
            Err(error) if is_gone(&error) => return Ok(false),
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
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) if error.kind() == ErrorKind::PermissionDenied && !visited => Ok(()),
            Err(error) => Err(TransferError::file("list", self.descent.path(), error)),
            Ok(()) => Ok(()),
        }
    }
}

pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
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
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;
    use crate::session::filesync::request::Request;

    fn walked(
        root: &Path,
        include: &[&str],
        exclude: &[&str],
    ) -> Result<Vec<String>, TransferError> {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let request = Request {
            include: owned(include),
            exclude: owned(exclude),
            ..Request::default()
        };
        let root = Beneath::open(root).unwrap();
        let filter = Filter::new(&root, &request)?;
        let mut paths = Vec::new();
        walk(&root, &filter, &|| false, &mut |stat, _| {
            paths.push(in_text(&stat.path).into_owned());
            Ok(())
        })?;
        Ok(paths)
    }

    fn tree(paths: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    #[test]
    fn paths_come_by_components_and_bytes() {
        let root = tree(&["a/x", "a.txt", "a-b/y", "a/b/c", "B", "é", "z"]);
        let paths = walked(root.path(), &[], &[]).unwrap();
        assert_eq!(
            paths,
            [
                "B", "a", "a/b", "a/b/c", "a/x", "a-b", "a-b/y", "a.txt", "z", "é"
            ]
        );
    }

    #[test]
    fn parents_of_what_is_included_come_before_it_and_once() {
        let root = tree(&["a/b/c.rs", "a/b/d.rs", "a/e.txt", "f/g.txt", "h/i.rs"]);
        let paths = walked(root.path(), &["**/*.rs"], &[]).unwrap();
        assert_eq!(paths, ["a", "a/b", "a/b/c.rs", "a/b/d.rs", "h", "h/i.rs"]);
    }

    #[test]
    fn an_exception_brings_the_excluded_directories_above_it() {
        let root = tree(&["a/b/keep", "a/b/drop", "a/c", "d"]);
        let paths = walked(root.path(), &[], &["a", "!a/b/keep"]).unwrap();
        assert_eq!(paths, ["a", "a/b", "a/b/keep", "d"]);
    }

    #[test]
    fn exclusion_wins_over_inclusion() {
        let root = tree(&["a/x.rs", "a/y.rs", "b.rs"]);
        let paths = walked(root.path(), &["a", "*.rs"], &["**/y.rs"]).unwrap();
        assert_eq!(paths, ["a", "a/x.rs", "b.rs"]);
    }

    #[test]
    fn names_that_are_not_utf8_are_sent_byte_for_byte() {
        let root = tree(&["a/x"]);
        for name in [&b"bad-\xff"[..], b"bad-\xfe\xe9"] {
            fs::write(root.path().join("a").join(OsStr::from_bytes(name)), "").unwrap();
        }
        let beneath = Beneath::open(root.path()).unwrap();
        let mut paths = Vec::new();
        walk(&beneath, &Filter::default(), &|| false, &mut |stat, _| {
            paths.push(stat.path.clone());
            Ok(())
        })
        .unwrap();
        assert_eq!(paths, [&b"a"[..], b"a/bad-\xfe\xe9", b"a/bad-\xff", b"a/x"]);
        // A pattern matches each such byte as one character.
        let excluded = ["a/bad-?"];
        let kept = ["a", "a/bad-\u{fffd}\u{fffd}", "a/x"];
        assert_eq!(walked(root.path(), &[], &excluded).unwrap(), kept);
    }

    #[test]
    fn what_vanishes_while_walking_was_never_there() {
        let root = tree(&["a/x", "a/y", "b/z", "c"]);
        let paths = walked_while(root.path(), |path| {
            if path == "a/x" {
                fs::remove_file(root.path().join("a/y")).unwrap();
                fs::remove_dir_all(root.path().join("b")).unwrap();
            }
        });
        assert_eq!(paths, ["a", "a/x", "c"]);
    }

    /// Returns the paths, and calls `at` for each.
    fn walked_while(root: &Path, mut at: impl FnMut(&str)) -> Vec<String> {
        let beneath = Beneath::open(root).unwrap();
        let mut paths = Vec::new();
        walk(&beneath, &Filter::default(), &|| false, &mut |stat, _| {
            let path = in_text(&stat.path).into_owned();
            at(&path);
            paths.push(path);
            Ok(())
        })
        .unwrap();
        paths
    }

    #[test]
    fn a_folder_that_becomes_a_link_leads_nowhere() {
        let outside = tree(&["secret/key", "x/key"]);
        let swap = |path: &Path| {
            fs::rename(path, path.with_extension("old")).unwrap();
            symlink(outside.path(), path).unwrap();
        };
        // It is listed as a folder but replaced before it is entered, so its content is never read.
        let root = tree(&["a/secret/x", "b"]);
        let paths = walked_while(root.path(), |path| {
            if path == "a" {
                swap(&root.path().join("a"));
            }
        });
        assert_eq!(paths, ["a", "b"]);
        // It is replaced during the walk: its entries are read from its own descriptor, and a
        // folder in it has vanished.
        let root = tree(&["a/k", "a/secret/key", "a/x/y", "b"]);
        let paths = walked_while(root.path(), |path| {
            if path == "a/k" {
                swap(&root.path().join("a"));
            }
        });
        assert!(!paths.iter().any(|path| path.ends_with("key")), "{paths:?}");
        assert!(paths.ends_with(&["b".to_owned()]), "{paths:?}");
    }

    #[test]
    fn a_walk_that_nobody_waits_for_stops() {
        let root = tree(&["a/x", "b/y"]);
        let beneath = Beneath::open(root.path()).unwrap();
        let stopped = walk(&beneath, &Filter::default(), &|| true, &mut |_, _| Ok(()));
        assert!(matches!(stopped, Err(TransferError::Closed)));
    }

    #[test]
    fn deep_trees_do_not_exhaust_anything() {
        let root = tempfile::tempdir().unwrap();
        let deep = vec!["d"; 1500].join("/");
        fs::create_dir_all(root.path().join(&deep)).unwrap();
        assert_eq!(walked(root.path(), &[], &[]).unwrap().len(), 1500);
    }
}
