//! An archive that is written piece by piece from a thread, into a Docker Engine.

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use super::{ConnectOptions, load_image};

/// So many pieces wait for the engine.
const WAITING: usize = 16;

/// Loads the image archive (as `docker save` makes it) that is written to it into a Docker Engine. The engine has taken the image
/// when [`Write::flush`] succeeds; that ends the archive. One that is dropped before is none, and the engine is told so.
///
/// It blocks: write to it on a thread that may.
#[derive(Debug)]
pub struct ImageLoader {
    /// `None` when the archive has ended.
    pieces: Option<mpsc::Sender<io::Result<Bytes>>>,
    end: Option<oneshot::Receiver<io::Result<()>>>,
}

impl ImageLoader {
    /// Begins an archive for the engine that the options lead to; the work is done on that runtime.
    pub fn start(engine: ConnectOptions, runtime: &Handle) -> Self {
        let (pieces, receiver) = mpsc::channel(WAITING);
        let (sender, end) = oneshot::channel();
        runtime.spawn(async move {
            let archive = ReceiverStream::new(receiver).fuse();
            let loaded = load_image(&engine, archive).await;
            let loaded = loaded
                .map(drop)
                .map_err(|error| io::Error::other(crate::causes::in_one_line(&error)));
            // Nobody waits for an archive that was dropped.
            let _ = sender.send(loaded);
        });
        Self {
            pieces: Some(pieces),
            end: Some(end),
        }
    }

    /// What the engine says in the end.
    fn ended(&mut self) -> io::Result<()> {
        let end = self.end.take();
        let said = end.and_then(|end| end.blocking_recv().ok());
        said.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl Write for ImageLoader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let pieces = self.pieces.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        match pieces.blocking_send(Ok(Bytes::copy_from_slice(bytes))) {
            Ok(()) => Ok(bytes.len()),
            // It takes no more: why is in its answer.
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
