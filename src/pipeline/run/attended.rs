//! A build on the daemon with everything that runs beside it: session, status stream and
//! cancellation.

use std::collections::BTreeMap;
use std::convert::Infallible;
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
/// The same after an interrupt: if the daemon has not begun the build, its status call waits for
/// the build until it times out.
const GRACE_INTERRUPTED: Duration = Duration::from_secs(1);
/// How long the session may take to finish writing: it removes partial files, and records
/// incomplete folders.
const CLEARING: Duration = Duration::from_secs(15);

/// A build that is about to start. Its frontend is a function of this client.
pub(super) struct Attended<'a> {
    client: &'a Client,
    environment: &'a Environment,
    session: Session,
    solve: SolveRequest,
    /// The caches to export if the build fails.
    kept: Option<&'a KeptCache>,
}

impl<'a> Attended<'a> {
    /// A build with its own session. Without a `build_ref` it gets a new one.
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

    /// Adds the caches to export if the build fails.
    pub(super) fn keeping(self, kept: &'a KeptCache) -> Self {
        let kept = Some(kept);
        Self { kept, ..self }
    }

    /// The request of the build.
    pub(super) fn request(&self) -> &SolveRequest {
        &self.solve
    }

    /// The build's id on the daemon.
    pub(super) fn build_ref(&self) -> &str {
        &self.solve.build_ref
    }

    /// Runs the build beside its session and status stream; none of them still runs when this
    /// returns. Returns the value of `frontend`, which has to hand a result over, and the
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

        let cancelled = &self.environment.cancelled;
        // On the heap: a build that waits for another one is deep in the stack already.
        let driving = Box::pin(drive_until(client, self.solve, cancelled, frontend));
        let result = tokio::select! {
            result = driving => result,
            never = tell_silences(client, self.environment) => match never {},
        };
        // The status stream ends when the daemon has closed the build; the session is not needed
        // after that.
        let grace = match cancelled.is_cancelled() {
            true => GRACE_INTERRUPTED,
            false => GRACE,
        };
        let broken = tokio::time::timeout(grace, async {
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

/// Forwards the status stream to the progress. If the stream breaks, the build does not fail: the
/// build's own call reports what happened. Returns how the stream broke.
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

/// Shows a line when the daemon becomes silent, so that a build that seems to hang explains itself.
async fn tell_silences(client: &Client, environment: &Environment) -> Infallible {
    loop {
        environment.note(client.silent().await);
    }
}

/// Serves the session. If it breaks, the daemon's calls fail, and so does the build.
async fn serve_session(client: Client, session: Session, ended: CancellationToken) {
    let _ = client.attach(session, ended).await;
}

/// The daemon's Solve call lasts as long as the build; the frontend uses the bridge meanwhile.
pub(super) async fn solve_and_drive<T>(
    client: &Client,
    request: SolveRequest,
    frontend: impl AsyncFnOnce(&Bridge) -> Result<T, Error>,
) -> Result<(T, BTreeMap<String, String>), Error> {
    drive_until(client, request, &CancellationToken::new(), frontend).await
}

/// The same until a cancellation, which ends the Solve call.
async fn drive_until<T>(
    client: &Client,
    request: SolveRequest,
    cancelled: &CancellationToken,
    frontend: impl AsyncFnOnce(&Bridge) -> Result<T, Error>,
) -> Result<(T, BTreeMap<String, String>), Error> {
    let build_ref = request.build_ref.clone();
    let solve = client.solve(request);
    tokio::pin!(solve);
    let opened = tokio::select! {
        biased;
        () = cancelled.cancelled() => return Err(Error::Interrupted),
        // The daemon rejected the build, for example because of a wrong exporter or entitlement.
        ended = &mut solve => return Err(ended_early(ended)),
        opened = Bridge::open(client, &build_ref) => opened,
    };
    let bridge = opened?;
    let driven = {
        let driven = frontend(&bridge);
        tokio::pin!(driven);
        tokio::select! {
            biased;
            () = cancelled.cancelled() => None,
            driven = &mut driven => Some(driven),
            ended = &mut solve => {
                let response = ended.map_err(Error::Client)?;
                // The build can end before the answer to `return` arrives.
                return match tokio::time::timeout(GRACE, driven).await {
                    Ok(driven) => driven.map(|value| (value, response.exporter)),
                    Err(_) => Err(ended_early(Ok(response))),
                };
            }
        }
    };
    match driven {
        None => {
            bridge.settle(GRACE).await;
            Err(Error::Interrupted)
        }
        Some(Ok(value)) => {
            let span = tracing::info_span!("export", error = Empty);
            let exported = tokio::select! {
                biased;
                () = cancelled.cancelled() => return Err(Error::Interrupted),
                exported = in_span(span, solve) => exported,
            };
            Ok((value, exported.map_err(export_failed)?.exporter))
        }
        Some(Err(error)) => {
            bridge.settle(GRACE).await;
            // The build ends here on the daemon, which keeps the reason in its history.
            let _ = bridge.return_error(&error.to_failure()).await;
            let _ = tokio::time::timeout(GRACE, solve).await;
            Err(error)
        }
    }
}

/// The build's Solve call ended before the result was handed over.
fn ended_early(ended: Result<SolveResponse, client::Error>) -> Error {
    match ended {
        Err(error) => Error::Client(error),
        Ok(_) => Error::Client(client::Error::InvalidAnswer {
            call: "the build",
            reason: Box::new(client::AnswerProblem::NoResult),
        }),
    }
}

/// All platforms are built, but the daemon failed to export them.
fn export_failed(error: client::Error) -> Error {
    Error::Export {
        source: Box::new(error),
    }
}
