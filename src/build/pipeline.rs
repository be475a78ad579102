//! The way of a build, from the request to the exported image. [`run`] reads like a table of contents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::context::{self, Inputs};
use super::platforms::Targets;
use super::{BuildOutcome, BuildRequest, Error, bases, explain, export, options, result, solve};
use crate::client::{Address, Client, SolveRequest};
use crate::dockerfile::{Dockerfile, Finding};
use crate::gateway::{Bridge, Warning};
use crate::progress::Writer;
use crate::registry::Credentials;
use crate::session::{self, Auth, Directories, Session};
use crate::translate::{Outcome, ResolvedImages, Translation, translate};

/// How long the daemon may take to close its streams after the build has ended.
const GRACE: Duration = Duration::from_secs(5);

/// What a build is run with: everything that is not the request itself.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Environment {
    /// Credentials for the registries that the daemon asks about.
    pub credentials: Arc<Credentials>,
    /// Where progress goes; `None` drops it.
    pub progress: Option<Writer>,
    /// Cancels the build, on the daemon too.
    pub cancelled: CancellationToken,
}

/// Everything that the steps of one build read.
pub(super) struct Build<'a> {
    pub(super) request: &'a BuildRequest,
    pub(super) inputs: &'a Inputs,
    pub(super) dockerfile: &'a Dockerfile,
    pub(super) findings: &'a [Finding],
    pub(super) targets: &'a Targets,
    pub(super) session_id: &'a str,
    pub(super) docker_engine: bool,
}

/// A request whose inputs are read and checked, so that mistakes are told before a daemon is asked for anything.
#[derive(Debug)]
pub struct Prepared {
    request: BuildRequest,
    inputs: Inputs,
    dockerfile: Dockerfile,
    findings: Vec<Finding>,
}

/// Reads and parses the Dockerfile and the ignore file of a request.
///
/// # Errors
/// What is missing or wrong, with its path or its lines.
pub async fn prepare(request: BuildRequest) -> Result<Prepared, Error> {
    export::check(&request)?;
    let inputs = read_inputs(&request).await?;
    let (dockerfile, findings) = explain::parse(&inputs)?;
    Ok(Prepared {
        request,
        inputs,
        dockerfile,
        findings,
    })
}

/// Builds: reads, translates, solves every platform at once, exports. [`prepare`] and [`Prepared::run`] in one.
///
/// # Errors
/// As those two.
pub async fn run(
    client: &Client,
    request: BuildRequest,
    environment: Environment,
) -> Result<BuildOutcome, Error> {
    prepare(request).await?.run(client, environment).await
}

impl Prepared {
    /// Builds on a daemon.
    ///
    /// # Errors
    /// [`Error`] names the platform and the place in the Dockerfile. When one platform fails the others are cancelled and
    /// nothing is exported, so no tag has moved.
    pub async fn run(
        &self,
        client: &Client,
        environment: Environment,
    ) -> Result<BuildOutcome, Error> {
        let docker_engine = matches!(client.address(), Address::Docker(_));
        let workers = tokio::select! {
            workers = client.workers() => workers?,
            () = environment.cancelled.cancelled() => return Err(Error::Interrupted),
        };
        let targets = Targets::new(&self.request, &workers);
        let session = open_session(&self.request, &self.inputs, environment.credentials)?;
        let session_id = session.id().to_owned();
        let solve = SolveRequest {
            build_ref: session::new_id()?,
            session_id: session_id.clone(),
            frontend_attrs: options::frontend_attributes(&self.request),
            exporters: export::exporters(&self.request, docker_engine),
            entitlements: options::entitlements(&self.request),
            ..SolveRequest::default()
        };
        let build = Build {
            request: &self.request,
            inputs: &self.inputs,
            dockerfile: &self.dockerfile,
            findings: &self.findings,
            targets: &targets,
            session_id: &session_id,
            docker_engine,
        };
        attended(
            client,
            solve,
            session,
            &build,
            environment.progress,
            &environment.cancelled,
        )
        .await
    }
}

async fn read_inputs(request: &BuildRequest) -> Result<Inputs, Error> {
    let request = request.clone();
    let read = tokio::task::spawn_blocking(move || context::read(&request));
    // The task is neither aborted nor does it panic.
    read.await.unwrap_or(Err(Error::Interrupted))
}

fn open_session(
    request: &BuildRequest,
    inputs: &Inputs,
    credentials: Arc<Credentials>,
) -> Result<Session, Error> {
    let directories = Directories::new().with("context", &inputs.context)?;
    let mut session = Session::builder()
        .directories(directories)
        .auth(Auth::new(credentials));
    if let Some(node_id) = &request.node_id {
        session = session.shared_key(session::shared_key(&inputs.context, node_id));
    }
    Ok(session.build()?)
}

/// Runs the build with the session and the status stream beside it; when this returns none of them runs any more.
async fn attended(
    client: &Client,
    solve: SolveRequest,
    session: Session,
    build: &Build<'_>,
    progress: Option<Writer>,
    cancelled: &CancellationToken,
) -> Result<BuildOutcome, Error> {
    let build_ref = solve.build_ref.clone();
    let ended = CancellationToken::new();
    let mut attendants = JoinSet::new();
    let status = attendants.spawn(forward_status(client.clone(), build_ref.clone(), progress));
    attendants.spawn(serve_session(client.clone(), session, ended.clone()));

    let result = tokio::select! {
        biased;
        () = cancelled.cancelled() => Err(Error::Interrupted),
        result = solve_and_drive(client, solve, build) => result,
    };
    // The status stream ends when the daemon has closed the build; the session is not needed after that.
    let _ = tokio::time::timeout(GRACE, attendants.join_next()).await;
    status.abort();
    ended.cancel();
    let _ = tokio::time::timeout(GRACE, async {
        while attendants.join_next().await.is_some() {}
    })
    .await;

    Ok(BuildOutcome {
        build_ref,
        exporter_response: result?,
        warnings: build.findings.to_vec(),
    })
}

/// A broken status stream fails no build: the build's own call tells what happened.
async fn forward_status(client: Client, build_ref: String, progress: Option<Writer>) {
    let Some(progress) = progress else { return };
    if let Ok(updates) = client.status(&build_ref).await {
        let _ = progress.source().forward(updates).await;
    }
}

/// A session that breaks fails the daemon's calls, and so the build.
async fn serve_session(client: Client, session: Session, ended: CancellationToken) {
    let _ = client.attach(session, ended).await;
}

/// The daemon's Solve call lasts for the whole build; the graphs are sent over the bridge meanwhile.
async fn solve_and_drive(
    client: &Client,
    request: SolveRequest,
    build: &Build<'_>,
) -> Result<BTreeMap<String, String>, Error> {
    let build_ref = request.build_ref.clone();
    let solve = client.solve(request);
    tokio::pin!(solve);
    let opened = tokio::select! {
        // The build is over before it began: a wrong exporter, an entitlement that the daemon refuses.
        ended = &mut solve => return Err(explain::ended_early(ended)),
        opened = Bridge::open(client, &build_ref) => opened,
    };
    let bridge = opened?;
    let driven = tokio::select! {
        ended = &mut solve => return Err(explain::ended_early(ended)),
        driven = drive(&bridge, build) => driven,
    };
    match driven {
        Ok(()) => Ok(solve.await.map_err(explain::export_failed)?.exporter),
        Err(error) => {
            // The daemon keeps the reason in its history; the build ends there with it.
            let _ = bridge.return_error(&error.to_failure()).await;
            let _ = tokio::time::timeout(GRACE, solve).await;
            Err(error)
        }
    }
}

/// Translates for all platforms, solves all graphs, hands the result over.
async fn drive(bridge: &Bridge, build: &Build<'_>) -> Result<(), Error> {
    let translations = translate_all(bridge, build).await?;
    send_warnings(bridge, build).await;
    let parts = solve::all(bridge, build, translations).await?;
    bridge
        .return_result(&result::assemble(build.targets.several(), parts))
        .await?;
    Ok(())
}

/// One translation a platform. Base images are resolved together; their triggers (`ONBUILD`) can name further ones.
async fn translate_all(bridge: &Bridge, build: &Build<'_>) -> Result<Vec<Translation>, Error> {
    let mut images = ResolvedImages::new();
    loop {
        let mut done = Vec::new();
        let mut missing = BTreeSet::new();
        for platform in &build.targets.wanted {
            let options = options::for_platform(build, bridge.capabilities(), platform.as_ref());
            match translate(build.dockerfile, &options, &images)
                .map_err(|error| explain::translation(build, platform.as_ref(), &error))?
            {
                Outcome::NeedsImages(requests) => missing.extend(requests),
                Outcome::NeedsTime(source) => {
                    bases::resolve_time(bridge, source, &mut images).await?
                }
                Outcome::Done(translation) => done.push(*translation),
            }
        }
        if done.len() == build.targets.wanted.len() {
            return Ok(done);
        }
        bases::resolve(bridge, missing, &mut images).await;
    }
}

/// Findings go through the daemon, which shows them with the progress and keeps them in its history.
async fn send_warnings(bridge: &Bridge, build: &Build<'_>) {
    for finding in build.findings {
        let short = explain::warning_line(finding);
        let warning = Warning {
            level: 1,
            short: &short,
            detail: vec![finding.detail()],
            url: finding.url(),
            location: Some(explain::location(build, finding.span)),
            ..Warning::default()
        };
        let _ = bridge.warn(&warning).await;
    }
}
