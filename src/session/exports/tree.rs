//! Creates the entries of a local export. `content` writes the files that have content.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use super::beneath::{self, Beneath};
use super::budget::{self, Budget};
use super::content::Contents;
use super::error::ExportError;
use super::mirror::Mirror;
use crate::proto::fsutil::types::Stat;
use crate::session::fsutil::mode;

/// A destination and its pending files.
///
/// Directories have mode 0700 until the end, when their modes and times are set.
/// Owner and group are the caller's. Existing entries are replaced, but a directory stays.
#[derive(Debug)]
pub(super) struct Tree {
    beneath: Beneath,
    pub(super) contents: Contents,
    /// Hard links, which are created after their files: the new name and the existing one.
    links: Vec<(Vec<u8>, Vec<u8>)>,
    directories: Vec<Stat>,
    /// Set for a directory that must hold nothing else.
    mirror: Option<Mirror>,
    budget: Budget,
}

impl Tree {
    /// Opens the root. With `mirror`, files that do not arrive are removed.
    pub(super) fn open(root: &Path, mirror: bool) -> io::Result<Self> {
        let beneath = Beneath::open(root)?;
        Ok(Self {
            mirror: mirror.then(Mirror::default),
            contents: Contents::new(beneath.again()),
            beneath,
            links: Vec::new(),
            directories: Vec::new(),
            budget: Budget::default(),
        })
    }

    /// Creates the entry of a stat. Returns true for a file whose content must be requested.
    pub(super) fn create(&mut self, id: u32, stat: Stat) -> Result<bool, ExportError> {
        beneath::check(&stat.path)?;
        self.budget.take(&stat, self.mirror.is_some())?;
        if let Some(mirror) = &mut self.mirror {
            mirror.keep(&stat.path);
        }
        if stat.mode & mode::DIR != 0 {
            self.create_directory(stat)?;
        } else if !mode::has_content(stat.mode) {
            self.create_special(&stat)?;
        } else if !stat.linkname.is_empty() {
            beneath::check(&stat.linkname)?;
            self.links.push((stat.path, stat.linkname));
        } else if stat.size == 0 {
            let file = create_file(&mut self.beneath, &stat.path, stat.mode)?;
            complete(&file, stat.mode, stat.mod_time, &stat.xattrs)
                .map_err(|error| ExportError::file("create", &stat.path, error))?;
        } else {
            let values = (stat.mode, stat.mod_time);
            let mut pending = self.contents.pending();
            budget::files(pending.insert(id, &stat.path, values, stat.xattrs))?;
            return Ok(true);
        }
        Ok(false)
    }

    fn create_directory(&mut self, stat: Stat) -> Result<(), ExportError> {
        let (parent, name) = self.beneath.parent(&stat.path)?;
        let make = || match rustix::fs::mkdirat(parent, name, Mode::RWXU) {
            Err(Errno::EXIST) if beneath::kind(parent, name)? == Some(FileType::Directory) => {
                Ok(())
            }
            made => made,
        };
        replacing(parent, name, make)
            .map_err(|failed| failed.at("create directory", &stat.path))?;
        self.directories.push(stat);
        Ok(())
    }

    /// Creates links, pipes and devices.
    fn create_special(&mut self, stat: &Stat) -> Result<(), ExportError> {
        let (parent, name) = self.beneath.parent(&stat.path)?;
        if stat.mode & mode::SYMLINK != 0 {
            let make = || rustix::fs::symlinkat(&stat.linkname, parent, name);
            return replacing(parent, name, make)
                .and_then(|()| Ok(set_times(parent, name, stat.mod_time)?))
                .map_err(|failed| failed.at("create link", &stat.path));
        }
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
        let make = || rustix::fs::mknodat(parent, name, kind, permissions, device);
        replacing(parent, name, make)
            // Undo the umask.
            .and_then(|()| {
                rustix::fs::chmodat(parent, name, permissions, AtFlags::empty())?;
                Ok(set_times(parent, name, stat.mod_time)?)
            })
            .map_err(|failed| failed.at(action, &stat.path))
    }

    /// Does what must wait for all files, once they are written: creates hard links, removes other
    /// files of a mirror, and sets the modes and times of directories, innermost first.
    pub(super) fn complete(&mut self) -> Result<(), ExportError> {
        self.contents.flush()?;
        self.contents.finish()?;
        for (path, first) in mem::take(&mut self.links) {
            self.link(&path, &first)?;
        }
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

    fn link(&mut self, path: &[u8], first: &[u8]) -> Result<(), ExportError> {
        let (of_first, first_name) = self.beneath.parent(first)?;
        let of_first = of_first
            .try_clone_to_owned()
            .map_err(|error| ExportError::file("create link", path, error))?;
        let (parent, name) = self.beneath.parent(path)?;
        let make = || rustix::fs::linkat(&of_first, first_name, parent, name, AtFlags::empty());
        replacing(parent, name, make).map_err(|failed| failed.at("create link", path))
    }
}

/// Creates a file with its final permissions.
pub(super) fn create_file(
    beneath: &mut Beneath,
    path: &[u8],
    go_mode: u32,
) -> Result<File, ExportError> {
    let (parent, name) = beneath.parent(path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Set-id bits are only set on complete files.
    let mode = permissions(go_mode) & Mode::from_raw_mode(0o777);
    replacing(parent, name, || {
        rustix::fs::openat(parent, name, flags, mode)
    })
    .map(File::from)
    .map_err(|failed| failed.at("create", path))
}

/// Why an entry could not be created.
enum Failed {
    Make(Errno),
    /// The existing entry could not be removed.
    Replace(Errno),
}

impl Failed {
    fn at(self, action: &'static str, path: &[u8]) -> ExportError {
        match self {
            Self::Make(error) => ExportError::file(action, path, error),
            Self::Replace(error) => ExportError::file("replace", path, error),
        }
    }
}

impl From<Errno> for Failed {
    fn from(error: Errno) -> Self {
        Self::Make(error)
    }
}

/// Creates an entry and replaces an existing one. Usually there is none, so it tries before it
/// looks.
fn replacing<T>(
    parent: BorrowedFd<'_>,
    name: &[u8],
    make: impl Fn() -> Result<T, Errno>,
) -> Result<T, Failed> {
    match make() {
        Err(Errno::EXIST) => {}
        made => return Ok(made?),
    }
    if let Some(kind) = beneath::kind(parent, name).map_err(Failed::Replace)? {
        beneath::remove(parent, name, kind).map_err(Failed::Replace)?;
    }
    Ok(make()?)
}

/// Sets mode, owner and attributes. Attributes that the file system rejects are omitted, as in the
/// reference.
pub(super) fn complete(
    file: impl AsFd,
    mode: u32,
    time: i64,
    attributes: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Errno> {
    for (name, value) in attributes {
        let _ = rustix::fs::fsetxattr(&file, name.as_str(), value, XattrFlags::empty());
    }
    // A check is much cheaper than setting the same value again.
    let permissions = permissions(mode);
    if Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != permissions {
        rustix::fs::fchmod(&file, permissions)?;
    }
    rustix::fs::futimens(&file, &timestamps(time))
}

fn set_times(parent: BorrowedFd<'_>, name: &[u8], time: i64) -> Result<(), Errno> {
    rustix::fs::utimensat(parent, name, &timestamps(time), AtFlags::SYMLINK_NOFOLLOW)
}

fn permissions(go_mode: u32) -> Mode {
    Mode::from_raw_mode(mode::to_permissions(go_mode))
}

/// Returns both times, from nanoseconds since 1970.
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
