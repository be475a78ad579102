//! The environment of a build: credentials, progress, the engine to load images into. Not part of
//! the request.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio_util::sync::CancellationToken;

use super::lost_files::LostFiles;
use super::shared::Member;
use super::started::Started;
use super::step_limit::StepLimit;
use crate::explain::Records;
use crate::frontend::Hook;
use crate::pipeline::Error;
use crate::progress::Writer;
use crate::registry::{ClientOptions, Credentials, RetryPolicy};
use crate::session::{Attachable, Auth, BrokenFolders, Elsewhere, Sent, SessionBuilder};

/// The environment of a build: everything that is not part of the request.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Environment {
    /// Credentials for the registries that the daemon asks about.
    pub credentials: Arc<Credentials>,
    /// Options for registries' token servers: certificates, proxies, plain HTTP.
    pub registries: ClientOptions,
    /// Receives the progress; `None` drops it.
    pub progress: Option<Writer>,
    /// Cancels the build, on the daemon too.
    pub cancelled: CancellationToken,
    /// Opens the standard output, for an output that needs it.
    pub standard_output: Option<Arc<OpenOutput>>,
    /// The engine to load images into ([`Output::load`](crate::pipeline::Output::load)) if the
    /// daemon is not a Docker engine itself; `None` rejects such outputs.
    pub load: Option<LoadTarget>,
    /// How long to wait for a daemon whose connection was lost.
    pub reconnect: Reconnect,
    /// How often to repeat a push that failed for a transient reason.
    pub push_retries: PushRetries,
    /// Counts the bytes of the contexts that are sent, also by a failed build.
    pub sent: Sent,
    /// Records the folders of local outputs that a failed or cancelled build leaves incomplete.
    pub broken: BrokenFolders,
    /// Collects the builds that daemons begin, also those that fail.
    pub started: Started,
    /// Records the graphs and inputs of the build, to explain later why its steps ran.
    pub records: Option<Records>,
    /// Additional services of the session, from the embedding program.
    pub attachables: Vec<Arc<dyn Attachable>>,
    /// Is called with each platform's graph and image config before the solve, and may solve the
    /// graph itself.
    pub hook: Option<Arc<dyn Hook>>,
    /// Limits how many steps run at once; clones limit several builds together.
    pub step_limit: Option<StepLimit>,
    /// Knows the blobs that the daemon need not send to an OCI layout.
    pub(crate) elsewhere: Option<Arc<dyn Elsewhere>>,
    /// The name of the build if several run together.
    pub(crate) target: Option<String>,
    /// Steps of earlier attempts whose input files the daemon has lost.
    pub(super) lost_files: LostFiles,
    /// Membership in a group of builds that run together.
    pub(crate) member: Option<Member>,
}

/// How long to wait for a daemon whose connection was lost, before the build resumes from its
/// cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnect {
    /// The time limit; zero means that the build fails at once.
    pub within: Duration,
}

impl Default for Reconnect {
    /// 10 seconds: enough for most daemons to restart.
    fn default() -> Self {
        Self {
            within: Duration::from_secs(10),
        }
    }
}

/// How often to repeat the export of a finished build if its push fails for a transient reason. The
/// daemon retries single requests for some seconds only. The steps stay cached.
#[derive(Debug, Clone)]
pub struct PushRetries {
    /// The number of repeats and the waits between them.
    pub policy: RetryPolicy,
}

impl Default for PushRetries {
    /// Two repeats.
    fn default() -> Self {
        Self {
            policy: RetryPolicy::of_operation(),
        }
    }
}

/// A Docker engine to load images into that another daemon builds.
#[derive(Clone)]
pub struct LoadTarget {
    /// Opens a stream to it, for example with [`crate::client::ImageLoader`].
    pub open: Arc<OpenOutput>,
    /// The engine uses containerd's image store, so it takes OCI archives: several platforms, and
    /// attestations.
    pub takes_oci: bool,
}

/// Opens the writer of an archive.
pub type OpenOutput = dyn Fn() -> io::Result<Box<dyn io::Write + Send>> + Send + Sync;

impl Environment {
    /// The session service that answers the daemon's requests for registry credentials.
    pub(super) fn auth(&self) -> Auth {
        Auth::new(Arc::clone(&self.credentials)).with_registries(self.registries.clone())
    }

    /// Adds the embedding program's services to the session.
    pub(super) fn attach(&self, session: SessionBuilder) -> SessionBuilder {
        let attachables = self.attachables.iter();
        attachables.fold(session, |session, it| it.attach(session))
    }

    /// Waits for the work, or returns [`Error::Interrupted`] when the build is cancelled first.
    pub(crate) async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let done = self.cancelled.run_until_cancelled(work).await;
        done.ok_or(Error::Interrupted)
    }

    /// Shows a line in the progress.
    pub(in crate::pipeline) fn note(&self, line: impl Into<String>) {
        if let Some(progress) = &self.progress {
            progress.note(line);
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("credentials", &self.credentials)
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}
