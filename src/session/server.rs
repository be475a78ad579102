//! The HTTP/2 server of a session. The daemon is its client.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::Error;
use super::routes::Routes;
use super::tasks::Tasks;

/// The header limit of grpc-go in bytes: include and exclude patterns are sent in headers.
const HEADER_LIST: u32 = 16 << 20;
/// The most unread bytes of one call of the daemon.
const STREAM_WINDOW: u32 = 16 << 20;
/// The most unread bytes of all calls. h2 also uses this to decide how many small unread frames are
/// an attack.
const CONNECTION_WINDOW: u32 = 64 << 20;

/// Serves the routes until the peer closes the connection or the token is cancelled; then ends all
/// tasks.
pub(super) async fn serve<I>(
    routes: Routes,
    io: I,
    cancelled: &CancellationToken,
) -> Result<(), Error>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let tasks = Tasks::new(cancelled);
    let routes = Arc::new(routes);
    let service = {
        let tasks = tasks.clone();
        service_fn(move |request: http::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(tasks.clone());
            let routes = Arc::clone(&routes);
            async move { Ok::<_, Infallible>(routes.answer(request).await) }
        })
    };
    let connection = http2::Builder::new(tasks.clone())
        .max_header_list_size(HEADER_LIST)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(None)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), service);
    let served = tokio::select! {
        biased;
        () = cancelled.cancelled() => Ok(()),
        ended = connection => ended.map_err(Error::Connection),
    };
    tasks.end().await;
    served
}
