//! A directory that nothing leads out of: names given by the daemon are opened inside of it, whatever links there are.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::path::Arg;

use super::error::ExportError;
use crate::filepath;

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// The destination of an export.
#[derive(Debug)]
pub(super) struct Beneath {
    root: OwnedFd,
    /// The directory that was opened last; paths come in order, so it is mostly the next one too.
    last: Option<(String, OwnedFd)>,
}

impl Beneath {
    /// Opens the root.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = rustix::fs::openat(CWD, root, DIRECTORY | OFlags::RDONLY, Mode::empty())?;
        Ok(Self { root, last: None })
    }

    /// The root itself.
    pub(super) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// The directory that holds the path, and the name in it.
    pub(super) fn parent<'a>(
        &mut self,
        path: &'a str,
    ) -> Result<(BorrowedFd<'_>, &'a str), ExportError> {
        check(path)?;
        let (parent, name) = filepath::split_parent(path);
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = self.open_directory(parent).map_err(|error| match error {
                Errno::XDEV | Errno::LOOP => ExportError::Outside {
                    path: path.to_owned(),
                },
                error => ExportError::file("open", parent, error),
            })?;
            self.last = Some((parent.to_owned(), opened));
        }
        match &self.last {
            Some((_, directory)) => Ok((directory.as_fd(), name)),
            None => Ok((self.root.as_fd(), name)),
        }
    }

    /// Links that stay inside are followed, as by the reference. A kernel or sandbox without `openat2` follows none.
    fn open_directory(&self, path: &str) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(
            &self.root,
            path,
            DIRECTORY | OFlags::RDONLY,
            Mode::empty(),
            resolve,
        ) {
            Err(Errno::NOSYS | Errno::PERM) => self.open_step_by_step(path),
            opened => opened,
        }
    }

    fn open_step_by_step(&self, path: &str) -> Result<OwnedFd, Errno> {
        let flags = DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW;
        let mut directory = rustix::fs::openat(&self.root, ".", flags, Mode::empty())?;
        for name in path.split('/') {
            directory = rustix::fs::openat(&directory, name, flags, Mode::empty())?;
        }
        Ok(directory)
    }
}

/// Refuses what is no clean relative path downwards.
pub(super) fn check(path: &str) -> Result<(), ExportError> {
    let inside =
        !path.contains('\0') && path.split('/').all(|name| !matches!(name, "" | "." | ".."));
    if inside {
        Ok(())
    } else {
        Err(ExportError::Outside {
            path: path.to_owned(),
        })
    }
}

/// What is there under the name; a link is itself.
pub(super) fn kind(parent: BorrowedFd<'_>, name: impl Arg) -> Result<Option<FileType>, Errno> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes what is there, with everything in it.
pub(super) fn remove(
    parent: BorrowedFd<'_>,
    name: impl Arg + Copy,
    kind: FileType,
) -> Result<(), Errno> {
    if kind != FileType::Directory {
        return rustix::fs::unlinkat(parent, name, AtFlags::empty());
    }
    let directory = open(parent, name)?;
    for (inner, kind) in entries(&directory)? {
        remove(directory.as_fd(), inner.as_c_str(), kind)?;
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// Opens a directory that is no link.
pub(super) fn open(parent: BorrowedFd<'_>, name: impl Arg) -> Result<OwnedFd, Errno> {
    let flags = DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// What is in a directory.
pub(super) fn entries(directory: &OwnedFd) -> Result<Vec<(CString, FileType)>, Errno> {
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_owned();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if let Some(kind) = kind(directory.as_fd(), name.as_c_str())? {
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
                matches!(beneath.parent(path), Err(ExportError::Outside { .. })),
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
        assert!(beneath.parent("inside/sub/x").is_ok());
        for path in ["absolute/x", "up/x", "real/../up/x"] {
            assert!(
                matches!(beneath.parent(path), Err(ExportError::Outside { .. })),
                "{path}"
            );
        }
        assert!(beneath.open_step_by_step("real/sub").is_ok());
        assert!(beneath.open_step_by_step("inside/sub").is_err());
    }

    #[test]
    fn removing_a_directory_does_not_follow_links_out_of_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("gone/deep")).unwrap();
        fs::write(dir.path().join("kept"), "").unwrap();
        symlink(dir.path(), dir.path().join("gone/deep/link")).unwrap();
        let mut beneath = Beneath::open(dir.path()).unwrap();
        let (parent, name) = beneath.parent("gone").unwrap();
        remove(parent, name, FileType::Directory).unwrap();
        assert!(dir.path().join("kept").exists() && !dir.path().join("gone").exists());
    }
}
