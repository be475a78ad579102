//! Opens files inside a folder. No link leads outside, even if the folder changes meanwhile.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::path::Arg;

const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC);
/// Opening must not wait for a pipe's other end or acquire a controlling terminal.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// An open folder. Paths are relative to it and have no empty element.
#[derive(Debug)]
pub struct Beneath {
    root: OwnedFd,
}

/// The treatment of symbolic links in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Follows links that stay inside the folder; absolute links do not. Without `openat2` (older
    /// kernels, some sandboxes) no link is followed.
    Inside,
    /// Follows no link.
    Never,
}

/// The reason a path in a folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeneathError {
    /// A link leads out of the folder, or links are not allowed.
    #[error("a symbolic link leads out of the folder")]
    Outside,
    /// The path is a folder, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// The system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl BeneathError {
    /// Returns true if nothing exists at the path.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Io(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                )
        )
    }
}

impl From<Errno> for BeneathError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::XDEV | Errno::LOOP => Self::Outside,
            error => Self::Io(error.into()),
        }
    }
}

impl Beneath {
    /// Opens the folder. Links on the way to it are followed.
    ///
    /// # Errors
    /// If the path does not exist or is not a folder.
    pub fn open(root: &Path) -> io::Result<Self> {
        let root = rustix::fs::openat(CWD, root, DIRECTORY, Mode::empty())?;
        Ok(Self { root })
    }

    /// Opens a regular file in the folder.
    ///
    /// # Errors
    /// [`BeneathError::Outside`] and [`BeneathError::NotRegular`]. Pipes and devices are neither
    /// read nor waited for.
    pub fn file(&self, path: &Path, links: Links) -> Result<File, BeneathError> {
        let file = File::from(self.resolve(path, FILE, links)?);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(BeneathError::NotRegular),
        }
    }

    /// Opens a folder in the folder; `.` is the folder itself.
    ///
    /// # Errors
    /// The system's error; `EXDEV` or `ELOOP` if a link leads outside.
    pub fn directory(&self, path: impl Arg + Copy, links: Links) -> Result<OwnedFd, Errno> {
        self.resolve(path, DIRECTORY, links)
    }

    fn resolve(
        &self,
        path: impl Arg + Copy,
        flags: OFlags,
        links: Links,
    ) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let resolve = match links {
            Links::Inside => resolve,
            Links::Never => resolve | ResolveFlags::NO_SYMLINKS,
        };
        match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve) {
            Err(Errno::NOSYS | Errno::PERM) => self.step_by_step(path, flags),
            // A concurrent rename kept the kernel from deciding.
            Err(Errno::AGAIN) => self.step_by_step(path, flags),
            opened => opened,
        }
    }

    /// Opens one path element after the other and follows no link, for systems without `openat2`.
    fn step_by_step(&self, path: impl Arg, flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = path.into_c_str()?;
        let mut names: Vec<&[u8]> = path.to_bytes().split(|&byte| byte == b'/').collect();
        let last = names.pop().unwrap_or_default();
        let nofollow = DIRECTORY | OFlags::NOFOLLOW;
        let mut directory = rustix::fs::openat(&self.root, ".", nofollow, Mode::empty())?;
        for name in names {
            inside(name)?;
            directory = rustix::fs::openat(&directory, name, nofollow, Mode::empty())?;
        }
        inside(last)?;
        rustix::fs::openat(&directory, last, flags | OFlags::NOFOLLOW, Mode::empty())
    }
}

impl AsFd for Beneath {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }
}

/// Rejects `..` and absolute paths.
fn inside(name: &[u8]) -> Result<(), Errno> {
    match name {
        b"" | b".." => Err(Errno::XDEV),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, Beneath) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("root/real/sub")).unwrap();
        fs::write(folder.path().join("root/real/file"), "inside").unwrap();
        fs::write(folder.path().join("secret"), "outside").unwrap();
        let root = folder.path().join("root");
        symlink("real/file", root.join("in")).unwrap();
        symlink("../secret", root.join("up")).unwrap();
        symlink(folder.path().join("secret"), root.join("absolute")).unwrap();
        symlink("..", root.join("parent")).unwrap();
        symlink("real", root.join("linked")).unwrap();
        let beneath = Beneath::open(&root).unwrap();
        (folder, beneath)
    }

    fn read(beneath: &Beneath, path: &str, links: Links) -> Result<String, BeneathError> {
        let mut text = String::new();
        beneath
            .file(Path::new(path), links)?
            .read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn links_are_followed_inside_only() {
        let (_folder, beneath) = folder();
        for path in ["real/file", "in", "linked/file"] {
            assert_eq!(read(&beneath, path, Links::Inside).unwrap(), "inside");
        }
        for path in [
            "up",
            "absolute",
            "parent/secret",
            "../secret",
            "linked/../up",
        ] {
            let error = read(&beneath, path, Links::Inside).unwrap_err();
            assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
        }
        for path in ["in", "linked/file"] {
            let error = read(&beneath, path, Links::Never).unwrap_err();
            assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
        }
        assert!(
            read(&beneath, "none", Links::Inside)
                .unwrap_err()
                .is_missing()
        );
    }

    #[test]
    fn without_openat2_no_link_is_followed_and_nothing_leads_out() {
        let (_folder, beneath) = folder();
        assert!(beneath.step_by_step("real/file", FILE).is_ok());
        assert!(beneath.step_by_step("real/sub", DIRECTORY).is_ok());
        assert!(beneath.step_by_step(".", DIRECTORY).is_ok());
        for path in [
            "in",
            "up",
            "parent/secret",
            "linked/file",
            "../secret",
            "/etc/passwd",
        ] {
            assert!(beneath.step_by_step(path, FILE).is_err(), "{path}");
        }
    }

    #[test]
    fn pipes_devices_and_folders_are_no_files_and_nothing_waits_for_them() {
        let (folder, beneath) = folder();
        let pipe = folder.path().join("root/pipe");
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(CWD, &pipe, fifo, 0o600.into(), 0).unwrap();
        for path in ["pipe", "real"] {
            let error = read(&beneath, path, Links::Inside).unwrap_err();
            assert!(matches!(error, BeneathError::NotRegular), "{path}: {error}");
        }
    }
}
