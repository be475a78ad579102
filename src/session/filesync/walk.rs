//! Walks a directory in the order that fsutil demands: by components, the names of a directory sorted by their bytes,
//! each directory before what is inside.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::FileType;

use super::error::TransferError;
use super::filter::{Filter, State};
use super::listing::Listing;
use super::metadata::{self, Inode};
use crate::proto::fsutil::types::Stat;

/// Takes the metadata of a path. It may change it, and the walk uses it again for the next path. With it comes the inode
/// of a file that has other names.
pub(super) type Visit<'a> = dyn FnMut(&mut Stat, Option<Inode>) -> Result<(), TransferError> + 'a;

/// Visits every path under `root` that the filter lets through, and the directories above them.
///
/// Directories that cannot hold anything to send are not read. What vanishes meanwhile was never there. In memory are
/// the names in the directories from the root to the current one, no more.
///
/// # Errors
///
/// The first path that cannot be read, or what `visit` fails with; [`TransferError::Closed`] soon after `stop` is true.
pub(super) fn walk(
    root: &Path,
    filter: &Filter,
    stop: &dyn Fn() -> bool,
    visit: &mut Visit<'_>,
) -> Result<(), TransferError> {
    let listing = Listing::read(root).map_err(|error| TransferError::file("list", b".", error))?;
    let path = root.as_os_str().as_bytes().to_vec();
    let length = path.len();
    let open = vec![Directory {
        listing,
        state: State::default(),
        visited: true,
        length,
    }];
    let mut walk = Walk {
        filter,
        path,
        root: length,
        open,
        stat: Stat::default(),
        visit,
    };
    while let Some(directory) = walk.open.last_mut() {
        let Some((name, kind)) = directory.listing.next() else {
            walk.open.pop();
            if stop() {
                return Err(TransferError::Closed);
            }
            continue;
        };
        walk.path.truncate(directory.length);
        walk.path.push(b'/');
        walk.path.extend_from_slice(name);
        walk.step(kind)?;
    }
    Ok(())
}

/// A walk on its way.
struct Walk<'a, 'b> {
    filter: &'a Filter,
    /// The current path, with the root.
    path: Vec<u8>,
    /// The length of the root.
    root: usize,
    /// The directories from the root to the current one.
    open: Vec<Directory>,
    stat: Stat,
    visit: &'a mut Visit<'b>,
}

/// A directory that is being walked.
struct Directory {
    /// What is still to be walked.
    listing: Listing,
    state: State,
    /// Whether it was visited itself; it is at the latest before something inside is.
    visited: bool,
    /// The length of its path, with the root.
    length: usize,
}

impl Walk<'_, '_> {
    /// Decides about the current path, visits it, and opens it if it is a directory.
    fn step(&mut self, kind: FileType) -> Result<(), TransferError> {
        let is_directory = match kind {
            FileType::Unknown => as_path(&self.path)
                .symlink_metadata()
                .is_ok_and(|metadata| metadata.is_dir()),
            kind => kind == FileType::Directory,
        };
        let Some(parent) = self.open.last() else {
            return Ok(());
        };
        let mut state = State::default();
        let relative = String::from_utf8_lossy(&self.path[self.root + 1..]);
        let decision =
            self.filter
                .decide(&relative, &parent.state, is_directory.then_some(&mut state));
        if decision.send && !(self.visit_parents()? && self.visit(self.path.len())?) {
            return Ok(());
        }
        if decision.enter {
            self.enter(state, decision.send)
        } else {
            Ok(())
        }
    }

    /// Visits the open directories that were not yet. False when one is not there any more.
    fn visit_parents(&mut self) -> Result<bool, TransferError> {
        for depth in 0..self.open.len() {
            if self.open[depth].visited {
                continue;
            }
            if !self.visit(self.open[depth].length)? {
                return Ok(false);
            }
            self.open[depth].visited = true;
        }
        Ok(true)
    }

    /// Visits the first `length` bytes of the current path. False when there is nothing any more.
    fn visit(&mut self, length: usize) -> Result<bool, TransferError> {
        let (full, relative) = (&self.path[..length], &self.path[self.root + 1..length]);
        let filled = as_path(full)
            .symlink_metadata()
            .and_then(|found| metadata::fill(&mut self.stat, as_path(full), &found));
        let inode = match filled {
            Ok(inode) => inode,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(TransferError::file("read the metadata of", relative, error)),
        };
        let name = std::str::from_utf8(relative).map_err(|_| TransferError::NotUtf8 {
            path: String::from_utf8_lossy(relative).into_owned(),
        })?;
        self.stat.path.clear();
        self.stat.path.push_str(name);
        (self.visit)(&mut self.stat, inode)?;
        Ok(true)
    }

    /// Opens the current path, a directory. One that may not be read is an error only if it is part of the transfer.
    fn enter(&mut self, state: State, visited: bool) -> Result<(), TransferError> {
        match Listing::read(as_path(&self.path)) {
            Ok(listing) => self.open.push(Directory {
                listing,
                state,
                visited,
                length: self.path.len(),
            }),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => {}
                ErrorKind::PermissionDenied if !visited => {}
                _ => {
                    return Err(TransferError::file(
                        "list",
                        &self.path[self.root + 1..],
                        error,
                    ));
                }
            },
        }
        Ok(())
    }
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStringExt;

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
        let filter = Filter::new(root, &request)?;
        let mut paths = Vec::new();
        walk(root, &filter, &|| false, &mut |stat, _| {
            paths.push(stat.path.clone());
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
    fn a_name_that_is_not_utf8_is_an_error_unless_excluded() {
        let root = tree(&["a/x"]);
        let name = std::ffi::OsString::from_vec(b"bad-\xff".to_vec());
        fs::write(root.path().join("a").join(name), "").unwrap();
        let error = walked(root.path(), &[], &[]).unwrap_err();
        assert!(
            error.message().contains("a/bad-\u{fffd}"),
            "{}",
            error.message()
        );
        assert_eq!(
            walked(root.path(), &[], &["a/bad-*"]).unwrap(),
            ["a", "a/x"]
        );
    }

    #[test]
    fn what_vanishes_while_walking_was_never_there() {
        let root = tree(&["a/x", "a/y", "b/z", "c"]);
        let mut paths = Vec::new();
        walk(
            root.path(),
            &Filter::default(),
            &|| false,
            &mut |stat, _| {
                if stat.path == "a/x" {
                    fs::remove_file(root.path().join("a/y")).unwrap();
                    fs::remove_dir_all(root.path().join("b")).unwrap();
                }
                paths.push(stat.path.clone());
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(paths, ["a", "a/x", "c"]);
    }

    #[test]
    fn a_walk_that_nobody_waits_for_stops() {
        let root = tree(&["a/x", "b/y"]);
        let stopped = walk(
            root.path(),
            &Filter::default(),
            &|| true,
            &mut |_, _| Ok(()),
        );
        assert!(matches!(stopped, Err(TransferError::Closed)));
    }

    #[test]
    fn a_missing_root_is_an_error() {
        let error = walk(
            Path::new("/dev/null/x"),
            &Filter::default(),
            &|| false,
            &mut |_, _| Ok(()),
        )
        .unwrap_err();
        assert!(
            error.message().starts_with("cannot list ."),
            "{}",
            error.message()
        );
    }

    #[test]
    fn deep_trees_do_not_exhaust_anything() {
        let root = tempfile::tempdir().unwrap();
        let deep = vec!["d"; 1500].join("/");
        fs::create_dir_all(root.path().join(&deep)).unwrap();
        assert_eq!(walked(root.path(), &[], &[]).unwrap().len(), 1500);
    }
}
