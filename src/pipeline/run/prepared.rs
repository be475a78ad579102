//! A request whose inputs are read: what is built, once or in parts.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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

/// A request whose inputs are read and checked, so that mistakes are reported before a daemon is
/// asked for anything.
#[derive(Debug)]
pub struct Prepared {
    pub(in crate::pipeline) request: BuildRequest,
    pub(in crate::pipeline) inputs: Inputs,
    /// None when only the daemon can read the Dockerfile.
    job: Option<Job>,
    /// It is a part of another build.
    pub(super) part: Option<Part>,
    /// What came from a stream, for several parts.
    spool: Option<Arc<Spool>>,
}

/// What a part of a build has that a whole build has not: some of its platforms are built on one of
/// several nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Where it waits for the other parts before it exports.
    pub(super) gate: Option<Arc<Gate>>,
}

/// Reads and parses the Dockerfile and the ignore files of a request, as far as they are on this
/// side.
///
/// # Errors
/// What is missing or wrong, with its path or its lines.
pub async fn prepare(request: BuildRequest) -> Result<Prepared, Error> {
    export::check(&request)?;
    let inputs = read_inputs(&request).await?;
    // The daemon is not known yet: where images are looked up is added when it is.
    let asked = translation::asked(&request, &inputs, DaemonKind::Buildkitd, false);
    let job = match inputs.source() {
        Some(source) => Some(Job::read(source, asked, &request.frontend)?),
        None => None,
    };
    Ok(Prepared {
        request,
        inputs,
        job,
        part: None,
        spool: None,
    })
}

/// Reads the inputs of a request off the async threads.
pub(super) async fn read_inputs(request: &BuildRequest) -> Result<Inputs, Error> {
    let request = request.clone();
    blocking(move || reading::read(&request)).await
}

impl Prepared {
    /// What was asked for.
    pub fn request(&self) -> &BuildRequest {
        &self.request
    }

    /// What was read for it.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Builds on a daemon. When the connection is lost, the daemon is waited for
    /// ([`Environment::reconnect`]), and the build resumes from its cache. A context from a stream
    /// that has begun cannot be read again.
    ///
    /// # Errors
    /// [`Error`] names the platform and the place in the Dockerfile. When one platform fails the
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

    /// Its Dockerfile, unless only the daemon can read that.
    pub(super) fn job(&self) -> Option<&Job> {
        self.job.as_ref()
    }

    /// What the context is, in words that tell it from others: a path, a URL.
    pub(crate) fn context_key(&self) -> String {
        match &self.inputs.context {
            ContextRead::Directory(folder) => folder.display().to_string(),
            ContextRead::Remote(url) => url.clone(),
            ContextRead::Empty(_) | ContextRead::Upload(_) => String::new(),
        }
    }

    /// True if it can be built again: everything that it reads can be read again, which a context
    /// from a stream cannot.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self.inputs.context, ContextRead::Upload(_))
    }

    /// True if steps of this build may need what only its own session serves.
    pub(super) fn has_secrets(&self) -> bool {
        !self.request.secrets.is_empty() || !self.request.ssh_agents.is_empty()
    }

    /// The job of these inputs, unless only the daemon can read its Dockerfile.
    pub(super) fn job_with(&self, inputs: &Inputs, asked: &Asked) -> Result<Option<Job>, Error> {
        match (&self.job, inputs.source()) {
            (Some(job), _) => Ok(Some(job.clone().with_asked(asked.clone()))),
            (None, Some(source)) => {
                let job = Job::read(source, asked.clone(), &self.request.frontend)?;
                Ok(Some(job))
            }
            (None, None) => Ok(None),
        }
    }

    /// The same inputs with another request for them.
    pub(crate) fn clone_with(&self, request: BuildRequest) -> Self {
        Self {
            request,
            inputs: self.inputs.clone(),
            job: self.job.clone(),
            part: self.part.clone(),
            spool: self.spool.clone(),
        }
    }

    /// The same inputs with a part of the request. Its result is an index even of one platform.
    ///
    /// # Errors
    /// When a context that came from a stream cannot be read again.
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

    /// The same with what came from a stream in a file, so that each part can read it.
    pub(crate) async fn spooled(mut self, cancelled: &CancellationToken) -> Result<Self, Error> {
        if let ContextRead::Upload(upload) = &self.inputs.context {
            let spool = Spool::keep(upload.clone(), &self.request.folders, cancelled).await?;
            self.spool = Some(Arc::new(spool));
        }
        Ok(self)
    }
}
