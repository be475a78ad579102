//! Files that appear complete or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use solvekit_host::files::with_permissions;

/// Permissions of a new file, before the umask.
const MODE: u32 = 0o666;

/// A new file that replaces another one atomically. It is removed when it is dropped uncommitted.
///
/// It is written under a random name in the same folder. That name must not exist, so nobody can
/// prepare a link there. A link at the final path is replaced, not followed.
///
/// ```
/// use std::io::Write as _;
/// use solvekit_registry::files::AtomicFile;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("result");
/// let mut file = AtomicFile::create(&path)?;
/// file.write_all(b"whole")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
}

impl AtomicFile {
    /// Creates a file with the usual permissions.
    ///
    /// # Errors
    /// If the folder is not writable, or the path has no file name.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::create_with_mode(path, MODE)
    }

    /// Creates a file with these permissions, less the umask.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with_mode(path: &Path, mode: u32) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        Self::create_at(path, path.with_file_name(random_name(name)?), mode)
    }

    /// Creates the temporary file in another folder of the same file system, where it disturbs
    /// nobody.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_in(folder: &Path, path: &Path, mode: u32) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        Self::create_at(path, folder.join(random_name(name)?), mode)
    }

    fn create_at(path: &Path, temporary: PathBuf, mode: u32) -> io::Result<Self> {
        let mut create = OpenOptions::new();
        create.write(true).create_new(true);
        Ok(Self {
            file: with_permissions(&mut create, mode).open(&temporary)?,
            temporary,
            path: path.to_owned(),
        })
    }

    /// Returns the open file, so that owner and permissions can be set.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file to disk and renames it into place. The name never appears before the bytes.
    ///
    /// # Errors
    /// If the sync or the rename fails. The old file then stays in place.
    pub fn commit(self) -> io::Result<()> {
        self.place().map(drop)
    }

    /// Renames the file into place while it is still being written, for readers that follow it.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn publish(self) -> io::Result<File> {
        let file = self.file.try_clone()?;
        self.place()?;
        Ok(file)
    }

    /// Renames the file into place without a sync, for files that may be lost: if the machine
    /// crashes soon after, it can be empty.
    ///
    /// # Errors
    /// If the rename fails. The old file then stays in place.
    pub fn commit_unsynced(mut self) -> io::Result<()> {
        self.rename()
    }

    fn rename(&mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)?;
        self.temporary = PathBuf::new();
        Ok(())
    }

    fn place(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        self.rename()?;
        if let Some(folder) = self.path.parent().filter(|it| !it.as_os_str().is_empty()) {
            // Syncs the name as well. Some file systems do not support this; the file is complete
            // anyway.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            // Nothing can be done if the removal fails.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a whole file atomically.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// The destination of output: a file, or an existing pipe or device.
#[derive(Debug)]
pub enum Destination {
    /// A file, which appears only when it is complete.
    File(AtomicFile),
    /// A pipe, a socket, a terminal or another device. It is written to and never replaced.
    Special(File),
}

impl Destination {
    /// Opens the destination.
    ///
    /// # Errors
    /// If it is not writable.
    pub fn open(path: &Path) -> io::Result<Self> {
        match Self::is_special(path) {
            // The shell may have opened `/dev/stdout` as a file with content, so append.
            true => Ok(Self::Special(OpenOptions::new().append(true).open(path)?)),
            false => Ok(Self::File(AtomicFile::create(path)?)),
        }
    }

    /// Returns true if the path is a pipe, a socket or a device, or names an open file
    /// (`/dev/stdout`, `/dev/fd/3`).
    pub fn is_special(path: &Path) -> bool {
        let is_open_file = path.parent() == Some(Path::new("/dev"))
            || path.starts_with("/dev/fd")
            || path.starts_with("/proc");
        let found = path.metadata();
        found.is_ok_and(|found| !found.is_dir() && (is_open_file || !found.is_file()))
    }

    /// Completes the output.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::File(file) => file.commit(),
            Self::Special(mut file) => file.flush(),
        }
    }

    /// Renames a file into place before it is complete, for readers that follow it.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn publish(self) -> io::Result<File> {
        match self {
            Self::File(file) => file.publish(),
            Self::Special(file) => Ok(file),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(data),
            Self::Special(file) => file.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Special(file) => file.flush(),
        }
    }
}

/// Returns a hidden name that nobody can guess, based on the final name.
///
/// # Errors
/// If the system has no random numbers.
pub fn random_name(name: &std::ffi::OsStr) -> io::Result<std::ffi::OsString> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    // A name can have 255 bytes; the random part takes 34.
    let text = name.to_string_lossy();
    let mut end = text.len().min(200);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let random = u128::from_le_bytes(random);
    Ok(format!(".{}.{random:032x}", &text[..end]).into())
}

#[cfg(test)]
mod tests;
