//! Code that `build` and `bake` share while daemons work: registries, progress, and the check that
//! pushes are allowed.

use std::sync::Arc;

use solvekit::oci::Reference;
use solvekit::pipeline::{self, LoadTarget, PushRetries, Reconnect, Started};
use solvekit::progress::{self, Hold, Mode, Summary, Updates, Writer};
use solvekit::registry;
use solvekit::session::{BrokenFolders, Sent};
use tokio_util::sync::CancellationToken;

use super::{context_size, preflight};
use crate::cli::args::builder::Used;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::explain::Recording;
use crate::cli::args::push::PushRetryArgs;
use crate::cli::args::registries::{Notes, RegistryArgs};
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::Failure;
use crate::cli::report::display::{self, Showing, Sink};

/// A run that is being prepared.
pub(crate) struct Run {
    /// Receives notes before the first step.
    pub(crate) progress: Writer,
    updates: Updates,
    notes: Notes,
    registries: registry::Client,
    options: registry::ClientOptions,
    credentials: Arc<registry::Credentials>,
    push_retries: PushRetries,
}

/// A run whose progress is being shown.
pub(crate) struct Running {
    mode: Mode,
    notes: Notes,
    stop: CancellationToken,
    display: Showing,
    sent: Sent,
    /// Collects the builds that daemons begin.
    pub(crate) started: Started,
    /// Collects the folders that a failed build leaves incomplete.
    pub(crate) broken: BrokenFolders,
}

impl Run {
    /// Prepares a run. `insecure` are the registries that the requests mark so; the registries of
    /// the builder's configuration are added.
    pub(crate) fn new(
        args: &RegistryArgs,
        retries: &PushRetryArgs,
        insecure: Vec<String>,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let (progress, updates) = progress::channel();
        let notes = Notes::new(progress.clone());
        let credentials = environment.credentials()?;
        let credentials = Arc::new(credentials.with_notifier(notes.notifier()));
        let mut options = args.options(environment);
        retries.apply(&mut options);
        options.insecure.extend(insecure);
        connection.add_registries(&mut options, environment)?;
        options.notifier = Some(notes.notifier());
        let registries = registry::Client::new(Arc::clone(&credentials), options.clone());
        Ok(Self {
            progress,
            updates,
            notes,
            registries,
            options,
            credentials,
            push_retries: retries.of_daemon(),
        })
    }

    /// The client for pushes and look-ups by this process.
    pub(crate) fn registries(&self) -> registry::Client {
        self.registries.clone()
    }

    /// Checks that the images may be pushed. Returns only if a registry refuses one.
    pub(crate) fn refused(&self, pushes: Vec<Reference>) -> impl Future<Output = Failure> + use<> {
        let (registries, progress) = (self.registries.clone(), self.progress.clone());
        async move { preflight::refused(pushes, &registries, progress).await }
    }

    /// Starts to show the progress. Returns the settings for the builds, and a handle to wait for
    /// them.
    pub(crate) fn start(
        self,
        shown: Shown<'_>,
        load: Option<LoadTarget>,
        reconnect: Reconnect,
        recording: &Recording,
        cancelled: &CancellationToken,
    ) -> (pipeline::Environment, Running) {
        let stop = cancelled.child_token();
        let mut run = pipeline::Environment::default();
        run.credentials = self.credentials;
        run.registries = self.options;
        run.progress = Some(self.progress);
        run.cancelled = stop.clone();
        run.standard_output = Some(Arc::new(|| Ok(Box::new(std::io::stdout()))));
        run.load = load;
        run.reconnect = reconnect;
        run.push_retries = self.push_retries;
        recording.attach(&mut run);
        interrupt::exports_to(run.broken.clone());
        let running = Running {
            mode: shown.mode,
            notes: self.notes,
            stop,
            display: shown.start(self.updates),
            sent: run.sent.clone(),
            started: run.started.clone(),
            broken: run.broken.clone(),
        };
        (run, running)
    }
}

/// The display of the progress.
pub(crate) struct Shown<'a> {
    pub(crate) mode: Mode,
    pub(crate) sink: Sink,
    /// The only platform of the build, which is omitted from the steps' names.
    pub(crate) platform: Option<String>,
    pub(crate) used: &'a Used,
    pub(crate) environment: &'a Environment,
    /// Pauses the display while a debugger uses the terminal.
    pub(crate) hold: Option<Hold>,
}

impl Shown<'_> {
    fn start(self, updates: Updates) -> Showing {
        let Self {
            mode,
            sink,
            platform,
            used,
            environment,
            hold,
        } = self;
        display::start_with(hold, mode, sink, platform, used, environment, updates)
    }
}

impl Running {
    /// Waits for the build. If a registry refuses a push first, the build is stopped and the
    /// refusal is returned, unless the build succeeded anyway.
    pub(crate) async fn until_refused<T>(
        &self,
        building: impl Future<Output = T>,
        refused: impl Future<Output = Failure>,
        is_built: impl FnOnce(&T) -> bool,
    ) -> Result<T, Failure> {
        let mut building = std::pin::pin!(building);
        tokio::select! {
            built = &mut building => Ok(built),
            failure = refused => {
                self.stop.cancel();
                let built = building.await;
                if is_built(&built) { Ok(built) } else { Err(failure) }
            }
        }
    }

    /// Waits until all progress is shown. The builds must have ended.
    pub(crate) async fn end(self) -> Summary {
        self.notes.end();
        let summary = self.display.end().await;
        context_size::warn(&self.sent, self.mode);
        summary
    }
}
