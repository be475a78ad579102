//! Calls to a daemon and to its engine.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::Method;
use solvekit::client::{
    self, BuildRecord, Client, ConnectOptions, Engine, PruneOptions, ServerTls, SolveRequest,
};
use solvekit::session::Session;
use tokio::io::DuplexStream;
use tokio_util::sync::CancellationToken;

use super::spawnable;

#[test]
fn connections() {
    spawnable(async |options: ConnectOptions| Client::connect(&options).await);
    spawnable(async |places: Vec<ConnectOptions>| client::connect_default(&places).await);
    spawnable(async |client: Client| client.name().await);
    spawnable(async |client: Client| client.info().await);
    spawnable(async |client: Client| client.open_stream().await);
    spawnable(async |(client, session): (Client, Session)| {
        client.attach(session, CancellationToken::new()).await
    });
    spawnable(async |(session, io): (Session, DuplexStream)| {
        session.serve(io, CancellationToken::new()).await
    });
    spawnable(async |(tls, io): (ServerTls, DuplexStream)| tls.accept(io).await);
}

#[test]
fn solves_and_caches() {
    spawnable(async |(client, request): (Client, SolveRequest)| client.solve(request).await);
    spawnable(async |client: Client| client.status("build").await);
    spawnable(async |client: Client| client.workers().await);
    spawnable(async |(client, filters): (Client, Vec<String>)| {
        client.workers_matching(&filters).await
    });
    spawnable(async |(client, filters): (Client, Vec<String>)| {
        client.disk_usage(&filters, Duration::ZERO).await
    });
    spawnable(async |(client, options): (Client, PruneOptions)| client.prune(&options).await);
    spawnable(async |(client, options): (Client, PruneOptions)| client.plan_prune(&options).await);
}

#[test]
fn history() {
    spawnable(async |client: Client| client.build_records().await);
    spawnable(async |client: Client| client.running_builds().await);
    spawnable(async |client: Client| client.build_events("build", false).await);
    spawnable(async |client: Client| client.build_record("build").await);
    spawnable(async |client: Client| client.delete_build_record("build").await);
    spawnable(async |client: Client| client.pin_build_record("build", true).await);
    spawnable(async |client: Client| client.finalize_build_record("build").await);
    spawnable(async |client: Client| client.read_blob("digest", 1).await);
    spawnable(async |(client, record): (Client, BuildRecord)| {
        client.recorded_failure(&record).await
    });
    spawnable(async |(client, record): (Client, BuildRecord)| client.recorded_names(&record).await);
    spawnable(async |(client, record): (Client, BuildRecord)| {
        client.recorded_images(&record).await
    });
    spawnable(async |(client, record): (Client, BuildRecord)| {
        client.recorded_provenance(&record).await
    });
    spawnable(async |(client, record): (Client, BuildRecord)| client.engine_image(&record).await);
}

#[test]
fn engine() {
    spawnable(async |options: ConnectOptions| client::engine_info(&options).await);
    spawnable(
        async |(options, archive): (ConnectOptions, BoxStream<'static, std::io::Result<Bytes>>)| {
            client::load_image(&options, archive).await
        },
    );
    spawnable(async |options: ConnectOptions| Engine::new(&options).await);
    spawnable(async |engine: Engine| engine.call("ask", Method::GET, "/info", None).await);
    spawnable(async |engine: Engine| engine.run("container", &["true"]).await);
    spawnable(async |engine: Engine| engine.stream("pull", "/pull", None, |_| Ok(())).await);
    spawnable(async |engine: Engine| {
        engine
            .upload("load", "/load", "application/x-tar", Bytes::new())
            .await
    });
}
