//! Opens and inspects the entries of a folder. No link leads out of it, even if the folder changes
//! meanwhile.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{flags, names};
use crate::beneath::{BeneathError, Kind, Last, Links, Owner, Status, Step, resolve};

/// 1970 in the time of Windows: units of 100 ns since 1601.
const EPOCH: u64 = 116_444_736_000_000_000;

/// The cause of [`io::ErrorKind::InvalidFilename`].
#[derive(Debug, thiserror::Error)]
#[error("Windows does not allow this name")]
struct NotAllowed;

/// An open folder. Paths are relative to it, and `/` separates their names.
#[derive(Debug, Clone)]
pub struct Beneath {
    folder: Arc<Folder>,
}

/// An open folder. Others can neither delete nor rename it while it is open.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// The folder itself.
    _handle: File,
    /// The parent, which stays open too.
    _parent: Option<Arc<Folder>>,
}

impl Beneath {
    /// Opens the folder. Links on the way to it are followed.
    ///
    /// # Errors
    /// If the path does not exist or is not a folder.
    pub fn open(root: &Path) -> io::Result<Self> {
        // Windows does not interpret canonical paths: no name is a device, and none is shortened.
        let path = root.canonicalize()?;
        let handle = open(&path, flags::SHARE_READ | flags::SHARE_WRITE)?;
        if !handle.metadata()?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let folder = Folder {
            path,
            _handle: handle,
            _parent: None,
        };
        Ok(Self {
            folder: Arc::new(folder),
        })
    }

    /// Opens a regular file in the folder.
    ///
    /// # Errors
    /// [`BeneathError::Outside`] and [`BeneathError::NotRegular`].
    pub fn file(&self, path: &Path, links: Links) -> Result<File, BeneathError> {
        let path = names::bytes(path.as_os_str());
        let found = resolve(&path, links, |folder: Option<&Opened>, name, last| {
            let folder = folder.map_or(Ok(self), Opened::folder)?;
            folder.step(name, last == Last::Yes)
        });
        match found? {
            Some(Opened::File(file)) => Ok(file),
            _ => Err(BeneathError::NotRegular),
        }
    }

    /// Opens a folder in the folder; `.` is the folder itself.
    ///
    /// # Errors
    /// [`BeneathError::Outside`] if a link leads outside.
    pub fn directory(&self, path: &[u8], links: Links) -> Result<Self, BeneathError> {
        let found = resolve(path, links, |folder: Option<&Opened>, name, _| {
            let folder = folder.map_or(Ok(self), Opened::folder)?;
            folder.step(name, false)
        });
        match found? {
            Some(opened) => Ok(opened.folder()?.clone()),
            None => Ok(self.clone()),
        }
    }

    /// Opens a name in the folder. Without `or_file` only folders and links are accepted.
    fn step(&self, name: &[u8], or_file: bool) -> Result<Step<Opened>, BeneathError> {
        let path = self.at(name)?;
        let handle = open(&path, flags::SHARE_READ | flags::SHARE_WRITE)?;
        let found = handle.metadata()?;
        if found.is_symlink() {
            return Ok(Step::Link(target(&path)?));
        }
        if found.is_dir() {
            let folder = Folder {
                path,
                _handle: handle,
                _parent: Some(Arc::clone(&self.folder)),
            };
            return Ok(Step::Opened(Opened::Folder(Self {
                folder: Arc::new(folder),
            })));
        }
        if !or_file {
            return Err(io::Error::from(io::ErrorKind::NotADirectory).into());
        }
        // Open the file a second time, as other programs do: some stores keep a file as a link to
        // its content. The first handle only keeps the file in place.
        let file = OpenOptions::new().read(true).open(&path)?;
        Ok(Step::Opened(Opened::File(file)))
    }

    /// Returns the path of a name in the folder; `.` is the folder itself.
    pub(super) fn at_or_self(&self, name: &[u8]) -> io::Result<PathBuf> {
        match name {
            b"." => Ok(self.folder.path.clone()),
            name => self.at(name),
        }
    }

    /// Returns the path of a name in the folder.
    pub(super) fn at(&self, name: &[u8]) -> io::Result<PathBuf> {
        Ok(self.folder.path.join(allowed(name)?))
    }

    /// True if a link in the folder to this target leads to an existing folder, also outside.
    pub(super) fn leads_to_folder(&self, target: &[u8]) -> bool {
        let here = &self.folder.path;
        let mut path = match target.first() {
            Some(b'/') => here.ancestors().last().unwrap_or(here).to_owned(),
            _ => here.clone(),
        };
        for name in target.split(|&byte| byte == b'/') {
            match (name, allowed(name)) {
                (b"" | b".", _) => {}
                (b"..", _) => drop(path.pop()),
                (_, Ok(name)) => path.push(name),
                (_, Err(_)) => return false,
            }
        }
        path.is_dir()
    }

    /// Returns the same folder again, for another thread.
    ///
    /// # Errors
    /// None on Windows.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    /// Calls `visit` with each name in the folder and its type, in any order.
    ///
    /// # Errors
    /// If the folder cannot be read, and the errors of `visit`.
    pub fn each(&self, visit: &mut dyn FnMut(&[u8], Kind) -> io::Result<()>) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder.path)? {
            let entry = entry?;
            let name = entry.file_name();
            visit(&names::bytes(&name), kind(&entry.metadata()?))?;
        }
        Ok(())
    }

    /// Returns the metadata of a name in the folder, or of the folder for `.`. A link is not
    /// followed.
    ///
    /// # Errors
    /// If there is no such name.
    pub fn status(&self, name: &[u8]) -> io::Result<Status> {
        let found = fs::symlink_metadata(self.at_or_self(name)?)?;
        let kind = kind(&found);
        let since = found.last_write_time().cast_signed() - EPOCH.cast_signed();
        Ok(Status {
            kind,
            permissions: match found.permissions().readonly() && kind == Kind::File {
                true => 0o555,
                false => 0o755,
            },
            size: found.len(),
            modified: since.saturating_mul(100),
            device: 0,
            shared: None,
            owner: Owner::default(),
        })
    }

    /// Returns the target of a link in the folder; `/` separates its names.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if it is not a link.
    pub fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let path = self.at(name)?;
        match fs::symlink_metadata(&path)?.is_symlink() {
            true => target(&path),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Returns `None`: the path is needed only for [`has_no_attributes`](Self::has_no_attributes).
    pub fn absolute(&self) -> Option<Vec<u8>> {
        None
    }

    /// Returns true: Windows has no extended attributes that BuildKit supports.
    pub fn has_no_attributes(_folder: &[u8], _name: &[u8]) -> bool {
        true
    }

    /// Adds nothing: Windows has no extended attributes that BuildKit supports.
    ///
    /// # Errors
    /// None on Windows.
    pub fn attributes(
        &self,
        _name: &[u8],
        _found: &mut BTreeMap<String, Vec<u8>>,
    ) -> io::Result<()> {
        Ok(())
    }

    /// Returns an empty list, as [`attributes`](Self::attributes).
    pub fn own_attributes(&self, _wanted: fn(&[u8]) -> bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        Vec::new()
    }

    /// Returns an empty list, as [`attributes`](Self::attributes).
    pub fn file_attributes(_file: &File, _wanted: fn(&[u8]) -> bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        Vec::new()
    }
}

/// An opened folder or file.
enum Opened {
    Folder(Beneath),
    File(File),
}

impl Opened {
    fn folder(&self) -> Result<&Beneath, BeneathError> {
        match self {
            Self::Folder(folder) => Ok(folder),
            Self::File(_) => Err(io::Error::from(io::ErrorKind::NotADirectory).into()),
        }
    }
}

/// Returns a name that Windows takes as it is.
fn allowed(name: &[u8]) -> io::Result<&str> {
    // `:` would name a stream of a file, or a drive.
    let is_wrong = |c: char| c.is_control() || r#"\/:*?"<>|"#.contains(c);
    match std::str::from_utf8(name) {
        Ok(name) if !matches!(name, "" | "." | "..") && !name.contains(is_wrong) => Ok(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidFilename, NotAllowed)),
    }
}

/// Opens a file, a folder or a link itself.
fn open(path: &Path, share: u32) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(flags::READ)
        .share_mode(share)
        .custom_flags(flags::BACKUP_SEMANTICS | flags::OPEN_REPARSE_POINT)
        .open(path)
}

fn target(link: &Path) -> io::Result<Vec<u8>> {
    let target = fs::read_link(link)?;
    let target = names::bytes(target.as_os_str());
    Ok(match target.get(1) {
        // An absolute path leads out of the folder, on any drive.
        Some(b':') => [b"/", target.as_ref()].concat(),
        _ => target.into_owned(),
    })
}

fn kind(found: &Metadata) -> Kind {
    match found {
        found if found.is_symlink() => Kind::Link,
        found if found.is_dir() => Kind::Folder,
        found if found.is_file() => Kind::File,
        _ => Kind::Unknown,
    }
}
