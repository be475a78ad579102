//! HTTP/2 as BuildKit speaks it: its limits, and channels over a given stream.

use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::rt::TokioIo;
use tonic::transport::Endpoint as Http2;

use super::{Channel, EngineHeaders};

/// The largest gRPC message in bytes, as in BuildKit.
pub(crate) const MESSAGE_LIMIT: usize = 16 << 20;
/// gRPC errors are sent in trailers with all their details; grpc-go accepts 16 MiB of headers.
const HEADER_LIMIT: u32 = 16 << 20;
/// The number of bytes that the daemon may send before they are read. The window of a stream limits
/// an export's speed on a slow line.
const STREAM_WINDOW: u32 = 16 << 20;
const CONNECTION_WINDOW: u32 = 64 << 20;

/// Sets up HTTP/2 as Go's gRPC servers need it: no keepalive pings (the answer is
/// `too_many_pings`; `silence` makes calls instead), and no time limit for calls, because one call
/// is a whole build.
pub(super) fn with_limits(endpoint: Http2) -> Http2 {
    endpoint
        .user_agent(concat!("solvekit/", env!("CARGO_PKG_VERSION")))
        .unwrap_or_else(|_| Http2::from_static("http://localhost"))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(HEADER_LIMIT)
}

/// Creates a channel on a stream that speaks HTTP/2. The channel ends with the stream.
pub(crate) fn channel_over(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
) -> Channel {
    let stream = Arc::new(Mutex::new(Some(TokioIo::new(stream))));
    let connector = tower::service_fn(move |_: http::Uri| {
        let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended =
            || std::io::Error::new(std::io::ErrorKind::NotConnected, "the stream has ended");
        std::future::ready(stream.ok_or_else(ended))
    });
    let channel =
        with_limits(Http2::from_static("http://localhost")).connect_with_connector_lazy(connector);
    Channel::new(channel, EngineHeaders::default())
}
