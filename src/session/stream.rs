//! gRPC framing by hand, for the calls that carry files: small messages are batched, and bulk data
//! is not copied between buffers.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response};
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;
use tonic::Status;
use tonic::server::NamedService;
use tower::Service;

use super::MESSAGE_LIMIT;
use super::tasks::Tasks;

/// The most chunks that wait to be sent. With chunks of about 64 KiB, this bounds a transfer's
/// memory.
const WAITING: usize = 8;

/// The length of a message's header: a flag (not compressed) and the length.
const HEADER: usize = 5;

/// The peer has disconnected, so nobody receives this error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

/// Malformed framing from the daemon. The text completes "the daemon sent".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadFrame(pub(super) &'static str);

enum Item {
    Chunk(Bytes),
    End(Status),
}

/// Sends to a response body. Everything fails with [`Closed`] once the daemon has gone or the end
/// was sent.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    items: mpsc::Sender<Item>,
}

/// A response body, which the HTTP/2 server reads.
#[derive(Debug)]
pub(super) struct OutboundBody {
    items: mpsc::Receiver<Item>,
    ended: bool,
}

/// Creates both ends of a body.
pub(super) fn outbound() -> (Outbound, OutboundBody) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (
        Outbound { items: sender },
        OutboundBody {
            items: receiver,
            ended: false,
        },
    )
}

impl Outbound {
    /// Sends complete gRPC messages.
    pub(super) async fn send(&self, messages: Vec<u8>) -> Result<(), Closed> {
        self.items
            .send(Item::Chunk(messages.into()))
            .await
            .map_err(|_| Closed)
    }

    /// As `send`, from a blocking thread.
    pub(super) fn blocking_send(&self, messages: Vec<u8>) -> Result<(), Closed> {
        self.items
            .blocking_send(Item::Chunk(messages.into()))
            .map_err(|_| Closed)
    }

    /// Ends the body. Messages that others still send are dropped.
    pub(super) async fn end(self, status: Status) {
        // If this fails, nobody reads the body any more.
        let _ = self.items.send(Item::End(status)).await;
    }

    /// As `end`, from a blocking thread.
    pub(super) fn blocking_end(self, status: Status) {
        let _ = self.items.blocking_send(Item::End(status));
    }

    /// True if the daemon has stopped reading.
    pub(super) fn is_closed(&self) -> bool {
        self.items.is_closed()
    }

    /// Completes when the daemon stops reading.
    pub(super) async fn closed(&self) {
        self.items.closed().await;
    }
}

impl Body for OutboundBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.items.poll_recv(cx).map(|item| match item {
            Some(Item::Chunk(chunk)) => Some(Ok(Frame::data(chunk))),
            end => {
                self.ended = true;
                self.items.close();
                let status = match end {
                    Some(Item::End(status)) => status,
                    _ => Status::cancelled("the transfer was cancelled"),
                };
                let mut trailers = HeaderMap::new();
                Some(
                    status
                        .add_header(&mut trailers)
                        .map(|()| Frame::trailers(trailers)),
                )
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

/// A service with one streaming method that does its own framing.
pub(super) trait Streaming: Clone + Send + Sync + 'static {
    /// The service's full name.
    const SERVICE: &'static str;
    /// The path of the method.
    const METHOD: &'static str;

    /// Starts a call in the session's tasks and returns the response's body.
    fn start(
        &self,
        headers: &HeaderMap,
        inbound: tonic::body::Body,
        tasks: Tasks,
    ) -> Result<OutboundBody, Status>;
}

/// Serves a [`Streaming`] service.
#[derive(Debug, Clone)]
pub(super) struct Served<S>(pub(super) S);

impl<S: Streaming> NamedService for Served<S> {
    const NAME: &'static str = S::SERVICE;
}

impl<S: Streaming> Service<http::Request<tonic::body::Body>> for Served<S> {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let (parts, inbound) = request.into_parts();
        let started = match parts.extensions.get::<Tasks>() {
            _ if parts.uri.path() != S::METHOD => Err(Status::unimplemented("not served here")),
            None => Err(Status::internal("no session")),
            Some(tasks) => self.0.start(&parts.headers, inbound, tasks.clone()),
        };
        ready(Ok(started.map_or_else(Status::into_http, |body| {
            let mut response = Response::new(tonic::body::Body::new(body));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            response
        })))
    }
}

/// Starts a gRPC message of this length.
pub(super) fn put_header(buffer: &mut Vec<u8>, length: usize) {
    buffer.put_u8(0);
    // Messages are far below the limit of 16 MiB, so the cast is safe.
    buffer.put_u32(length as u32);
}

/// Extracts gRPC messages from a request body.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    unread: BytesMut,
}

impl FrameReader {
    /// Adds received data.
    pub(super) fn push(&mut self, data: Bytes) {
        if self.unread.is_empty() {
            // This does not copy if nobody else holds the data.
            self.unread = BytesMut::from(data);
        } else {
            self.unread.extend_from_slice(&data);
        }
    }

    /// Returns the next message once it is complete.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, BadFrame> {
        let Some(mut header) = self.unread.get(..HEADER) else {
            return Ok(None);
        };
        if header.get_u8() != 0 {
            return Err(BadFrame("a compressed message"));
        }
        let length = header.get_u32() as usize;
        if length > MESSAGE_LIMIT {
            return Err(BadFrame("a message of more than 16 MiB"));
        }
        if self.unread.len() < HEADER + length {
            return Ok(None);
        }
        self.unread.advance(HEADER);
        Ok(Some(self.unread.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_in_any_pieces() {
        let mut buffer = Vec::new();
        for message in [&b"ab"[..], b"", b"cde"] {
            put_header(&mut buffer, message.len());
            buffer.extend_from_slice(message);
        }
        for size in 1..buffer.len() {
            let mut reader = FrameReader::default();
            let mut messages = Vec::new();
            for piece in buffer.chunks(size) {
                reader.push(Bytes::copy_from_slice(piece));
                while let Some(message) = reader.next().unwrap() {
                    messages.push(message);
                }
            }
            assert_eq!(messages, ["ab", "", "cde"]);
            assert!(reader.unread.is_empty());
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        for bytes in [&b"\x01\0\0\0\0"[..], b"\0\xff\0\0\0"] {
            let mut reader = FrameReader::default();
            reader.push(Bytes::copy_from_slice(bytes));
            assert!(reader.next().is_err());
        }
    }
}
