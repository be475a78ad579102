//! What goes to the daemon in one transfer: a body of bounded chunks, and the gRPC status at its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;
use tonic::Status;

use super::error::TransferError;

/// How many chunks can wait to be sent. With chunks of some 64 KiB, what one transfer holds in memory.
const WAITING: usize = 8;

enum Item {
    Chunk(Bytes),
    End(Status),
}

/// Sends to the body. Everything fails with [`TransferError::Closed`] once the daemon is gone or the end was sent.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    items: mpsc::Sender<Item>,
}

/// A response body, to be read by the HTTP/2 server.
#[derive(Debug)]
pub(super) struct OutboundBody {
    items: mpsc::Receiver<Item>,
    ended: bool,
}

/// Both ends of a body.
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
    /// Sends whole gRPC messages.
    pub(super) async fn send(&self, messages: Vec<u8>) -> Result<(), TransferError> {
        self.items
            .send(Item::Chunk(messages.into()))
            .await
            .map_err(|_| TransferError::Closed)
    }

    /// The same from a blocking thread.
    pub(super) fn blocking_send(&self, messages: Vec<u8>) -> Result<(), TransferError> {
        self.items
            .blocking_send(Item::Chunk(messages.into()))
            .map_err(|_| TransferError::Closed)
    }

    /// Ends the body; what others still want to send is dropped.
    pub(super) async fn end(self, status: Status) {
        // If nobody reads any more, nobody misses it.
        let _ = self.items.send(Item::End(status)).await;
    }

    /// Whether the daemon does not read any more.
    pub(super) fn is_closed(&self) -> bool {
        self.items.is_closed()
    }

    /// Completes when the daemon does not read any more.
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
                let mut trailers = http::HeaderMap::new();
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
