//! A request whose inputs have been read, to be built whole or in parts.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::environment::Environment;
use super::gate::Gate;
use super::outcome::BuildOutcome;
use super::retry::{self, Failed};
use crate::client::{Client, DaemonKind};
use crate::frontend::{Asked, Job};
use crate::pipeline::inputs::spool::Spool;
use crate::pipeline::inputs::{ContextRead, reading};
use crate::pipeline::request::translation;
use crate::pipeline::{BuildRequest, Error, Inputs, export};
use crate::session::Upload;
use crate::task::blocking;

/// A request whose inputs have been read and checked, so that mistakes are reported before a daemon
/// is asked.
#[derive(Debug)]
pub struct Prepared {
    pub(in crate::pipeline) request: BuildRequest,
    pub(in crate::pipeline) inputs: Inputs,
    /// `None` if only the daemon can read the Dockerfile.
    job: Option<Job>,
    /// Set if this is a part of another build.
    pub(super) part: Option<Part>,
    /// The content of a stream, for several parts.
    spool: Option<Arc<Spool>>,
    /// The name that the program gave to the context.
    context_name: OnceLock<String>,
    /// The step that shows the Dockerfile, once it was shown: warnings belong to it.
    shown_as: OnceLock<String>,
}

/// State of a part of a build: the platforms that are built on one of several nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// The gate that waits for the other parts before the export.
    pub(super) gate: Option<Arc<Gate>>,
}

/// Reads and parses the Dockerfile and the ignore files of a request that are on this machine.
///
/// # Errors
/// An input that is missing or invalid, with its path or its lines.
pub async fn prepare(request: BuildRequest) -> Result<Prepared, Error> {
    export::check(&request)?;
    let inputs = read_inputs(&request).await?;
    // The daemon's kind, which decides where images are looked up, is added later.
    let asked = translation::asked(&request, &inputs, DaemonKind::Buildkitd, false);
    let job = match inputs.source_in(request.wording) {
        Some(source) => Some(Job::read(source, asked, &request.frontend)?),
        None => None,
    };
    Ok(Prepared {
        request,
        inputs,
        job,
        part: None,
        spool: None,
        context_name: OnceLock::new(),
        shown_as: OnceLock::new(),
    })
}

/// Reads the inputs of a request off the async threads.
pub(super) async fn read_inputs(request: &BuildRequest) -> Result<Inputs, Error> {
    let request = request.clone();
    blocking(move || reading::read(&request)).await
}

impl Prepared {
    /// The request.
    pub fn request(&self) -> &BuildRequest {
        &self.request
    }

    /// The inputs that were read.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Builds on a daemon. If the connection is lost, waits for the daemon
    /// ([`Environment::reconnect`]), and the build resumes from its cache. A context from a stream
    /// that was started cannot be read again.
    ///
    /// # Errors
    /// [`Error`] names the platform and the place in the Dockerfile. If one platform fails, the
    /// others are cancelled and nothing is exported, so no tag has moved.
    pub async fn run(
        &self,
        client: &Client,
        environment: Environment,
    ) -> Result<BuildOutcome, Error> {
        let built = retry::run(self, client, environment, &AtomicBool::new(false)).await;
        built.map_err(|failed| failed.error)
    }

    /// As [`Prepared::run`]; `handed_over` becomes true when the result may have reached the
    /// exporters.
    pub(crate) async fn run_watched(
        &self,
        client: &Client,
        environment: Environment,
        handed_over: &AtomicBool,
    ) -> Result<BuildOutcome, Failed> {
        retry::run(self, client, environment, handed_over).await
    }

    /// The job of the Dockerfile; `None` if only the daemon can read it.
    pub(super) fn job(&self) -> Option<&Job> {
        self.job.as_ref()
    }

    /// Records the step that shows the Dockerfile.
    pub(super) fn set_shown_as(&self, digest: String) {
        let _ = self.shown_as.set(digest);
    }

    /// The step that shows the Dockerfile; `None` if the progress does not show it.
    pub(super) fn shown_as(&self) -> Option<&str> {
        self.shown_as.get().map(String::as_str)
    }

    /// Names the context for the choice among equal nodes, instead of its path or URL. Builds with
    /// the same name find their cache again, from any machine. Later names are ignored.
    pub fn name_context(&self, name: String) {
        let _ = self.context_name.set(name);
    }

    /// Identifies the context: its name, a path or a URL.
    pub(crate) fn context_key(&self) -> String {
        if let Some(name) = self.context_name.get() {
            return name.clone();
        }
        match &self.inputs.context {
            ContextRead::Directory(folder) => folder.display().to_string(),
            ContextRead::Remote(url) => url.clone(),
            ContextRead::Empty(_) | ContextRead::Upload(_) => String::new(),
        }
    }

    /// True if it can be built again: all its inputs can be read again, unlike a context from a
    /// stream.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self.inputs.context, ContextRead::Upload(_))
    }

    /// True if steps may need secrets or agents, which only the build's own session serves.
    pub(super) fn has_secrets(&self) -> bool {
        !self.request.secrets.is_empty() || !self.request.ssh_agents.is_empty()
    }

    /// The job of these inputs; `None` if only the daemon can read the Dockerfile.
    pub(super) fn job_with(&self, inputs: &Inputs, asked: &Asked) -> Result<Option<Job>, Error> {
        match (&self.job, inputs.source_in(self.request.wording)) {
            (Some(job), _) => Ok(Some(job.clone().with_asked(asked.clone()))),
            (None, Some(source)) => {
                let job = Job::read(source, asked.clone(), &self.request.frontend)?;
                Ok(Some(job))
            }
            (None, None) => Ok(None),
        }
    }

    /// The same inputs with another request.
    pub(crate) fn clone_with(&self, request: BuildRequest) -> Self {
        Self {
            request,
            inputs: self.inputs.clone(),
            job: self.job.clone(),
            part: self.part.clone(),
            spool: self.spool.clone(),
            context_name: self.context_name.clone(),
            shown_as: self.shown_as.clone(),
        }
    }

    /// A part of the build: the same inputs, and a request for some of the platforms. Its result is
    /// an index even for one platform.
    ///
    /// # Errors
    /// The context came from a stream, and cannot be read again.
    pub(crate) fn part(
        &self,
        request: BuildRequest,
        gate: Option<Arc<Gate>>,
    ) -> Result<Self, Error> {
        let mut part = self.clone_with(request);
        if let Some(spool) = &self.spool {
            part.inputs.context = ContextRead::Upload(Upload::new(spool.open()?)?);
        }
        part.part = Some(Part { gate });
        Ok(part)
    }

    /// Keeps the context from a stream in a file, so that each part can read it.
    pub(crate) async fn spooled(mut self, cancelled: &CancellationToken) -> Result<Self, Error> {
        if let ContextRead::Upload(upload) = &self.inputs.context {
            let spool = Spool::keep(upload.clone(), &self.request.folders, cancelled).await?;
            self.spool = Some(Arc::new(spool));
        }
        Ok(self)
    }
}
