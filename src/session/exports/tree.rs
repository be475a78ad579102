//! Creates the entries of a local export. `content` writes the files that have content.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::mem;
use std::path::Path;

use solvekit_host::{Kind, Special};

use super::beneath::{self, Beneath};
use super::budget::{self, Budget};
use super::content::Contents;
use super::distinct::Distinct;
use super::error::ExportError;
use super::mirror::Mirror;
use crate::files;
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
    distinct: Distinct,
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
            distinct: Distinct::default(),
            budget: Budget::default(),
        })
    }

    /// Creates the entry of a stat. Returns true for a file whose content must be requested.
    pub(super) fn create(&mut self, id: u32, stat: Stat) -> Result<bool, ExportError> {
        beneath::check(&stat.path)?;
        let is_remembered = self.mirror.is_some() || Distinct::remembers();
        self.budget.take(&stat, is_remembered)?;
        self.distinct.add(&stat.path, stat.mode & mode::DIR != 0)?;
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
        let make = || match parent.make_folder(name) {
            Err(error) if exists(&error) && parent.kind(name)? == Some(Kind::Folder) => Ok(()),
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
            let make = || parent.make_link(name, &stat.linkname);
            return replacing(parent, name, make)
                .and_then(|()| Ok(parent.set_time(name, stat.mod_time)?))
                .map_err(|failed| failed.at("create link", &stat.path));
        }
        let (kind, action) = if stat.mode & mode::CHAR_DEVICE != 0 {
            (Kind::CharacterDevice, "create device")
        } else if stat.mode & mode::DEVICE != 0 {
            (Kind::BlockDevice, "create device")
        } else if stat.mode & mode::NAMED_PIPE != 0 {
            (Kind::Pipe, "create pipe")
        } else {
            return Err(ExportError::Protocol("a file of a kind that is not known"));
        };
        let special = Special {
            kind,
            permissions: mode::to_permissions(stat.mode),
            major: stat.devmajor as u32,
            minor: stat.devminor as u32,
        };
        replacing(parent, name, || parent.make_special(name, &special))
            .and_then(|()| Ok(parent.set_time(name, stat.mod_time)?))
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
            let (parent, name) = self.beneath.parent(&stat.path)?;
            let permissions = mode::to_permissions(stat.mode);
            parent
                .complete_folder(name, permissions, stat.mod_time, &stat.xattrs)
                .map_err(|error| ExportError::file("complete", &stat.path, error))?;
        }
        Ok(())
    }

    fn link(&mut self, path: &[u8], first: &[u8]) -> Result<(), ExportError> {
        let (of_first, first_name) = self.beneath.parent(first)?;
        let of_first = of_first
            .try_clone()
            .map_err(|error| ExportError::file("create link", path, error))?;
        let (parent, name) = self.beneath.parent(path)?;
        let make = || parent.make_hard_link(name, &of_first, first_name);
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
    // Set-id bits are only set on complete files.
    let permissions = mode::to_permissions(go_mode) & 0o777;
    replacing(parent, name, || parent.make_file(name, permissions))
        .map_err(|failed| failed.at("create", path))
}

/// Why an entry could not be created.
enum Failed {
    Make(io::Error),
    /// The existing entry could not be removed.
    Replace(io::Error),
}

impl Failed {
    fn at(self, action: &'static str, path: &[u8]) -> ExportError {
        match self {
            Self::Make(error) => ExportError::file(action, path, error),
            Self::Replace(error) => ExportError::file("replace", path, error),
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Make(error)
    }
}

/// Creates an entry and replaces an existing one. Usually there is none, so it tries before it
/// looks.
fn replacing<T>(
    parent: &files::Beneath,
    name: &[u8],
    make: impl Fn() -> io::Result<T>,
) -> Result<T, Failed> {
    match make() {
        Err(error) if exists(&error) => {}
        made => return Ok(made?),
    }
    if let Some(kind) = parent.kind(name).map_err(Failed::Replace)? {
        parent.remove(name, kind).map_err(Failed::Replace)?;
    }
    Ok(make()?)
}

fn exists(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}

/// Sets mode, time and attributes of a complete file.
pub(super) fn complete(
    file: &File,
    go_mode: u32,
    time: i64,
    attributes: &BTreeMap<String, Vec<u8>>,
) -> io::Result<()> {
    files::Beneath::complete_file(file, mode::to_permissions(go_mode), time, attributes)
}
