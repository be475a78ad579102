//! Builds that fail, are cancelled, or lose their daemon.

use std::{error::Error as _, time::Duration};

use futures_util::StreamExt;
use solvekit::{
    client::{Address, Client, Code, ConnectOptions, Error, Failure, Operation, SolveRequest},
    gateway::{Bridge, SolveOptions},
    session::Session,
};
use tokio_util::sync::CancellationToken;

use super::{
    build::{Build, lines, marshal, shell, shell_at},
    daemon,
    relay::{Relay, Target},
};

#[tokio::test]
async fn a_failed_process_tells_its_exit_code_and_its_lines() {
    let Some(build) = Build::new().await else {
        return;
    };
    let location = lines("FROM busybox\nRUN exit 7\n", 2);
    let failing = shell_at("echo about to fail; exit 7", location);
    let outcome = build
        .run(async |bridge| {
            let options = SolveOptions {
                evaluate: true,
                ..SolveOptions::default()
            };
            let error = bridge
                .solve(&marshal(&failing), &options)
                .await
                .unwrap_err();
            bridge.return_error(error.failure().unwrap()).await.unwrap();
        })
        .await;
    let error = outcome.solved.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!(failure.exit_code(), Some(7));
    let source = failure.source().unwrap();
    assert_eq!(source.info.filename, "Dockerfile");
    assert_eq!(source.ranges[0].start.line, 2);
    let operation = failure.operation().unwrap();
    assert!(
        matches!(
            &operation.operation,
            Some(Operation::Exec { args, .. }) if args[2].ends_with("exit 7")
        ),
        "{operation:?}"
    );

    let vertex = failure.vertex().unwrap();
    let vertexes = outcome.updates.iter().flat_map(|update| &update.vertexes);
    assert!(
        vertexes
            .clone()
            .any(|known| known.digest == vertex && !known.error.is_empty())
    );
    let logs: Vec<_> = outcome
        .updates
        .iter()
        .flat_map(|update| &update.logs)
        .flat_map(|log| log.data.to_vec())
        .collect();
    assert_eq!(logs, b"about to fail\n");
}

#[tokio::test]
async fn a_frontends_own_error_ends_the_build_with_its_lines() {
    let Some(build) = Build::new().await else {
        return;
    };
    let source = solvekit::client::SourceDetail {
        info: solvekit::progress::SourceInfo {
            filename: "Dockerfile".into(),
            data: "FROM\n".into(),
            language: "Dockerfile".into(),
            ..Default::default()
        },
        ranges: vec![solvekit::progress::SourceRange::lines(1, 1)],
    };
    let mine =
        Failure::new(Code::InvalidArgument, "FROM needs an image").with_source(source.clone());
    let outcome = build
        .run(async |bridge| bridge.return_error(&mine).await.unwrap())
        .await;
    let error = outcome.solved.unwrap_err();
    let failure = error.failure().unwrap();
    assert!(
        failure.message.contains("FROM needs an image"),
        "{failure:?}"
    );
    assert_eq!(failure.source(), Some(&source));
}

#[tokio::test]
async fn a_dropped_solve_cancels_the_build() {
    let Some(build) = Build::new().await else {
        return;
    };
    let client = build.client.clone();
    let session = Session::builder().build().unwrap();
    let build_ref = format!("ref{}", session.id());
    let request = SolveRequest {
        build_ref: build_ref.clone(),
        session_id: session.id().to_owned(),
        definition: Some(marshal(&shell("echo started; sleep 60"))),
        ..SolveRequest::default()
    };
    let end = CancellationToken::new();
    let serving = tokio::spawn({
        let (client, end) = (client.clone(), end.clone());
        async move { client.attach(session, end).await }
    });
    let solving = tokio::spawn({
        let client = client.clone();
        async move { client.solve(request).await }
    });
    let mut updates = client.status(&build_ref).await.unwrap();
    let mut logs = Vec::new();
    while !logs.ends_with(b"started\n") {
        let update = updates.next().await.unwrap().unwrap();
        logs.extend(update.logs.iter().flat_map(|log| log.data.to_vec()));
    }
    solving.abort();
    let rest = tokio::time::timeout(
        Duration::from_secs(20),
        updates.map(Result::unwrap).collect::<Vec<_>>(),
    )
    .await
    .unwrap();
    let errors: Vec<_> = rest
        .iter()
        .flat_map(|update| &update.vertexes)
        .map(|vertex| vertex.error.as_str())
        .collect();
    assert!(
        errors.iter().any(|error| error.contains("canceled")),
        "{errors:?}"
    );
    end.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_build_that_never_began_is_not_found() {
    let Some(address) = daemon() else { return };
    let client = Client::connect(&ConnectOptions::new(address))
        .await
        .unwrap();
    // The frontend keeps waiting for the build, because the session may need time.
    let opened = tokio::time::timeout(Duration::from_secs(4), Bridge::open(&client, "never-began"));
    assert!(opened.await.is_err());
    let status = client.status("never-began").await;
    let first = match status {
        Err(error) => error,
        Ok(mut updates) => updates.next().await.unwrap().unwrap_err(),
    };
    assert!(
        first.failure().unwrap().message.contains("no such job"),
        "{first:?}"
    );
}

#[tokio::test]
async fn messages_and_errors_may_be_large() {
    let Some(build) = Build::new().await else {
        return;
    };
    // More than the 4 MiB that gRPC libraries accept by default.
    let large = shell("yes 0123456 | head -c 6291456 > /large");
    // More than the 16 KiB of headers that HTTP libraries accept by default: the file's text is in
    // the error's trailers.
    let text = "# a line of a large Dockerfile\n".repeat(8_000);
    let failing = shell_at("exit 1", lines(&text, 3));
    let outcome = build
        .run(async |bridge| {
            let solved = bridge
                .solve(&marshal(&large), &SolveOptions::default())
                .await
                .unwrap();
            let read = bridge.read_file(&solved, "/large", None).await.unwrap();
            assert_eq!(read.len(), 6 << 20);
            assert!(read.ends_with(b"0123456\n"));
            let options = SolveOptions {
                evaluate: true,
                ..SolveOptions::default()
            };
            let error = bridge
                .solve(&marshal(&failing), &options)
                .await
                .unwrap_err();
            assert_eq!(
                error.failure().unwrap().source().unwrap().info.data,
                text.as_bytes()
            );
            bridge.return_error(error.failure().unwrap()).await.unwrap();
        })
        .await;
    let error = outcome.solved.unwrap_err();
    assert_eq!(
        error.failure().unwrap().source().unwrap().info.data,
        text.as_bytes()
    );
}

#[tokio::test]
async fn a_daemon_that_goes_away_in_a_build_is_noticed_at_once() {
    let Some(address) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("buildkitd.sock");
    let relay = Relay::unix(&socket, Target::Daemon(address));
    let address = Address::parse(&format!("unix://{}", socket.display())).unwrap();
    let client = Client::connect(&ConnectOptions::new(address))
        .await
        .unwrap();
    let session = Session::builder().build().unwrap();
    let request = SolveRequest {
        build_ref: format!("ref{}", session.id()),
        session_id: session.id().to_owned(),
        definition: Some(marshal(&shell("sleep 60"))),
        ..SolveRequest::default()
    };
    let cut = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(relay);
    };
    let all = async {
        tokio::join!(
            client.solve(request),
            client.attach(session, CancellationToken::new()),
            cut
        )
    };
    let (solved, served, ()) = tokio::time::timeout(Duration::from_secs(10), all)
        .await
        .unwrap();
    for error in [solved.unwrap_err(), served.unwrap_err()] {
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
    }
    // The next call reconnects, and reports the current problem.
    let error = client.workers().await.unwrap_err();
    let text = format!("{error}: {}", error.source().unwrap());
    assert!(text.contains("nothing listens on unix://"), "{text}");
}
