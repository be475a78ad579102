//! The output of a program in a container: frames of standard output and error on one stream. A
//! frame has an 8-byte header: the stream's number, three zeros, the length in big-endian.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::client::transport::BoxIo;

const HEADER: usize = 8;
const STDERR: u8 = 2;
/// The number of last bytes of standard error that are kept.
const STDERR_KEPT: usize = 4096;

/// Reads standard output as a stream, and writes to standard input. Standard error is part of the
/// final error.
pub(super) struct Frames {
    io: BoxIo,
    header: [u8; HEADER],
    header_length: usize,
    /// The remaining bytes of the frame.
    left: usize,
    stderr_end: Vec<u8>,
}

impl Frames {
    pub(super) fn new(io: BoxIo) -> Self {
        Self {
            io,
            header: [0; HEADER],
            header_length: 0,
            left: 0,
            stderr_end: Vec::new(),
        }
    }

    /// Returns the last part of standard error.
    pub(super) fn stderr_end(&self) -> &[u8] {
        &self.stderr_end
    }

    /// Reads the header of the next non-empty frame; false at the end of the stream.
    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.left == 0 {
            let mut buffer = ReadBuf::new(&mut self.header[self.header_length..]);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            match buffer.filled().len() {
                0 => return Poll::Ready(Ok(false)),
                count => self.header_length += count,
            }
            if self.header_length == HEADER {
                let [_, _, _, _, length @ ..] = self.header;
                self.left = u32::from_be_bytes(length) as usize;
                self.header_length = 0;
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Reads from the frame's content. A stream that ends here was cut off.
    fn poll_some(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(space);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        self.left -= count;
        Poll::Ready(match count {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        })
    }

    fn end(&self) -> io::Result<()> {
        let stderr_end = String::from_utf8_lossy(&self.stderr_end);
        match stderr_end.trim() {
            "" => Ok(()),
            stderr_end => Err(io::Error::other(stderr_end.to_owned())),
        }
    }
}

impl AsyncRead for Frames {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        loop {
            if !ready!(this.poll_header(cx))? {
                return Poll::Ready(this.end());
            }
            if this.header[0] == STDERR {
                let mut space = [0; 1024];
                let length = this.left.min(space.len());
                let count = ready!(this.poll_some(cx, &mut space[..length]))?;
                this.stderr_end.extend_from_slice(&space[..count]);
                let surplus = this.stderr_end.len().saturating_sub(STDERR_KEPT);
                this.stderr_end.drain(..surplus);
                continue;
            }
            let length = this.left.min(buffer.remaining());
            let count = ready!(this.poll_some(cx, buffer.initialize_unfilled_to(length)))?;
            buffer.advance(count);
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncWrite for Frames {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn frame(stream: u8, text: &str) -> Vec<u8> {
        let mut bytes = vec![stream, 0, 0, 0];
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend(text.bytes());
        bytes
    }

    #[tokio::test]
    async fn output_and_errors_are_distinguished() {
        let (ours, mut theirs) = tokio::io::duplex(7);
        let parts = [
            frame(1, "one "),
            frame(2, "oh no\n"),
            frame(1, ""),
            frame(1, "two"),
        ];
        let writer = tokio::spawn(async move { theirs.write_all(&parts.concat()).await });
        let mut frames = Frames::new(Box::new(ours));
        let mut output = Vec::new();
        let error = frames.read_to_end(&mut output).await.unwrap_err();
        assert_eq!(output, b"one two");
        assert_eq!(error.to_string(), "oh no");
        writer.await.unwrap().unwrap();
    }
}
