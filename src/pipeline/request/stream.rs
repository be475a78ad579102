//! A stream as input of a build: what was piped into the program.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use crate::pipeline::Error;

/// Something to read once: the standard input, an archive that is made on the way. Clones share it.
#[derive(Clone)]
pub struct InputStream(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl InputStream {
    /// A stream of these bytes.
    pub fn new(reader: impl Read + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(reader)))))
    }

    /// The bytes; a second build has none left.
    pub(in crate::pipeline) fn take(&self) -> Result<Box<dyn Read + Send>, Error> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reader.take().ok_or(Error::StreamUsedUp)
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
