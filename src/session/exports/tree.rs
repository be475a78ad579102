//! Writes the files of a local export, one packet at a time.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use super::beneath::{self, Beneath};
use super::error::ExportError;
use super::mirror::Mirror;
use crate::proto::fsutil::types::Stat;
use crate::session::fsutil::{PathTable, mode};

/// A destination with the files that are on their way.
///
/// Files keep mode 0600 until they are complete, directories 0700 until everything is; modes and times are set then.
/// Owner and group are those of the caller. What was there under a name is replaced, except that a directory stays one.
#[derive(Debug)]
pub(super) struct Tree {
    beneath: Beneath,
    /// The files that will be asked for, with mode and time.
    files: PathTable<2>,
    /// Extended attributes of such files; few have any.
    attributes: HashMap<u32, BTreeMap<String, Vec<u8>>>,
    open: HashMap<u32, File>,
    directories: Vec<Stat>,
    /// Of a directory that is to hold nothing else.
    mirror: Option<Mirror>,
}

impl Tree {
    /// Opens the root; what does not arrive is removed from a mirror.
    pub(super) fn open(root: &Path, mirror: bool) -> io::Result<Self> {
        Ok(Self {
            mirror: mirror.then(Mirror::default),
            beneath: Beneath::open(root)?,
            files: PathTable::default(),
            attributes: HashMap::new(),
            open: HashMap::new(),
            directories: Vec::new(),
        })
    }

    /// Creates what the stat describes. True for a file whose content has to be asked for.
    pub(super) fn create(&mut self, id: u32, stat: Stat) -> Result<bool, ExportError> {
        if let Some(mirror) = &mut self.mirror {
            mirror.keep(&stat.path);
        }
        let (parent, name) = self.beneath.parent(&stat.path)?;
        let found = beneath::kind(parent, name)
            .map_err(|error| ExportError::file("look at", &stat.path, error))?;
        let is_directory = stat.mode & mode::DIR != 0;
        match found {
            Some(FileType::Directory) if is_directory => {
                self.directories.push(stat);
                return Ok(false);
            }
            Some(kind) => beneath::remove(parent, name, kind)
                .map_err(|error| ExportError::file("replace", &stat.path, error))?,
            None => {}
        }
        if is_directory {
            rustix::fs::mkdirat(parent, name, Mode::RWXU)
                .map_err(|error| ExportError::file("create directory", &stat.path, error))?;
            self.directories.push(stat);
            return Ok(false);
        }
        if mode::has_content(stat.mode) && stat.linkname.is_empty() {
            return self.create_file(id, stat);
        }
        self.create_other(&stat)?;
        Ok(false)
    }

    fn create_file(&mut self, id: u32, stat: Stat) -> Result<bool, ExportError> {
        let failed = |error: Errno| ExportError::file("create", &stat.path, error);
        let (parent, name) = self.beneath.parent(&stat.path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(
            rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?,
        );
        if stat.size == 0 {
            complete(&file, stat.mode, stat.mod_time, &stat.xattrs).map_err(failed)?;
            return Ok(false);
        }
        self.files.insert(
            id,
            &stat.path,
            [u64::from(stat.mode), stat.mod_time.cast_unsigned()],
        );
        if !stat.xattrs.is_empty() {
            self.attributes.insert(id, stat.xattrs);
        }
        Ok(true)
    }

    /// Links, pipes and devices.
    fn create_other(&mut self, stat: &Stat) -> Result<(), ExportError> {
        if stat.mode & mode::SYMLINK != 0 {
            let (parent, name) = self.beneath.parent(&stat.path)?;
            return rustix::fs::symlinkat(&stat.linkname, parent, name)
                .and_then(|()| set_times(parent, name, stat.mod_time))
                .map_err(|error| ExportError::file("create link", &stat.path, error));
        }
        if mode::has_content(stat.mode) {
            let failed = |error: io::Error| ExportError::file("create link", &stat.path, error);
            let (first, first_name) = self.beneath.parent(&stat.linkname)?;
            let first = first.try_clone_to_owned().map_err(failed)?;
            let (parent, name) = self.beneath.parent(&stat.path)?;
            return rustix::fs::linkat(first, first_name, parent, name, AtFlags::empty())
                .map_err(|error| failed(error.into()));
        }
        let (parent, name) = self.beneath.parent(&stat.path)?;
        let (kind, action) = if stat.mode & mode::CHAR_DEVICE != 0 {
            (FileType::CharacterDevice, "create device")
        } else if stat.mode & mode::DEVICE != 0 {
            (FileType::BlockDevice, "create device")
        } else if stat.mode & mode::NAMED_PIPE != 0 {
            (FileType::Fifo, "create pipe")
        } else {
            return Err(ExportError::Protocol("a file of a kind that is not known"));
        };
        let device = rustix::fs::makedev(stat.devmajor as u32, stat.devminor as u32);
        let permissions = permissions(stat.mode);
        rustix::fs::mknodat(parent, name, kind, permissions, device)
            // Whatever the umask took away.
            .and_then(|()| rustix::fs::chmodat(parent, name, permissions, AtFlags::empty()))
            .and_then(|()| set_times(parent, name, stat.mod_time))
            .map_err(|error| ExportError::file(action, &stat.path, error))
    }

    /// Appends to a file that was asked for.
    pub(super) fn write(&mut self, id: u32, data: &[u8]) -> Result<(), ExportError> {
        if !self.open.contains_key(&id) {
            let (_, file) = self.reopen(id)?;
            self.open.insert(id, file);
        }
        let written = self
            .open
            .get_mut(&id)
            .map_or(Ok(()), |file| file.write_all(data));
        written.map_err(|error| {
            let path = self
                .files
                .get(id)
                .map_or_else(String::new, |(path, _)| path);
            ExportError::file("write", &path, error)
        })
    }

    /// Completes a file that was asked for.
    pub(super) fn finish(&mut self, id: u32) -> Result<(), ExportError> {
        let file = match self.open.remove(&id) {
            Some(file) => file,
            None => self.reopen(id)?.1,
        };
        let (path, [mode, time]) = self.files.get(id).ok_or(ExportError::NotAsked { id })?;
        let attributes = self.attributes.remove(&id).unwrap_or_default();
        complete(&file, mode as u32, time.cast_signed(), &attributes)
            .map_err(|error| ExportError::file("complete", &path, error))
    }

    fn reopen(&mut self, id: u32) -> Result<(String, File), ExportError> {
        let (path, _) = self.files.get(id).ok_or(ExportError::NotAsked { id })?;
        let (parent, name) = self.beneath.parent(&path)?;
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(parent, name, flags, Mode::empty());
        let file = opened.map_err(|error| ExportError::file("write", &path, error))?;
        Ok((path, file.into()))
    }

    /// Removes what did not arrive, if that is wanted, and gives the directories their modes and times, the innermost first.
    pub(super) fn finish_directories(&mut self) -> Result<(), ExportError> {
        if let Some(mirror) = self.mirror.take() {
            mirror.remove_others(self.beneath.root())?;
        }
        while let Some(stat) = self.directories.pop() {
            let failed = |error: Errno| ExportError::file("complete", &stat.path, error);
            let (parent, name) = self.beneath.parent(&stat.path)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let directory =
                rustix::fs::openat(parent, name, flags, Mode::empty()).map_err(failed)?;
            complete(&directory, stat.mode, stat.mod_time, &stat.xattrs).map_err(failed)?;
        }
        Ok(())
    }
}

/// Attributes that the file system does not take are left out, as by the reference.
fn complete(
    file: impl AsFd,
    mode: u32,
    time: i64,
    attributes: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Errno> {
    for (name, value) in attributes {
        let _ = rustix::fs::fsetxattr(&file, name.as_str(), value, XattrFlags::empty());
    }
    rustix::fs::fchmod(&file, permissions(mode))?;
    rustix::fs::futimens(&file, &timestamps(time))
}

fn set_times(parent: BorrowedFd<'_>, name: &str, time: i64) -> Result<(), Errno> {
    rustix::fs::utimensat(parent, name, &timestamps(time), AtFlags::SYMLINK_NOFOLLOW)
}

fn permissions(go_mode: u32) -> Mode {
    Mode::from_raw_mode(mode::to_permissions(go_mode))
}

/// Both times, from nanoseconds since 1970.
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
