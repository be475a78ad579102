//! Finds the service of a call by its path: `/package.Service/Method`.

use std::collections::BTreeMap;
use std::convert::Infallible;

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

/// The services of a session by their names. tonic's router does the same with axum, a web
/// framework that nothing else here needs.
#[derive(Debug, Default)]
pub(super) struct Routes {
    services:
        BTreeMap<&'static str, BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>>,
}

impl Routes {
    /// Adds a service.
    pub(super) fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let service = BoxCloneSyncService::new(service);
        self.services.insert(S::NAME, service);
    }

    /// Answers a call.
    pub(super) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let service = service_of(request.uri().path()).and_then(|name| self.services.get(name));
        match service {
            Some(service) => match service.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            None => Status::unimplemented("").into_http(),
        }
    }
}

/// The service that a path names.
fn service_of(path: &str) -> Option<&str> {
    let (service, _) = path.strip_prefix('/')?.split_once('/')?;
    Some(service)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::session::health;

    async fn answer(path: &str) -> Response<Body> {
        let mut routes = Routes::default();
        routes.add(health::service());
        let request = Request::post(path).body(Body::default()).unwrap();
        routes.answer(request).await
    }

    #[tokio::test]
    async fn calls_of_unknown_services_are_not_implemented() {
        for path in [
            "/grpc.health.v1.Healt/Check",
            "/grpc.health.v1.Health",
            "/",
            "/a/b/c",
        ] {
            let response = answer(path).await;
            let status = Status::from_header_map(response.headers()).unwrap();
            assert_eq!(status.code(), Code::Unimplemented, "{path}");
            assert_eq!(response.headers()["content-type"], "application/grpc");
        }
    }

    #[tokio::test]
    async fn calls_reach_the_service_in_their_path() {
        // The service itself says that the body has no message.
        let response = answer("/grpc.health.v1.Health/Check").await;
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_ne!(status.code(), Code::Unimplemented, "{status}");
    }
}
