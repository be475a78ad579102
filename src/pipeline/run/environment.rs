//! What a build is run with: credentials, progress, the place of an image to load. No part of the
//! request.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio_util::sync::CancellationToken;

use super::shared::Member;
use super::step_limit::StepLimit;
use crate::explain::Records;
use crate::frontend::Hook;
use crate::progress::Writer;
use crate::registry::{ClientOptions, Credentials, RetryPolicy};
use crate::session::{Attachable, Auth, BrokenFolders, Elsewhere, Sent, SessionBuilder};

/// What a build is run with: everything that is not the request itself.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Environment {
    /// Credentials for the registries that the daemon asks about.
    pub credentials: Arc<Credentials>,
    /// How their token servers are reached: certificates, proxies, which may speak plain HTTP.
    pub registries: ClientOptions,
    /// Where progress goes; `None` drops it.
    pub progress: Option<Writer>,
    /// Cancels the build, on the daemon too.
    pub cancelled: CancellationToken,
    /// Opens the standard output, for the output that goes there.
    pub standard_output: Option<Arc<OpenOutput>>,
    /// Where an image goes that is to be loaded ([`Output::load`](crate::pipeline::Output::load))
    /// when the daemon is no Docker engine; `None` refuses it.
    pub load: Option<LoadTarget>,
    /// How long a daemon that went away is waited for.
    pub reconnect: Reconnect,
    /// How often a push of the daemon is repeated that failed for a transient reason.
    pub push_retries: PushRetries,
    /// Counts what is sent of the contexts, also of a build that fails.
    pub sent: Sent,
    /// Notes which folders of local outputs are left incomplete when a build fails or is cancelled.
    pub broken: BrokenFolders,
    /// Collects what the build is made of, to explain later why its steps ran.
    pub records: Option<Records>,
    /// What the program itself adds to the session of the build.
    pub attachables: Vec<Arc<dyn Attachable>>,
    /// Sees each platform's graph and image config before it is solved, and may solve it itself.
    pub hook: Option<Arc<dyn Hook>>,
    /// Limits how many steps run at once; clones limit several builds together.
    pub step_limit: Option<StepLimit>,
    /// Has blobs that the daemon need not send to the layout of an output.
    pub(crate) elsewhere: Option<Arc<dyn Elsewhere>>,
    /// The other builds that this one is run with.
    pub(crate) member: Option<Member>,
}

/// How long a daemon that goes away during a build is waited for, before the build goes on from its
/// cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnect {
    /// Zero is never: the build fails at once.
    pub within: Duration,
}

impl Default for Reconnect {
    /// 10 seconds, which most daemons need for starting again.
    fn default() -> Self {
        Self {
            within: Duration::from_secs(10),
        }
    }
}

/// How often the export of a finished build is repeated after a transient failure of its push: a
/// daemon retries single requests itself, and gives up after seconds. The steps stay cached.
#[derive(Debug, Clone)]
pub struct PushRetries {
    /// How often, and after which waits.
    pub policy: RetryPolicy,
}

impl Default for PushRetries {
    /// Twice.
    fn default() -> Self {
        Self {
            policy: RetryPolicy::of_operation(),
        }
    }
}

/// An engine that images are loaded into which another daemon builds.
#[derive(Clone)]
pub struct LoadTarget {
    /// Opens the way into it, for example a [`crate::client::ImageLoader`].
    pub open: Arc<OpenOutput>,
    /// It keeps images in containerd's store, which takes OCI archives: several platforms, and
    /// attestations.
    pub takes_oci: bool,
}

/// Opens what an archive is written to.
pub type OpenOutput = dyn Fn() -> io::Result<Box<dyn io::Write + Send>> + Send + Sync;

impl Environment {
    /// Answers the daemon's questions about registries.
    pub(super) fn auth(&self) -> Auth {
        Auth::new(Arc::clone(&self.credentials)).with_registries(self.registries.clone())
    }

    /// Adds what the program itself offers.
    pub(super) fn attach(&self, session: SessionBuilder) -> SessionBuilder {
        let attachables = self.attachables.iter();
        attachables.fold(session, |session, it| it.attach(session))
    }

    /// Shows a line among the progress.
    pub(super) fn note(&self, line: impl Into<String>) {
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
