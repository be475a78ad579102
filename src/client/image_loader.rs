//! A writer that streams an image archive from a thread into a Docker Engine.

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use super::{ConnectOptions, load_image};

/// The most pieces that wait for the engine.
const WAITING: usize = 16;

/// Loads an image archive (in the format of `docker save`) into a Docker Engine. [`Write::flush`]
/// ends the archive and succeeds once the engine has the image. If the loader is dropped before,
/// the engine discards the archive.
///
/// It blocks: write to it from a blocking thread.
#[derive(Debug)]
pub struct ImageLoader {
    /// `None` after the end of the archive.
    pieces: Option<mpsc::Sender<io::Result<Bytes>>>,
    end: Option<oneshot::Receiver<io::Result<()>>>,
}

impl ImageLoader {
    /// Starts an archive for the engine of the options; the upload runs on that runtime.
    pub fn start(engine: ConnectOptions, runtime: &Handle) -> Self {
        let (pieces, receiver) = mpsc::channel(WAITING);
        let (sender, end) = oneshot::channel();
        runtime.spawn(async move {
            let archive = ReceiverStream::new(receiver).fuse();
            let loaded = load_image(&engine, archive).await;
            let loaded = loaded
                .map(drop)
                .map_err(|error| io::Error::other(crate::causes::in_one_line(&error)));
            // Nobody waits for a dropped archive.
            let _ = sender.send(loaded);
        });
        Self {
            pieces: Some(pieces),
            end: Some(end),
        }
    }

    /// Waits for the engine's final answer.
    fn ended(&mut self) -> io::Result<()> {
        let end = self.end.take();
        let answer = end.and_then(|end| end.blocking_recv().ok());
        answer.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl Write for ImageLoader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let pieces = self.pieces.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        match pieces.blocking_send(Ok(Bytes::copy_from_slice(bytes))) {
            Ok(()) => Ok(bytes.len()),
            // The engine stopped reading; its answer says why.
            Err(_) => {
                self.pieces = None;
                self.ended()?;
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.pieces.take() {
            Some(pieces) => {
                drop(pieces);
                self.ended()
            }
            None => Ok(()),
        }
    }
}

impl Drop for ImageLoader {
    fn drop(&mut self) {
        if let Some(pieces) = &self.pieces {
            let _ = pieces.try_send(Err(io::Error::other("the build was broken off")));
        }
    }
}
