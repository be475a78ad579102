//! Asks questions about Dockerfiles. A daemon is asked only if base images have to be inspected.
//! Called as buildx, the progress shows the files that were read, as buildx's does.

use std::sync::Arc;

use solvekit::client::Client;
use solvekit::frontend::{Answer, Call};
use solvekit::oci::Platform;
use solvekit::pipeline::{self, BuildRequest, Inquiry};
use solvekit::progress::{self, Mode, Summary, Writer};
use tokio_util::sync::CancellationToken;

use crate::cli::args::builder::Used;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt;
use crate::cli::report::bake_files::BakeFiles;
use crate::cli::report::display::Sink;
use crate::cli::report::{Failure, build_failure, display};

/// How a question reaches a daemon.
#[derive(Clone, Copy)]
pub(crate) struct Reaching<'a> {
    pub(crate) mode: Mode,
    pub(crate) connection: &'a ConnectionArgs,
    pub(crate) registries: &'a RegistryArgs,
    pub(crate) environment: &'a Environment,
}

impl Reaching<'_> {
    /// Connects to the daemon for builds of these platforms.
    pub(super) async fn connect(&self, platforms: &[Platform]) -> Result<(Client, Used), Failure> {
        let say = |line: &str| display::boot(self.mode, line);
        let connecting = self
            .connection
            .connect_for(self.environment, platforms, &say);
        connecting.await
    }
}

/// The way to a daemon, if one is needed, and the display of the progress.
#[derive(Clone)]
pub(crate) struct Surroundings<'a> {
    pub(crate) reaching: Reaching<'a>,
    /// The bake files of this machine, if the progress shows them.
    pub(crate) bake_files: Option<&'a BakeFiles>,
    pub(crate) sink: Sink,
}

/// A question about a request.
pub(crate) struct Asked {
    /// The target of a bake file.
    pub(crate) target: Option<String>,
    pub(crate) request: BuildRequest,
    pub(crate) call: Call,
}

/// Answers the questions, in their order. Nothing is asked after the first failure.
pub(crate) async fn answers(
    asked: Vec<Asked>,
    surroundings: Surroundings<'_>,
) -> Result<Vec<Answer>, Failure> {
    let cancelled = interrupt::token()?;
    let is_shown = surroundings.reaching.environment.identity == Identity::Buildx;
    let mut read = Vec::new();
    for it in asked {
        let one = Read::of(it, &cancelled).await;
        match one.known {
            Err(error) if !is_shown || one.inquiry.is_none() && missing(&error).is_none() => {
                return Err(one.target.failure(&error));
            }
            _ => read.push(one),
        }
    }
    let needs_daemon = read.iter().any(|it| matches!(it.known, Ok(None)));
    if read.is_empty() || !is_shown && !needs_daemon {
        return known(read);
    }
    let daemon = match Daemon::reach(surroundings, &cancelled).await {
        Ok(daemon) => daemon,
        Err(failure) if needs_daemon => return Err(failure),
        Err(_) => return known(read),
    };
    daemon.answers(read).await
}

/// The answers that need no daemon.
fn known(read: Vec<Read>) -> Result<Vec<Answer>, Failure> {
    let known = read.into_iter().filter_map(|it| match it.known {
        Ok(answer) => answer.map(Ok),
        Err(error) => Some(Err(it.target.failure(&error))),
    });
    known.collect()
}

/// The target that a question is about.
struct Target(Option<String>);

impl Target {
    fn failure(&self, error: &pipeline::Error) -> Failure {
        self.failure_after(&Summary::default(), error, Mode::Plain)
    }

    fn failure_after(&self, summary: &Summary, error: &pipeline::Error, mode: Mode) -> Failure {
        let failure = build_failure::explain(error, summary, mode);
        match &self.0 {
            Some(name) => failure.of_target(name),
            None => failure,
        }
    }
}

/// A question whose inputs have been read.
struct Read {
    target: Target,
    /// `None` if an input cannot be read.
    inquiry: Option<Inquiry>,
    /// The answer; `None` if a daemon must be asked.
    known: Result<Option<Answer>, pipeline::Error>,
}

impl Read {
    async fn of(asked: Asked, cancelled: &CancellationToken) -> Self {
        let inquiry = tokio::select! {
            inquiry = pipeline::inquire(asked.request, asked.call) => inquiry,
            () = cancelled.cancelled() => Err(pipeline::Error::Interrupted),
        };
        let (inquiry, known) = match inquiry {
            Ok(inquiry) => {
                let known = inquiry.answer_offline();
                (Some(inquiry), known)
            }
            Err(error) => (None, Err(error)),
        };
        Self {
            target: Target(asked.target),
            inquiry,
            known,
        }
    }
}

/// The name of the Dockerfile that cannot be read.
fn missing(error: &pipeline::Error) -> Option<String> {
    let pipeline::Error::Dockerfile { path, .. } = error else {
        return None;
    };
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Shows how a frontend looks for the Dockerfile: it gets an empty folder.
fn show_missing(name: &str, progress: &Writer) {
    let step = progress.step(format!("[internal] load build definition from {name}"));
    let mut transfer = step.transfer("transferring dockerfile:");
    transfer.set_current(2);
    drop(transfer);
    step.done();
}

/// A daemon that answers, and the display of its progress.
struct Daemon {
    client: Client,
    settings: pipeline::Environment,
    progress: Writer,
    display: display::Showing,
    mode: Mode,
    shows_inputs: bool,
}

impl Daemon {
    async fn reach(
        surroundings: Surroundings<'_>,
        cancelled: &CancellationToken,
    ) -> Result<Self, Failure> {
        let Surroundings {
            reaching,
            bake_files,
            sink,
        } = surroundings;
        let Reaching {
            mode,
            registries,
            environment,
            ..
        } = reaching;
        let (client, used) = tokio::select! {
            connected = reaching.connect(&[]) => connected?,
            () = cancelled.cancelled() => {
                let interrupted = pipeline::Error::Interrupted;
                return Err(build_failure::explain(&interrupted, &Summary::default(), mode));
            }
        };
        let mut settings = pipeline::Environment::default();
        settings.credentials = Arc::new(environment.credentials()?);
        settings.registries = registries.options(environment);
        settings.cancelled = cancelled.clone();
        let (progress, updates) = progress::channel();
        if let Some(files) = bake_files {
            files.show(&progress);
        }
        Ok(Self {
            client,
            settings,
            progress,
            mode,
            display: display::start(mode, sink, None, &used, environment, updates),
            shows_inputs: environment.identity == Identity::Buildx,
        })
    }

    async fn answers(self, read: Vec<Read>) -> Result<Vec<Answer>, Failure> {
        let are_named = read.len() > 1;
        let (mut answers, mut failed) = (Vec::new(), None);
        for it in read {
            let progress = match (&it.target.0, are_named) {
                (Some(name), true) => self.progress.for_target(name),
                _ => self.progress.clone(),
            };
            match self.answer(it.inquiry.as_ref(), it.known, progress).await {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    failed = Some((it.target, error));
                    break;
                }
            }
        }
        drop((self.settings, self.progress));
        let summary = self.display.end().await;
        match failed {
            None => Ok(answers),
            Some((target, error)) => Err(target.failure_after(&summary, &error, self.mode)),
        }
    }

    async fn answer(
        &self,
        inquiry: Option<&Inquiry>,
        known: Result<Option<Answer>, pipeline::Error>,
        progress: Writer,
    ) -> Result<Answer, pipeline::Error> {
        let Some(inquiry) = inquiry else {
            if let Some(name) = known.as_ref().err().and_then(missing) {
                show_missing(&name, &progress);
            }
            return known.map(Option::unwrap_or_default);
        };
        if self.shows_inputs {
            inquiry.show_dockerfile(&progress);
        }
        let answer = match known? {
            Some(answer) => answer,
            None => {
                let mut settings = self.settings.clone();
                settings.progress = Some(progress.clone());
                inquiry.answer(&self.client, settings).await?
            }
        };
        if self.shows_inputs && answer.failure.is_none() {
            inquiry.show_ignore_files(&progress);
        }
        Ok(answer)
    }
}
