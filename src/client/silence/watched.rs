//! The stream that a watcher breaks.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::Pulse;
use crate::client::transport::BoxIo;

/// A stream that fails when its daemon hangs.
pub(in crate::client) struct Watched {
    stream: BoxIo,
    pulse: Arc<Pulse>,
    /// Both directions fail: HTTP/2 does not read while it has to write first.
    reading: Pin<Box<WaitForCancellationFutureOwned>>,
    writing: Pin<Box<WaitForCancellationFutureOwned>>,
    _broken: Arc<CancellationToken>,
}

impl Watched {
    pub(super) fn new(stream: BoxIo, pulse: Arc<Pulse>, broken: Arc<CancellationToken>) -> Self {
        Self {
            stream,
            pulse,
            reading: Box::pin(broken.as_ref().clone().cancelled_owned()),
            writing: Box::pin(broken.as_ref().clone().cancelled_owned()),
            _broken: broken,
        }
    }

    fn error(&self) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, self.pulse.silent.clone())
    }

    /// The result of a write; an error if it waits and the daemon hangs.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_pending() {
            ready!(self.writing.as_mut().poll(cx));
            return Poll::Ready(Err(self.error()));
        }
        result
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            ready!(self.reading.as_mut().poll(cx));
            return Poll::Ready(Err(self.error()));
        }
        if buffer.filled().len() > before {
            self.pulse.reads.fetch_add(1, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}
