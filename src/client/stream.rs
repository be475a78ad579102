//! A daemon's gRPC connection as plain bytes, for callers with their own gRPC.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Client, Error, transport::BoxIo};

/// A connection on which a daemon serves BuildKit over HTTP/2, as on its own socket.
pub struct ByteStream(BoxIo);

impl Client {
    /// Opens another connection to the daemon in the same way and returns it as a byte stream.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn open_stream(&self) -> Result<ByteStream, Error> {
        let dialed = self.dialer.dial(self.way, self.dialer.deadline()).await;
        dialed.map(ByteStream).map_err(|problem| Error::Connect {
            address: self.address.clone(),
            source: Box::new(problem),
        })
    }
}

impl std::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByteStream")
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
