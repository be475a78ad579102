//! Creates, changes and removes the entries of a folder.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io;
use std::os::windows::fs::{OpenOptionsExt as _, symlink_dir, symlink_file};
use std::time::{Duration, SystemTime};

use super::{Beneath, flags, names};
use crate::beneath::{BeneathError, Kind, Links, Owner, Special};

impl Beneath {
    /// Creates a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], and other errors of the system call.
    pub fn make_folder(&self, name: &[u8]) -> io::Result<()> {
        fs::create_dir(self.at(name)?)
    }

    /// Creates a file, open for writing. The permissions of Unix are ignored.
    ///
    /// # Errors
    /// As [`make_folder`](Self::make_folder).
    pub fn make_file(&self, name: &[u8], _permissions: u32) -> io::Result<File> {
        File::create_new(self.at(name)?)
    }

    /// Creates a symbolic link. Windows has different links for files and folders: the link is for
    /// a folder if the target is an existing folder.
    ///
    /// # Errors
    /// As [`make_folder`](Self::make_folder). Windows lets users create links only in developer
    /// mode.
    pub fn make_link(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        let link = self.at(name)?;
        match self.leads_to_folder(target) {
            true => symlink_dir(names::path(target), link),
            false => symlink_file(names::path(target), link),
        }
    }

    /// Fails: folders of Windows have neither pipes nor devices.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] always.
    pub fn make_special(&self, _name: &[u8], _special: &Special) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Creates a hard link in this folder to the file `first_name` in the folder `first`.
    ///
    /// # Errors
    /// As [`make_folder`](Self::make_folder).
    pub fn make_hard_link(&self, name: &[u8], first: &Self, first_name: &[u8]) -> io::Result<()> {
        fs::hard_link(first.at(first_name)?, self.at(name)?)
    }

    /// Removes an entry of this type; a folder with its content. Links are not followed.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn remove(&self, name: &[u8], kind: Kind) -> io::Result<()> {
        let path = self.at(name)?;
        match kind {
            Kind::Folder => {
                let folder = self.inner(name)?;
                for (inner, kind) in folder.entries()? {
                    folder.remove(&inner, kind)?;
                }
                drop(folder);
                fs::remove_dir(path)
            }
            // A link to a folder is removed like a folder.
            Kind::Link => fs::remove_file(&path).or_else(|_| fs::remove_dir(path)),
            _ => fs::remove_file(path),
        }
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
        Ok(found)
    }

    /// Opens a folder by its name in this one, without following a link.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotADirectory`] if it is not a folder, or a link.
    pub fn inner(&self, name: &[u8]) -> io::Result<Self> {
        self.directory(name, Links::Never)
            .map_err(|error| match error {
                BeneathError::Io(error) => error,
                _ => io::ErrorKind::NotADirectory.into(),
            })
    }

    /// Does nothing: a link keeps its time, as with BuildKit's own clients.
    ///
    /// # Errors
    /// None on Windows.
    pub fn set_time(&self, _name: &[u8], _time: i64) -> io::Result<()> {
        Ok(())
    }

    /// Does nothing: files of Windows have no owners of Unix.
    ///
    /// # Errors
    /// None on Windows.
    pub fn give(&self, _name: &[u8], _owner: Owner) -> io::Result<()> {
        Ok(())
    }

    /// Does nothing, as [`give`](Self::give).
    ///
    /// # Errors
    /// None on Windows.
    pub fn give_file(_file: &File, _owner: Owner) -> io::Result<()> {
        Ok(())
    }

    /// Sets the time of a folder by its name in this one; `.` is this one. The time is in
    /// nanoseconds since 1970. Permissions and attributes are ignored.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn complete_folder(
        &self,
        name: &[u8],
        _permissions: u32,
        time: i64,
        _attributes: impl IntoIterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
    ) -> io::Result<()> {
        let folder = OpenOptions::new()
            .access_mode(flags::WRITE_ATTRIBUTES)
            .share_mode(flags::SHARE_READ | flags::SHARE_WRITE | flags::SHARE_DELETE)
            .custom_flags(flags::BACKUP_SEMANTICS | flags::OPEN_REPARSE_POINT)
            .open(self.at_or_self(name)?)?;
        set_times(&folder, time)
    }

    /// Sets the time of an open file, as [`complete_folder`](Self::complete_folder) does.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn complete_file(
        file: &File,
        _permissions: u32,
        time: i64,
        _attributes: impl IntoIterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
    ) -> io::Result<()> {
        set_times(file, time)
    }
}

fn set_times(file: &File, time: i64) -> io::Result<()> {
    let since = Duration::from_nanos(time.unsigned_abs());
    let time = match time < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(since),
        false => SystemTime::UNIX_EPOCH.checked_add(since),
    };
    match time {
        Some(time) => file.set_times(FileTimes::new().set_accessed(time).set_modified(time)),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}
