//! Exports that are a single stream: archives.

use std::io::{self, Write};
use std::path::Path;

use crate::files::Destination;

/// The destination of an archive. It is complete only after [`ExportedFile::finish`] succeeds.
pub(crate) enum ExportedFile {
    /// The caller's writer.
    Writer(Box<dyn Write + Send>),
    /// A file that appears when it is complete, or a pipe or device.
    Place(Destination),
}

impl ExportedFile {
    /// Opens a path in the file system.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Destination::open(path).map(Self::Place)
    }

    /// Completes the output: a file appears under its name.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Writer(mut writer) => writer.flush(),
            Self::Place(destination) => destination.finish(),
        }
    }
}

impl Write for ExportedFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Writer(writer) => writer.write(data),
            Self::Place(destination) => destination.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Writer(writer) => writer.flush(),
            Self::Place(destination) => destination.flush(),
        }
    }
}
