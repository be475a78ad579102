//! The session as a whole, against a gRPC client in memory.

use std::time::Duration;

use hyper_util::rt::TokioIo;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::*;
use crate::proto::grpc::health::v1::HealthCheckRequest;
use crate::proto::grpc::health::v1::health_client::HealthClient;
use crate::proto::moby::filesync::v1::CredentialsRequest;
use crate::proto::moby::filesync::v1::auth_client::AuthClient;

/// Serves the session in memory. Returns a channel to it and the result of [`Session::serve`].
pub(super) async fn connect(
    session: Session,
    cancelled: CancellationToken,
) -> (Channel, tokio::task::JoinHandle<Result<(), Error>>) {
    let (daemon, client) = tokio::io::duplex(256 * 1024);
    let served = tokio::spawn(session.serve(client, cancelled));
    let mut daemon = Some(TokioIo::new(daemon));
    let connector = tower::service_fn(move |_| {
        let io = daemon
            .take()
            .ok_or_else(|| std::io::Error::other("only one connection"));
        async move { io }
    });
    let channel = Endpoint::from_static("http://localhost")
        .connect_with_connector(connector)
        .await
        .unwrap();
    (channel, served)
}

#[tokio::test]
async fn health_is_answered_and_unknown_services_are_unimplemented() {
    let session = Session::builder().build().unwrap();
    let (channel, _served) = connect(session, CancellationToken::new()).await;
    let mut health = HealthClient::new(channel.clone());
    let answer = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.get_ref().status, 1);
    let status = health
        .check(HealthCheckRequest {
            service: "x".into(),
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let answer = AuthClient::new(channel)
        .credentials(CredentialsRequest::default())
        .await;
    let status = answer.err().unwrap();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn the_session_ends_with_its_token_even_in_a_call() {
    let cancelled = CancellationToken::new();
    let session = Session::builder().build().unwrap();
    let (channel, served) = connect(session, cancelled.clone()).await;
    let mut watch = HealthClient::new(channel)
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    cancelled.cancel();
    tokio::time::timeout(Duration::from_secs(5), served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(watch.message().await.is_err());
}

#[tokio::test]
async fn the_session_ends_when_the_daemon_leaves() {
    let session = Session::builder().build().unwrap();
    let (channel, served) = connect(session, CancellationToken::new()).await;
    HealthClient::new(channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
    drop(channel);
    let ended = tokio::time::timeout(Duration::from_secs(5), served)
        .await
        .unwrap()
        .unwrap();
    assert!(ended.is_ok(), "{ended:?}");
}

#[test]
fn metadata_names_the_session_and_its_methods() {
    let session = Session::builder().shared_key("größe:1").build().unwrap();
    let metadata = session.metadata();
    assert_eq!(session.id().len(), 25);
    assert!(metadata.contains(&("x-docker-expose-session-uuid", session.id().to_owned())));
    assert!(metadata.contains(&(
        "x-docker-expose-session-sharedkey",
        "gr%C3%B6%C3%9Fe:1".to_owned()
    )));
    let health = (
        "x-docker-expose-session-grpc-method",
        "/grpc.health.v1.Health/Check".to_owned(),
    );
    assert!(metadata.contains(&health));
}
