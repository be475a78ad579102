//! Keeps a context from a stream in a file, for as long as several daemons need to read it.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::temporary::TemporaryFolder;
use crate::pipeline::{Error, Folders};
use crate::session::Upload;
use crate::task::Panicked;

const NAME: &str = "context";

/// The bytes of a stream, in a temporary file.
#[derive(Debug)]
pub(in crate::pipeline) struct Spool(TemporaryFolder);

impl Spool {
    /// Writes the stream to a file, unless it is cancelled before the end.
    pub(in crate::pipeline) async fn keep(
        upload: Upload,
        folders: &Folders,
        cancelled: &CancellationToken,
    ) -> Result<Self, Error> {
        let folders = folders.clone();
        let (done, kept) = tokio::sync::oneshot::channel();
        // Use a thread of its own: a cancelled build must not wait for a pipe that sends nothing.
        std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || done.send(Self::of(&upload, &folders)))
            .map_err(|source| Error::Stream { source })?;
        tokio::select! {
            kept = kept => kept.unwrap_or_else(|_| Err(Panicked::of(&"reading a stream").into())),
            () = cancelled.cancelled() => Err(Error::Interrupted),
        }
    }

    /// Reads the stream to its end. Blocking.
    fn of(upload: &Upload, folders: &Folders) -> Result<Self, Error> {
        let mut reader = upload.take().ok_or(Error::StreamUsedUp)?;
        let spool = Self(TemporaryFolder::new(folders)?);
        let copied =
            File::create(spool.path()).and_then(|mut file| io::copy(&mut reader, &mut file));
        copied.map_err(|source| Error::Stream { source })?;
        Ok(spool)
    }

    pub(in crate::pipeline) fn open(&self) -> Result<File, Error> {
        File::open(self.path()).map_err(|source| Error::Stream { source })
    }

    fn path(&self) -> PathBuf {
        self.0.path().join(NAME)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_stream_is_read_once_and_kept_for_several() {
        let upload = Upload::new(&b"some bytes"[..]).unwrap();
        let spool = Spool::of(&upload, &Folders::from_environment()).unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            spool.open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "some bytes");
        }
        assert!(matches!(
            Spool::of(&upload, &Folders::from_environment()),
            Err(Error::StreamUsedUp)
        ));
        let path = spool.path();
        drop(spool);
        assert!(!path.exists());
    }
}
