//! A byte stream over a stream of messages: it carries the session's HTTP/2 connection inside
//! Control.Session.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

/// The number of bytes that are buffered before they are sent without a flush.
const MESSAGE: usize = 64 * 1024;

/// A byte stream whose two directions are messages.
///
/// Writes are collected into messages of about 64 KiB, sent when full or flushed; the channel's
/// reader wraps them. The channel's bound limits the data in flight. The end of the inbound stream
/// is the end of file, and its error is a read error. Shutdown or drop closes the channel.
#[derive(Debug)]
pub struct Tunnel<S> {
    inbound: S,
    unread: Bytes,
    outbound: PollSender<Bytes>,
    unsent: BytesMut,
}

impl<S, E> Tunnel<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Creates a tunnel that reads messages from `inbound` and sends its own to `outbound`.
    pub fn new(inbound: S, outbound: mpsc::Sender<Bytes>) -> Self {
        Self {
            inbound,
            unread: Bytes::new(),
            outbound: PollSender::new(outbound),
            unsent: BytesMut::new(),
        }
    }
}

impl<S> Tunnel<S> {
    /// Sends the buffered data.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.outbound.poll_reserve(cx)).map_err(|_| closed())?;
        let message = self.unsent.split().freeze();
        Poll::Ready(self.outbound.send_item(message).map_err(|_| closed()))
    }

    /// Makes room in the buffer, and sends it if it is full.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.unsent.len() >= MESSAGE {
            ready!(self.poll_send(cx))?;
        }
        if self.unsent.capacity() == 0 {
            self.unsent.reserve(MESSAGE);
        }
        Poll::Ready(Ok(MESSAGE - self.unsent.len()))
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the session's stream is closed")
}

impl<S, E> AsyncRead for Tunnel<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.inbound).poll_next(cx)) {
                Some(Ok(message)) => self.unread = message,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.unread[..length]);
        self.unread.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: Unpin> AsyncWrite for Tunnel<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = ready!(self.poll_room(cx))?.min(data.len());
        self.unsent.extend_from_slice(&data[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut room = ready!(self.poll_room(cx))?;
        let mut written = 0;
        for slice in slices {
            let length = room.min(slice.len());
            self.unsent.extend_from_slice(&slice[..length]);
            room -= length;
            written += length;
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = ready!(self.poll_send(cx));
        self.outbound.close();
        Poll::Ready(sent)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    type Inbound = stream::Iter<std::vec::IntoIter<Result<Bytes, Infallible>>>;

    fn tunnel(inbound: Vec<&'static [u8]>) -> (Tunnel<Inbound>, mpsc::Receiver<Bytes>) {
        let (sender, receiver) = mpsc::channel(2);
        let inbound: Vec<_> = inbound
            .into_iter()
            .map(|data| Ok(Bytes::from_static(data)))
            .collect();
        (Tunnel::new(stream::iter(inbound), sender), receiver)
    }

    #[tokio::test]
    async fn messages_are_read_as_one_stream() {
        let (mut tunnel, _receiver) = tunnel(vec![b"ab", b"", b"cde"]);
        let mut text = String::new();
        tunnel.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "abcde");
    }

    #[tokio::test]
    async fn small_writes_leave_as_one_message_when_flushed() {
        let (mut tunnel, mut receiver) = tunnel(vec![]);
        tunnel.write_all(b"ab").await.unwrap();
        tunnel.write_all(b"cd").await.unwrap();
        assert!(receiver.try_recv().is_err());
        tunnel.flush().await.unwrap();
        assert_eq!(receiver.recv().await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn a_reader_that_does_not_read_holds_the_writer() {
        let (mut tunnel, mut receiver) = tunnel(vec![]);
        let data = vec![7; 10 * MESSAGE];
        let write = async {
            tunnel.write_all(&data).await.unwrap();
            tunnel.shutdown().await.unwrap();
        };
        tokio::pin!(write);
        let stuck = tokio::time::timeout(std::time::Duration::from_millis(50), &mut write).await;
        assert!(stuck.is_err());
        let read = async {
            let mut length = 0;
            while let Some(message) = receiver.recv().await {
                assert!(message.len() <= MESSAGE);
                length += message.len();
            }
            length
        };
        let ((), length) = tokio::join!(write, read);
        assert_eq!(length, data.len());
    }

    #[tokio::test]
    async fn a_closed_peer_and_a_broken_stream_are_errors() {
        let (mut tunnel, receiver) = tunnel(vec![]);
        drop(receiver);
        tunnel.write_all(b"x").await.unwrap();
        assert_eq!(
            tunnel.flush().await.unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );

        let (sender, _receiver) = mpsc::channel(1);
        let inbound = stream::iter([Err::<Bytes, _>("gone")]).boxed();
        let error = Tunnel::new(inbound, sender).read_u8().await.unwrap_err();
        assert_eq!(error.to_string(), "gone");
    }
}
