//! Runs builds: session, Solve and progress concurrently, and a frontend written by the test.

use std::sync::Arc;

use futures_util::StreamExt;
use solvekit::{
    client::{Client, ConnectOptions, Error, Exporter, SolveRequest, SolveResponse},
    gateway::Bridge,
    llb::{
        self, Constraints, Exec, File, Location, MarshalOptions, Position, Range, ResolveMode,
        SourceFile, State,
    },
    progress::StatusUpdate,
    session::Session,
};
use tokio_util::sync::CancellationToken;

use super::daemon;

/// A build with its session and progress; the test provides the frontend.
pub(crate) struct Build {
    pub(crate) client: Client,
    pub(crate) exporters: Vec<Exporter>,
}

pub(crate) struct Outcome {
    pub(crate) solved: Result<SolveResponse, Error>,
    pub(crate) updates: Vec<StatusUpdate>,
}

impl Build {
    pub(crate) async fn new() -> Option<Self> {
        let client = Client::connect(&ConnectOptions::new(daemon()?))
            .await
            .unwrap();
        Some(Self {
            client,
            exporters: Vec::new(),
        })
    }

    pub(crate) async fn run(self, frontend: impl AsyncFnOnce(Bridge)) -> Outcome {
        let session = Session::builder().build().unwrap();
        let build_ref = format!("ref{}", session.id());
        let request = SolveRequest {
            build_ref: build_ref.clone(),
            session_id: session.id().to_owned(),
            exporters: self.exporters,
            ..SolveRequest::default()
        };
        let end = CancellationToken::new();
        let client = &self.client;
        let served = client.attach(session, end.clone());
        let solved = async {
            let solved = client.solve(request).await;
            end.cancel();
            solved
        };
        let updates = async {
            let updates = client.status(&build_ref).await.unwrap();
            updates.map(Result::unwrap).collect::<Vec<_>>().await
        };
        let frontend = async { frontend(Bridge::open(client, &build_ref).await.unwrap()).await };
        let (served, solved, updates, ()) = tokio::join!(served, solved, updates, frontend);
        served.unwrap();
        Outcome { solved, updates }
    }
}

pub(crate) fn marshal(state: &State) -> llb::Definition {
    state.marshal(&MarshalOptions::default()).unwrap()
}

pub(crate) fn hello() -> State {
    State::scratch().file(
        File::new().make_file("/hello", 0o640, "hello, world\n"),
        Constraints::new().named("say hello"),
    )
}

/// A command in busybox that is never cached.
pub(crate) fn shell(command: &str) -> State {
    run(command, Constraints::new().ignoring_cache(true))
}

/// A command with a location in a file.
pub(crate) fn shell_at(command: &str, location: Location) -> State {
    run(command, Constraints::new().named("fail").at(location))
}

fn run(command: &str, constraints: Constraints) -> State {
    let base = llb::image(
        "docker.io/library/busybox:latest",
        ResolveMode::Default,
        Constraints::new(),
    );
    base.run(Exec::new(["/bin/sh", "-c", command]).constraints(constraints))
        .root()
}

/// A line of a Dockerfile.
pub(crate) fn lines(text: &str, line: i32) -> Location {
    let file = SourceFile {
        filename: "Dockerfile".into(),
        language: "Dockerfile".into(),
        data: text.into(),
        definition: None,
    };
    let at = Position { line, character: 0 };
    Location {
        file: Arc::new(file),
        ranges: [Range { start: at, end: at }].into(),
    }
}

/// The image exporter without a push: the image stays in the daemon's store.
pub(crate) fn image(name: &str) -> Exporter {
    let attrs = [("name", name), ("push", "false")];
    Exporter {
        kind: "image".into(),
        attrs: attrs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}
