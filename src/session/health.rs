//! `grpc.health.v1`: the daemon checks every five seconds and ends a session that does not answer.

use futures_util::stream::{self, BoxStream};
use tonic::{Request, Response, Status};

use crate::proto::grpc::health::v1::health_check_response::ServingStatus;
use crate::proto::grpc::health::v1::health_server::{self, HealthServer};
use crate::proto::grpc::health::v1::{HealthCheckRequest, HealthCheckResponse};

/// The methods of the service.
pub(super) const METHODS: [&str; 2] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
];

/// Returns a health service that always reports healthy.
pub(super) fn service() -> HealthServer<Health> {
    HealthServer::new(Health)
}

/// See [`service`].
pub(super) struct Health;

fn answer(request: &HealthCheckRequest) -> Result<HealthCheckResponse, Status> {
    match request.service.as_str() {
        "" => Ok(HealthCheckResponse {
            status: ServingStatus::Serving.into(),
        }),
        other => Err(Status::not_found(format!("unknown service {other}"))),
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        answer(request.get_ref()).map(Response::new)
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    /// Sends the state once; it never changes.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        use futures_util::StreamExt;
        let now = answer(request.get_ref())?;
        Ok(Response::new(
            stream::iter([Ok(now)]).chain(stream::pending()).boxed(),
        ))
    }
}
