//! Exports that are one stream of bytes: archives.

use std::io::{self, Write};
use std::path::Path;

use crate::files::Destination;

/// Where an archive goes. It counts as received only once [`ExportedFile::finish`] succeeded.
pub(crate) enum ExportedFile {
    /// Whatever the caller made of it.
    Writer(Box<dyn Write + Send>),
    /// A file that gets its name when it is complete, or a pipe or device.
    Place(Destination),
}

impl ExportedFile {
    /// A place of the file system.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Destination::open(path).map(Self::Place)
    }

    /// Completes what was written: a file gets its name.
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
