//! Creates, changes and removes the entries of a folder.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};

use super::Beneath;
use crate::beneath::{Kind, Links, Owner, Special};

impl Beneath {
    /// Creates a folder with mode 0700.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], and other errors of the system call.
    pub fn make_folder(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(self, name, Mode::RWXU)?)
    }

    /// Creates a file with these permissions, open for writing.
    ///
    /// # Errors
    /// As [`make_folder`](Self::make_folder).
    pub fn make_file(&self, name: &[u8], permissions: u32) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = mode(permissions);
        Ok(File::from(rustix::fs::openat(self, name, flags, mode)?))
    }

    /// Creates a symbolic link.
    ///
    /// # Errors
    /// As [`make_folder`](Self::make_folder).
    pub fn make_link(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, self, name)?)
    }

    /// Creates a pipe or a device. The umask has no effect.
    ///
    /// # Errors
    /// As [`make_folder`](Self::make_folder). [`io::ErrorKind::InvalidInput`] for other types.
    #[cfg(target_os = "linux")]
    pub fn make_special(&self, name: &[u8], special: &Special) -> io::Result<()> {
        use rustix::fs::FileType;
        let kind = match special.kind {
            Kind::CharacterDevice => FileType::CharacterDevice,
            Kind::BlockDevice => FileType::BlockDevice,
            Kind::Pipe => FileType::Fifo,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let device = rustix::fs::makedev(special.major, special.minor);
        let mode = mode(special.permissions);
        rustix::fs::mknodat(self, name, kind, mode, device)?;
        Ok(rustix::fs::chmodat(self, name, mode, AtFlags::empty())?)
    }

    /// Creates a pipe or a device. The umask has no effect.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`]: macOS has no such call for an open folder.
    #[cfg(not(target_os = "linux"))]
    pub fn make_special(&self, _name: &[u8], _special: &Special) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Creates a hard link in this folder to the file `first_name` in the folder `first`.
    ///
    /// # Errors
    /// As [`make_folder`](Self::make_folder).
    pub fn make_hard_link(&self, name: &[u8], first: &Self, first_name: &[u8]) -> io::Result<()> {
        let flags = AtFlags::empty();
        Ok(rustix::fs::linkat(first, first_name, self, name, flags)?)
    }

    /// Removes an entry of this type; a folder with its content. Links are not followed.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn remove(&self, name: &[u8], kind: Kind) -> io::Result<()> {
        if kind != Kind::Folder {
            return Ok(rustix::fs::unlinkat(self, name, AtFlags::empty())?);
        }
        let folder = self.inner(name)?;
        for (inner, kind) in folder.entries()? {
            folder.remove(&inner, kind)?;
        }
        Ok(rustix::fs::unlinkat(self, name, AtFlags::REMOVEDIR)?)
    }

    /// Returns the names in the folder with their types.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn entries(&self) -> io::Result<Vec<(Vec<u8>, Kind)>> {
        let mut found = Vec::new();
        self.each(&mut |name, kind| {
            found.push((name.to_vec(), kind));
            Ok(())
        })?;
        for (name, kind) in &mut found {
            // Some file systems list names without types.
            if *kind == Kind::Unknown {
                *kind = self.status(name)?.kind;
            }
        }
        Ok(found)
    }

    /// Opens a folder by its name in this one, without following a link.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotADirectory`] if it is not a folder, or a link.
    pub fn inner(&self, name: &[u8]) -> io::Result<Self> {
        self.directory(name, Links::Never)
            .map_err(|error| match error {
                crate::BeneathError::Io(error) => error,
                _ => io::ErrorKind::NotADirectory.into(),
            })
    }

    /// Sets the access and modification times of a name, in nanoseconds since 1970. A link is not
    /// followed.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn set_time(&self, name: &[u8], time: i64) -> io::Result<()> {
        let times = timestamps(time);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(rustix::fs::utimensat(self, name, &times, flags)?)
    }

    /// Sets the owner of a name. A link is not followed. Only root can do this.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn give(&self, name: &[u8], owner: Owner) -> io::Result<()> {
        let (user, group) = (Uid::from_raw(owner.user), Gid::from_raw(owner.group));
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(rustix::fs::chownat(
            self,
            name,
            Some(user),
            Some(group),
            flags,
        )?)
    }

    /// Sets the owner of an open file. Only root can do this. A new owner clears set-id bits and
    /// capabilities, so call this before [`complete_file`](Self::complete_file).
    ///
    /// # Errors
    /// If the system call fails.
    pub fn give_file(file: &File, owner: Owner) -> io::Result<()> {
        let (user, group) = (Uid::from_raw(owner.user), Gid::from_raw(owner.group));
        Ok(rustix::fs::fchown(file, Some(user), Some(group))?)
    }

    /// Sets permissions, time and attributes of a folder by its name in this one; `.` is this one.
    ///
    /// # Errors
    /// As [`complete_file`](Self::complete_file).
    pub fn complete_folder(
        &self,
        name: &[u8],
        permissions: u32,
        time: i64,
        attributes: impl IntoIterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
    ) -> io::Result<()> {
        complete(self.inner(name)?, permissions, time, attributes)
    }

    /// Sets permissions, time and attributes of an open file. Attributes that the file system
    /// rejects are omitted, as in BuildKit's fsutil.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn complete_file(
        file: &File,
        permissions: u32,
        time: i64,
        attributes: impl IntoIterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
    ) -> io::Result<()> {
        complete(file, permissions, time, attributes)
    }
}

fn complete(
    file: impl AsFd,
    permissions: u32,
    time: i64,
    attributes: impl IntoIterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
) -> io::Result<()> {
    for (name, value) in attributes {
        let (name, value) = (name.as_ref(), value.as_ref());
        let _ = rustix::fs::fsetxattr(&file, name, value, XattrFlags::empty());
    }
    // A check is much cheaper than setting the same value again.
    let permissions = mode(permissions);
    if Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != permissions {
        rustix::fs::fchmod(&file, permissions)?;
    }
    Ok(rustix::fs::futimens(&file, &timestamps(time))?)
}

fn mode(permissions: u32) -> Mode {
    // The bits of permissions fit into every system's type.
    Mode::from_bits_truncate((permissions & 0o7777) as rustix::fs::RawMode)
}

/// Converts nanoseconds since 1970 to equal access and modification times.
fn timestamps(time: i64) -> Timestamps {
    const SECOND: i64 = 1_000_000_000;
    let time = Timespec {
        tv_sec: time.div_euclid(SECOND),
        tv_nsec: time.rem_euclid(SECOND),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn removing_a_folder_does_not_follow_links_out_of_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("gone/deep")).unwrap();
        fs::write(folder.path().join("kept"), "").unwrap();
        symlink(folder.path(), folder.path().join("gone/deep/link")).unwrap();
        let beneath = Beneath::open(folder.path()).unwrap();
        beneath.remove(b"gone", Kind::Folder).unwrap();
        assert!(folder.path().join("kept").exists() && !folder.path().join("gone").exists());
    }
}
