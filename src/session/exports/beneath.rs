//! Opens the daemon's file names inside the export's directory. No link leads outside.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

use super::error::ExportError;
use crate::files::{self, Links};

/// The longest path that the kernel accepts, in bytes.
const PATH: usize = 4096;
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// The destination of an export.
#[derive(Debug)]
pub(super) struct Beneath {
    root: Arc<files::Beneath>,
    /// The directory that was opened last. Paths arrive sorted, so the next one usually uses it
    /// too.
    last: Option<(Vec<u8>, OwnedFd)>,
}

impl Beneath {
    /// Opens the root.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = Arc::new(files::Beneath::open(root)?);
        Ok(Self { root, last: None })
    }

    /// The same destination for another thread.
    pub(super) fn again(&self) -> Self {
        Self {
            root: Arc::clone(&self.root),
            last: None,
        }
    }

    /// Returns the root.
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Returns the directory of the path, and the file name. Links that stay inside are followed,
    /// as in the reference.
    pub(super) fn parent<'a>(
        &mut self,
        path: &'a [u8],
    ) -> Result<(BorrowedFd<'_>, &'a [u8]), ExportError> {
        check(path)?;
        let (parent, name) = split(path);
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = self.root.directory(parent, Links::Inside);
            let opened = opened.map_err(|error| match error {
                Errno::XDEV | Errno::LOOP => outside(path),
                error => ExportError::file("open", parent, error),
            })?;
            self.last = Some((parent.to_owned(), opened));
        }
        match &self.last {
            Some((_, directory)) => Ok((directory.as_fd(), name)),
            None => Ok((self.root.as_fd(), name)),
        }
    }
}

/// Splits a path into folder and name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b".", path),
    }
}

/// Refuses any path that is not clean, relative and downwards.
pub(super) fn check(path: &[u8]) -> Result<(), ExportError> {
    let mut names = path.split(|&byte| byte == b'/');
    let inside = !path.contains(&0) && names.all(|name| !matches!(name, b"" | b"." | b".."));
    if path.len() > PATH {
        return Err(ExportError::Limit {
            what: "a path",
            limit: "4 KiB",
        });
    }
    match inside {
        true => Ok(()),
        false => Err(outside(path)),
    }
}

fn outside(path: &[u8]) -> ExportError {
    ExportError::Outside {
        path: String::from_utf8_lossy(path).into_owned(),
    }
}

/// Returns the type of the entry with this name. Links are not followed.
pub(super) fn kind(parent: BorrowedFd<'_>, name: impl Arg) -> Result<Option<FileType>, Errno> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes the entry and everything in it.
pub(super) fn remove(
    parent: BorrowedFd<'_>,
    name: impl Arg + Copy,
    kind: FileType,
) -> Result<(), Errno> {
    if kind != FileType::Directory {
        return rustix::fs::unlinkat(parent, name, AtFlags::empty());
    }
    let directory = open(parent, name)?;
    for (inner, kind) in entries(directory.as_fd())? {
        remove(directory.as_fd(), inner.as_c_str(), kind)?;
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// Opens a directory without following a link.
pub(super) fn open(parent: BorrowedFd<'_>, name: impl Arg) -> Result<OwnedFd, Errno> {
    let flags = DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Returns the entries of a directory.
pub(super) fn entries(directory: BorrowedFd<'_>) -> Result<Vec<(CString, FileType)>, Errno> {
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_owned();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if let Some(kind) = kind(directory, name.as_c_str())? {
            found.push((name, kind));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_that_do_not_go_down_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut beneath = Beneath::open(dir.path()).unwrap();
        for path in [
            "",
            ".",
            "..",
            "/etc/x",
            "a/../../x",
            "a//b",
            "a/./b",
            "a/",
            "a\0b",
        ] {
            assert!(
                matches!(
                    beneath.parent(path.as_bytes()),
                    Err(ExportError::Outside { .. })
                ),
                "{path:?}"
            );
        }
    }

    #[test]
    fn links_are_followed_inside_only() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("real/sub")).unwrap();
        symlink("real", dir.path().join("inside")).unwrap();
        symlink("/etc", dir.path().join("absolute")).unwrap();
        symlink("../..", dir.path().join("up")).unwrap();
        let mut beneath = Beneath::open(dir.path()).unwrap();
        assert!(beneath.parent(b"inside/sub/x").is_ok());
        for path in ["absolute/x", "up/x", "real/../up/x"] {
            assert!(
                matches!(
                    beneath.parent(path.as_bytes()),
                    Err(ExportError::Outside { .. })
                ),
                "{path}"
            );
        }
    }

    #[test]
    fn removing_a_directory_does_not_follow_links_out_of_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("gone/deep")).unwrap();
        fs::write(dir.path().join("kept"), "").unwrap();
        symlink(dir.path(), dir.path().join("gone/deep/link")).unwrap();
        let mut beneath = Beneath::open(dir.path()).unwrap();
        let (parent, name) = beneath.parent(b"gone").unwrap();
        remove(parent, name, FileType::Directory).unwrap();
        assert!(dir.path().join("kept").exists() && !dir.path().join("gone").exists());
    }
}
