//! A build on the daemon with all that runs beside it: the session, the status stream, the
//! cancellation.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;

use super::environment::Environment;
use super::file_names;
use super::kept_cache::KeptCache;
use crate::client::{self, Client, SolveRequest, SolveResponse};
use crate::gateway::Bridge;
use crate::pipeline::Error;
use crate::progress::{StepEnds, Writer};
use crate::session::{self, Session};
use crate::spans::in_span;

/// How long the daemon may take to close its streams after the build has ended.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// How long the session may take to end what it was writing: half of a file is removed, and a
/// folder that is incomplete is noted.
const CLEARING: Duration = Duration::from_secs(15);

/// A build that is about to begin. Its frontend is a function of this client.
pub(super) struct Attended<'a> {
    client: &'a Client,
    environment: &'a Environment,
    session: Session,
    solve: SolveRequest,
    /// What is exported if the build fails.
    kept: Option<&'a KeptCache>,
}

impl<'a> Attended<'a> {
    /// A build with a session of its own. Without a name (`build_ref`) it gets a new one.
    pub(super) fn new(
        client: &'a Client,
        environment: &'a Environment,
        session: Session,
        solve: SolveRequest,
    ) -> Result<Self, Error> {
        let solve = SolveRequest {
            build_ref: match solve.build_ref.as_str() {
                "" => session::new_id()?,
                given => given.to_owned(),
            },
            session_id: session.id().to_owned(),
            ..solve
        };
        Ok(Self {
            client,
            environment,
            session,
            solve,
            kept: None,
        })
    }

    /// The same, with caches that are exported if it fails.
    pub(super) fn keeping(self, kept: &'a KeptCache) -> Self {
        let kept = Some(kept);
        Self { kept, ..self }
    }

    /// The daemon's name of this build.
    pub(super) fn build_ref(&self) -> &str {
        &self.solve.build_ref
    }

    /// Runs the build with the session and the status stream beside it; when this returns none of
    /// them runs any more. Gives what `frontend` gives, which has to hand a result over, and the
    /// exporters' answer.
    pub(super) async fn run<T>(
        self,
        frontend: impl AsyncFnOnce(&Bridge) -> Result<T, Error>,
    ) -> Result<(T, BTreeMap<String, String>), Error> {
        let (client, build_ref) = (self.client, self.solve.build_ref.clone());
        let progress = self.environment.progress.clone();
        let kept = self.kept.map(|kept| (kept, self.solve.clone()));
        let kept_ends = self.kept.map(|kept| kept.ends.clone());
        let recorded = self.environment.records.as_ref().map(|it| it.ends.clone());
        let ends: Vec<StepEnds> = kept_ends.into_iter().chain(recorded).collect();
        let ended = CancellationToken::new();
        let (mut status, mut session) = (JoinSet::new(), JoinSet::new());
        status.spawn(forward_status(client.clone(), build_ref, progress, ends));
        session.spawn(serve_session(client.clone(), self.session, ended.clone()));

        let result = tokio::select! {
            biased;
            () = self.environment.cancelled.cancelled() => Err(Error::Interrupted),
            result = solve_and_drive(client, self.solve, frontend) => result,
        };
        // The status stream ends when the daemon has closed the build; the session is not needed
        // after that.
        let broken = tokio::time::timeout(GRACE, async {
            tokio::select! {
                ended = status.join_next() => ended.and_then(Result::ok).flatten(),
                _ = session.join_next() => None,
            }
        });
        let broken = broken.await.unwrap_or_default();
        status.shutdown().await;
        if let (Err(error), Some((kept, failed))) = (&result, kept) {
            Box::pin(kept.export(error, client, self.environment, failed)).await;
        }
        ended.cancel();
        let _ = tokio::time::timeout(CLEARING, session.join_next()).await;
        match result {
            Ok(done) => Ok(done),
            Err(error) => {
                Err(
                    file_names::explained(error, broken.as_ref(), client, &self.environment.sent)
                        .await,
                )
            }
        }
    }
}

/// A broken status stream fails no build: the build's own call tells what happened. Gives how it
/// broke.
pub(super) async fn forward_status(
    client: Client,
    build_ref: String,
    progress: Option<Writer>,
    ends: Vec<StepEnds>,
) -> Option<client::Error> {
    if progress.is_none() && ends.is_empty() {
        return None;
    }
    let updates = match client.status(&build_ref).await {
        Ok(updates) => updates,
        Err(error) => return Some(error),
    };
    let mut updates = updates.inspect_ok(|update| {
        ends.iter().for_each(|ends| ends.note(update));
    });
    match progress {
        Some(progress) => progress.source().forward(updates).await.err(),
        None => {
            while updates.try_next().await.transpose()?.is_ok() {}
            None
        }
    }
}

/// A session that breaks fails the daemon's calls, and so the build.
async fn serve_session(client: Client, session: Session, ended: CancellationToken) {
    let _ = client.attach(session, ended).await;
}

/// The daemon's Solve call lasts for the whole build; the frontend works over the bridge meanwhile.
pub(super) async fn solve_and_drive<T>(
    client: &Client,
    request: SolveRequest,
    frontend: impl AsyncFnOnce(&Bridge) -> Result<T, Error>,
) -> Result<(T, BTreeMap<String, String>), Error> {
    let build_ref = request.build_ref.clone();
    let solve = client.solve(request);
    tokio::pin!(solve);
    let opened = tokio::select! {
        // The build is over before it began: a wrong exporter, an entitlement that the daemon
        // refuses.
        ended = &mut solve => return Err(ended_early(ended)),
        opened = Bridge::open(client, &build_ref) => opened,
    };
    let bridge = opened?;
    let driven = frontend(&bridge);
    tokio::pin!(driven);
    let driven = tokio::select! {
        biased;
        driven = &mut driven => driven,
        ended = &mut solve => {
            let response = ended.map_err(Error::Client)?;
            // The build can end before the answer to the result that ended it is here.
            return match tokio::time::timeout(GRACE, driven).await {
                Ok(driven) => driven.map(|value| (value, response.exporter)),
                Err(_) => Err(ended_early(Ok(response))),
            };
        }
    };
    match driven {
        Ok(value) => {
            let span = tracing::info_span!("export", error = Empty);
            let exported = in_span(span, solve).await;
            Ok((value, exported.map_err(export_failed)?.exporter))
        }
        Err(error) => {
            // The daemon keeps the reason in its history; the build ends there with it.
            let _ = bridge.return_error(&error.to_failure()).await;
            let _ = tokio::time::timeout(GRACE, solve).await;
            Err(error)
        }
    }
}

/// The build's own call ended before the result was handed over.
fn ended_early(ended: Result<SolveResponse, client::Error>) -> Error {
    match ended {
        Err(error) => Error::Client(error),
        Ok(_) => Error::Client(client::Error::InvalidAnswer {
            call: "the build",
            reason: Box::new(client::AnswerProblem::NoResult),
        }),
    }
}

/// Everything is built, and the daemon could not export it.
fn export_failed(error: client::Error) -> Error {
    Error::Export {
        source: Box::new(error),
    }
}
