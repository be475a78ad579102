//! A stream as input of a build: data piped into the program.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{Archive, FileSource};
use crate::pipeline::Error;

/// Data that can be read once, such as the standard input or an archive generated on the fly; or
/// bytes in memory, which several builds can read. Clones share it.
#[derive(Clone)]
pub struct InputStream(Arc<Source>);

enum Source {
    Once(Mutex<Option<Box<dyn Read + Send>>>),
    Bytes { name: PathBuf, bytes: Arc<[u8]> },
    Files(Arc<dyn FileSource>),
}

impl InputStream {
    /// A stream of the reader's bytes, which can be read once.
    pub fn new(reader: impl Read + Send + 'static) -> Self {
        let once = Mutex::new(Some(Box::new(reader) as Box<dyn Read + Send>));
        Self(Arc::new(Source::Once(once)))
    }

    /// Bytes in memory, with the name to use in messages. Every build that reads them gets all of
    /// them.
    pub fn of_bytes(name: impl Into<PathBuf>, bytes: impl Into<Arc<[u8]>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        Self(Arc::new(Source::Bytes { name, bytes }))
    }

    /// Files of the embedding program, as an archive for a context. Every build that reads them
    /// gets all of them.
    pub fn of_files(files: Arc<dyn FileSource>) -> Self {
        Self(Arc::new(Source::Files(files)))
    }

    /// The name to use in messages.
    pub(in crate::pipeline) fn name(&self) -> &Path {
        match &*self.0 {
            Source::Once(_) => Path::new("stdin"),
            Source::Bytes { name, .. } => name,
            Source::Files(_) => Path::new("the files of the context"),
        }
    }

    /// Returns the bytes. Fails for the second build that reads a stream.
    pub(in crate::pipeline) fn take(&self) -> Result<Box<dyn Read + Send>, Error> {
        match &*self.0 {
            Source::Bytes { bytes, .. } => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
            Source::Files(files) => Ok(Box::new(Archive::new(Arc::clone(files)))),
            Source::Once(reader) => {
                let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
                reader.take().ok_or(Error::StreamUsedUp)
            }
        }
    }

    /// True if both are the same stream.
    pub(in crate::pipeline) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for InputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InputStream")
    }
}

/// Returns the first `length` bytes of a stream, or fewer if it is shorter.
pub(in crate::pipeline) fn first(reader: &mut dyn Read, length: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(length).read_to_end(&mut start)?;
    Ok(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(stream: &InputStream) -> String {
        let mut text = String::new();
        stream.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn bytes_can_be_read_again_and_a_stream_only_once() {
        let bytes = InputStream::of_bytes("inline", b"FROM a".to_vec());
        assert_eq!(bytes.name(), Path::new("inline"));
        assert_eq!(text(&bytes), text(&bytes.clone()));
        let stream = InputStream::new(Cursor::new(b"FROM a".to_vec()));
        assert_eq!(text(&stream), "FROM a");
        assert!(matches!(stream.take(), Err(Error::StreamUsedUp)));
    }
}
