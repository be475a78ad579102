//! The gRPC connection to a daemon: tonic's channel, with headers for every call.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::transport::{self, channel::ResponseFuture};

use super::EngineHeaders;
use super::silence::Pulse;
use crate::proto::moby::buildkit::v1::InfoRequest;
use crate::proto::moby::buildkit::v1::control_client::ControlClient;

/// A connection that adds headers to its calls: the user's headers for a Docker Engine, and the
/// trace context.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    inner: transport::Channel,
    headers: EngineHeaders,
    watcher: Option<Arc<Watcher>>,
}

/// Notices a daemon that hangs; ends with the last clone of its channel.
#[derive(Debug)]
struct Watcher {
    pulse: Arc<Pulse>,
    _task: AbortOnDropHandle<()>,
}

impl Channel {
    pub(super) fn new(inner: transport::Channel, headers: EngineHeaders) -> Self {
        Self {
            inner,
            headers,
            watcher: None,
        }
    }

    /// Watches the connection, whose streams are those of the pulse.
    pub(super) fn watched(mut self, pulse: Arc<Pulse>) -> Self {
        // The watcher's channel has no watcher, so it ends with the last clone of this one.
        let control = ControlClient::new(self.clone());
        let ask = async move || {
            let _ = control.clone().info(InfoRequest {}).await;
        };
        let task = tokio::spawn(Arc::clone(&pulse).keep_watching(ask));
        self.watcher = Some(Arc::new(Watcher {
            pulse,
            _task: AbortOnDropHandle::new(task),
        }));
        self
    }

    /// Waits until the daemon is silent: see [`Pulse::noticed`].
    pub(super) async fn silent(&self) {
        match &self.watcher {
            Some(watcher) => watcher.pulse.noticed().await,
            None => std::future::pending().await,
        }
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        self.headers.add_to(request.headers_mut());
        #[cfg(feature = "otel")]
        crate::trace::add_headers(request.headers_mut());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tonic::transport::Endpoint;

    use super::*;

    /// A channel to a server that records the headers of calls and answers none of them.
    fn channel(headers: EngineHeaders) -> (Channel, Arc<Mutex<Vec<http::HeaderMap>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let connector = tower::service_fn(move |_: http::Uri| {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let kept = Arc::clone(&kept);
            let service =
                hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    kept.lock().unwrap().push(request.headers().clone());
                    std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
                        String::new(),
                    )))
                });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(theirs), service));
            std::future::ready(Ok::<_, std::io::Error>(TokioIo::new(ours)))
        });
        let inner = Endpoint::from_static("http://engine").connect_with_connector_lazy(connector);
        (Channel::new(inner, headers), heard)
    }

    #[tokio::test]
    async fn every_call_has_the_headers_of_the_connection() {
        let headers = EngineHeaders::parse("X-Token=abc,te=no").unwrap();
        let (channel, heard) = channel(headers);
        let mut control = ControlClient::new(channel);
        for _ in 0..2 {
            control.info(InfoRequest {}).await.unwrap_err();
        }
        let heard = heard.lock().unwrap();
        let tokens: Vec<_> = heard.iter().map(|it| it["x-token"].clone()).collect();
        assert_eq!(tokens, ["abc", "abc"]);
        assert_eq!(heard[0]["te"], "trailers");
    }
}
