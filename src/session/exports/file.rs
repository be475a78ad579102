//! Exports that are one stream of bytes: archives.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where an archive goes. It counts as received only once [`ExportedFile::finish`] succeeded.
pub(crate) enum ExportedFile {
    /// Whatever the caller made of it.
    Writer(Box<dyn Write + Send>),
    /// A file that gets its name when it is complete.
    File {
        file: File,
        temporary: Temporary,
        path: PathBuf,
    },
}

/// A file that is removed unless it was renamed.
pub(crate) struct Temporary {
    path: PathBuf,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed, or nothing can be done about it.
        let _ = fs::remove_file(&self.path);
    }
}

impl ExportedFile {
    /// A file, made beside its final place so that renaming is one step. A pipe or device is written to as it is.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        if Self::is_special(path) {
            return Ok(Self::Writer(Box::new(
                OpenOptions::new().write(true).open(path)?,
            )));
        }
        let name = path
            .file_name()
            .ok_or(io::ErrorKind::IsADirectory)?
            .to_string_lossy()
            .into_owned();
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let temporary = path.with_file_name(format!(".{name}.{:016x}", u64::from_le_bytes(random)));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        Ok(Self::File {
            file,
            temporary: Temporary { path: temporary },
            path: path.to_owned(),
        })
    }

    /// Whether there is a pipe, a socket or a device, which is written to and not replaced.
    pub(crate) fn is_special(path: &Path) -> bool {
        path.metadata()
            .is_ok_and(|found| !found.is_file() && !found.is_dir())
    }

    /// Puts the file into its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Writer(mut writer) => writer.flush(),
            Self::File {
                file,
                temporary,
                path,
            } => {
                drop(file);
                fs::rename(&temporary.path, path)
            }
        }
    }
}

impl Write for ExportedFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Writer(writer) => writer.write(data),
            Self::File { file, .. } => file.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Writer(writer) => writer.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.tar");
        fs::write(&path, "old").unwrap();
        let mut destination = ExportedFile::create(&path).unwrap();
        destination.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(destination);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        let mut destination = ExportedFile::create(&path).unwrap();
        destination.write_all(b"new").unwrap();
        destination.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let mut destination = ExportedFile::create(Path::new("/dev/null")).unwrap();
        destination.write_all(b"x").unwrap();
        destination.finish().unwrap();
        assert!(!Path::new("/dev/null").is_file());
    }

    #[test]
    fn a_destination_that_cannot_be_is_an_error_before_anything_is_sent() {
        for path in ["/dev/null/out.tar", "/"] {
            assert!(ExportedFile::create(Path::new(path)).is_err(), "{path}");
        }
    }
}
