//! Opens and inspects the entries of a folder. No link leads out of it, even if the folder changes
//! meanwhile.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::names;
use crate::beneath::{BeneathError, Kind, Last, Links, Owner, Status, Step, resolve};

const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC);
/// Opening must not wait for a pipe's other end or acquire a controlling terminal.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// An open folder. Paths are relative to it, and `/` separates their names.
#[derive(Debug)]
pub struct Beneath {
    root: OwnedFd,
}

impl From<Errno> for BeneathError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::XDEV | Errno::LOOP => Self::Outside,
            Errno::NXIO | Errno::OPNOTSUPP => Self::Socket,
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
        let path = names::bytes(path.as_os_str());
        let file = File::from(self.resolve(&path, FILE, links)?);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(BeneathError::NotRegular),
        }
    }

    /// Opens a folder in the folder; `.` is the folder itself.
    ///
    /// # Errors
    /// [`BeneathError::Outside`] if a link leads outside.
    pub fn directory(&self, path: &[u8], links: Links) -> Result<Self, BeneathError> {
        let root = self.resolve(path, DIRECTORY, links)?;
        Ok(Self { root })
    }

    #[cfg(target_os = "linux")]
    fn resolve(&self, path: &[u8], flags: OFlags, links: Links) -> Result<OwnedFd, BeneathError> {
        use rustix::fs::ResolveFlags;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let resolve = match links {
            Links::Inside => resolve,
            Links::Never => resolve | ResolveFlags::NO_SYMLINKS,
        };
        match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve) {
            // Older kernels and some sandboxes do not have the call. With `EAGAIN` a
            // concurrent rename kept the kernel from deciding.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => self.step_by_step(path, flags, links),
            opened => Ok(opened?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn resolve(&self, path: &[u8], flags: OFlags, links: Links) -> Result<OwnedFd, BeneathError> {
        self.step_by_step(path, flags, links)
    }

    /// Opens one path element after the other, for systems without `openat2`.
    fn step_by_step(
        &self,
        path: &[u8],
        flags: OFlags,
        links: Links,
    ) -> Result<OwnedFd, BeneathError> {
        let found = resolve(path, links, |folder: Option<&OwnedFd>, name, last| {
            let folder = folder.unwrap_or(&self.root).as_fd();
            let flags = match last {
                Last::Yes => flags,
                Last::No => DIRECTORY,
            };
            match rustix::fs::openat(folder, name, flags | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(opened) => Ok(Step::Opened(opened)),
                // The error for a link depends on the system and the flags.
                Err(error) => match rustix::fs::readlinkat(folder, name, Vec::new()) {
                    Ok(target) => Ok(Step::Link(target.into_bytes())),
                    Err(_) => Err(error.into()),
                },
            }
        });
        match found? {
            Some(opened) => Ok(opened),
            None => Ok(rustix::fs::openat(
                &self.root,
                ".",
                DIRECTORY,
                Mode::empty(),
            )?),
        }
    }

    /// Returns the same folder again, for another thread.
    ///
    /// # Errors
    /// If the process has too many open files.
    pub fn try_clone(&self) -> io::Result<Self> {
        let root = self.root.try_clone()?;
        Ok(Self { root })
    }

    /// Calls `visit` with each name in the folder and its type, in any order.
    ///
    /// # Errors
    /// If the folder cannot be read, and the errors of `visit`.
    pub fn each(&self, visit: &mut dyn FnMut(&[u8], Kind) -> io::Result<()>) -> io::Result<()> {
        for entry in Dir::read_from(&self.root)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                visit(name, kind(entry.file_type()))?;
            }
        }
        Ok(())
    }

    /// Returns the metadata of a name in the folder. A link is not followed.
    ///
    /// # Errors
    /// If there is no such name, or the folder may not be searched.
    pub fn status(&self, name: &[u8]) -> io::Result<Status> {
        let found = rustix::fs::statat(&self.root, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = kind(FileType::from_raw_mode(found.st_mode));
        let is_shared = found.st_nlink > 1 && kind != Kind::Folder;
        let permissions = Mode::from_raw_mode(found.st_mode);
        let nanoseconds = number(found.st_mtime_nsec) as i64;
        Ok(Status {
            kind,
            permissions: number(permissions.bits()) as u32,
            size: number(found.st_size),
            modified: signed(found.st_mtime)
                .wrapping_mul(1_000_000_000)
                .wrapping_add(nanoseconds),
            device: number(found.st_rdev),
            shared: is_shared.then_some((number(found.st_dev), number(found.st_ino))),
            owner: Owner {
                user: found.st_uid,
                group: found.st_gid,
            },
        })
    }

    /// Returns the target of a link in the folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if it is not a link.
    pub fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let target = rustix::fs::readlinkat(&self.root, name, Vec::new())?;
        Ok(target.into_bytes())
    }
}

impl AsFd for Beneath {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }
}

fn kind(found: FileType) -> Kind {
    match found {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Fifo => Kind::Pipe,
        FileType::Socket => Kind::Socket,
        FileType::BlockDevice => Kind::BlockDevice,
        FileType::CharacterDevice => Kind::CharacterDevice,
        FileType::Unknown => Kind::Unknown,
    }
}

/// Converts a number whose type differs between systems.
fn number<T: TryInto<u64>>(value: T) -> u64 {
    value.try_into().unwrap_or_default()
}

fn signed<T: TryInto<i64>>(value: T) -> i64 {
    value.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests;
