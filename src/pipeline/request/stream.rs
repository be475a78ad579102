//! A stream as input of a build: what was piped into the program.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{Archive, FileSource};
use crate::pipeline::Error;

/// Something to read once: the standard input, an archive that is made on the way; or bytes that
/// are there, which several builds can read. Clones share it.
#[derive(Clone)]
pub struct InputStream(Arc<Source>);

enum Source {
    Once(Mutex<Option<Box<dyn Read + Send>>>),
    Bytes { name: PathBuf, bytes: Arc<[u8]> },
    Files(Arc<dyn FileSource>),
}

impl InputStream {
    /// A stream of these bytes.
    pub fn new(reader: impl Read + Send + 'static) -> Self {
        let once = Mutex::new(Some(Box::new(reader) as Box<dyn Read + Send>));
        Self(Arc::new(Source::Once(once)))
    }

    /// Bytes that are there already; messages name them so. Every build that asks for them gets
    /// them all.
    pub fn of_bytes(name: impl Into<PathBuf>, bytes: impl Into<Arc<[u8]>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        Self(Arc::new(Source::Bytes { name, bytes }))
    }

    /// Files of this program, as an archive for a context. Every build that asks for them gets them
    /// all.
    pub fn of_files(files: Arc<dyn FileSource>) -> Self {
        Self(Arc::new(Source::Files(files)))
    }

    /// What messages call it.
    pub(in crate::pipeline) fn name(&self) -> &Path {
        match &*self.0 {
            Source::Once(_) => Path::new("stdin"),
            Source::Bytes { name, .. } => name,
            Source::Files(_) => Path::new("the files of the context"),
        }
    }

    /// The bytes; a second build has none left.
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

    /// Is it the same stream?
    pub(in crate::pipeline) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for InputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InputStream")
    }
}

/// The first bytes of a stream: `length`, or as many as there are.
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
