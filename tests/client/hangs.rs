//! Daemons that keep the connection open but stop answering.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use solvekit::{
    client::{
        Address, Client, ConnectOptions, ConnectProblem, Endpoint, Error, SolveRequest, TimeLimits,
        TlsOptions, load_image,
    },
    session::Session,
};
use tokio_util::sync::CancellationToken;

use super::{
    build::{marshal, shell},
    certificates::Certificates,
    daemon,
    relay::{Relay, Target, server_config},
};

/// Runs a command for some seconds without output. Returns the results of the build and of its
/// session.
async fn build(client: &Client, seconds: u32) -> (Result<(), Error>, Result<(), Error>) {
    let session = Session::builder().build().unwrap();
    let request = SolveRequest {
        build_ref: format!("ref{}", session.id()),
        session_id: session.id().to_owned(),
        definition: Some(marshal(&shell(&format!("sleep {seconds}")))),
        ..SolveRequest::default()
    };
    let end = CancellationToken::new();
    let solved = async {
        let solved = client.solve(request).await;
        end.cancel();
        solved.map(drop)
    };
    tokio::join!(solved, client.attach(session, end.clone()))
}

async fn connect(address: &str, silence: Duration, tls: Option<TlsOptions>) -> Client {
    let options = ConnectOptions {
        limits: TimeLimits {
            connect: Duration::from_secs(20),
            silence: Some(silence),
        },
        tls,
        ..ConnectOptions::new(Address::parse(address).unwrap())
    };
    Client::connect(&options).await.unwrap()
}

/// The daemon stops in the middle of a build.
async fn a_hang_ends_a_build(relay: Relay, address: String, tls: Option<TlsOptions>) {
    let client = connect(&address, Duration::from_secs(6), tls).await;
    let hang = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        relay.set_hanging(true);
    };
    let all = async { tokio::join!(build(&client, 300), hang) };
    let waited = tokio::time::timeout(Duration::from_secs(120), all).await;
    let ((solved, _), ()) = waited.unwrap_or_else(|_| panic!("{address}: it waits forever"));
    let error = solved.unwrap_err();
    let Error::ConnectionLost { call, source } = error else {
        panic!("{address}: {error:?}");
    };
    assert_eq!(call, "the build");
    assert_eq!(
        source.to_string(),
        format!("{address} sent nothing for 6 seconds, although it was asked")
    );
    // The next call opens a new connection, to a daemon that answers again.
    relay.set_hanging(false);
    assert!(!client.workers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_hang_on_a_unix_socket_ends_a_build() {
    let Some(daemon) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("buildkitd.sock");
    let relay = Relay::unix(&socket, Target::Daemon(daemon));
    a_hang_ends_a_build(relay, format!("unix://{}", socket.display()), None).await;
}

#[tokio::test]
async fn a_hang_on_a_port_ends_a_build() {
    let Some(daemon) = daemon() else { return };
    let relay = Relay::tcp(Target::Daemon(daemon)).await;
    let address = format!("tcp://127.0.0.1:{}", relay.port);
    a_hang_ends_a_build(relay, address, None).await;
}

#[tokio::test]
async fn a_hang_behind_tls_ends_a_build() {
    let Some(daemon) = daemon() else { return };
    let certificates = Certificates::make();
    let config = server_config(&certificates, true);
    let relay = Relay::tls(Target::Daemon(daemon), config).await;
    let tls = TlsOptions::from_folder(certificates.folder()).unwrap();
    let address = format!("tcp://localhost:{}", relay.port);
    a_hang_ends_a_build(relay, address, Some(tls)).await;
}

/// An engine has a second connection for the session.
#[tokio::test]
async fn a_hang_of_an_engine_ends_a_build() {
    let Some(Address::Docker(Some(Endpoint::Unix(engine)))) = daemon() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let relay = Relay::unix(&socket, Target::Raw(Endpoint::Unix(engine)));
    a_hang_ends_a_build(relay, format!("docker://{}", socket.display()), None).await;
}

#[tokio::test]
async fn a_long_step_without_output_is_no_hang() {
    let Some(daemon) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("buildkitd.sock");
    let _relay = Relay::unix(&socket, Target::Daemon(daemon));
    let silence = Duration::from_secs(10);
    let client = connect(&format!("unix://{}", socket.display()), silence, None).await;
    // Without a session, which has calls of its own, nothing but the questions is answered.
    let request = SolveRequest {
        build_ref: Session::builder().build().unwrap().id().to_owned(),
        definition: Some(marshal(&shell("sleep 25"))),
        ..SolveRequest::default()
    };
    client.solve(request).await.unwrap();
}

#[tokio::test]
async fn a_build_goes_on_after_a_short_hang() {
    let Some(daemon) = daemon() else { return };
    let relay = Relay::tcp(Target::Daemon(daemon)).await;
    let address = format!("tcp://127.0.0.1:{}", relay.port);
    let client = connect(&address, Duration::from_secs(20), None).await;
    let hang = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        relay.set_hanging(true);
        tokio::time::sleep(Duration::from_secs(8)).await;
        relay.set_hanging(false);
    };
    let ((solved, served), ()) = tokio::join!(build(&client, 12), hang);
    solved.unwrap();
    served.unwrap();
}

/// An archive that begins and never ends.
#[tokio::test]
async fn an_engine_that_hangs_while_it_loads_an_image_is_noticed() {
    let Some(Address::Docker(Some(Endpoint::Unix(engine)))) = daemon() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let relay = Relay::unix(&socket, Target::Raw(Endpoint::Unix(engine)));
    let options = ConnectOptions {
        limits: TimeLimits {
            silence: Some(Duration::from_secs(4)),
            ..TimeLimits::default()
        },
        ..ConnectOptions::new(Address::parse(&format!("docker://{}", socket.display())).unwrap())
    };
    let archive = || stream::iter([Ok("".into())]).chain(stream::pending());
    // An engine that waits for the archive answers questions.
    let waiting = tokio::time::timeout(Duration::from_secs(9), load_image(&options, archive()));
    assert!(waiting.await.is_err());
    let hang = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        relay.set_hanging(true);
    };
    let both = async { tokio::join!(load_image(&options, archive()), hang) };
    let loaded = tokio::time::timeout(Duration::from_secs(120), both).await;
    let Error::Connect { address, source } = loaded.unwrap().0.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(address, options.address);
    assert!(
        matches!(*source, ConnectProblem::Hangs { .. }),
        "{source:?}"
    );
}
