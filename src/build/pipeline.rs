//! The way of a build, from the request to the exported image.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::{fmt, io};

use tokio_util::sync::CancellationToken;

use super::attended::Attended;
use super::context::{self, Inputs};
use super::layouts::{self, Layouts};
use super::{
    BuildOutcome, BuildRequest, Error, OnFailure, Output, export, missing_source, options,
};
use crate::client::{Address, Client, Failure, SolveRequest, Worker};
use crate::frontend::{self, Finished, Job, Setting};
use crate::gateway::Bridge;
use crate::oci::Platform;
use crate::progress::Writer;
use crate::registry::Credentials;
use crate::session::{self, Auth, ContentStores, Directories, Exports, Session, SessionBuilder};

/// What a build is run with: everything that is not the request itself.
#[derive(Default)]
#[non_exhaustive]
pub struct Environment {
    /// Credentials for the registries that the daemon asks about.
    pub credentials: Arc<Credentials>,
    /// Where progress goes; `None` drops it.
    pub progress: Option<Writer>,
    /// Cancels the build, on the daemon too.
    pub cancelled: CancellationToken,
    /// Opens the standard output, for the output that goes there.
    pub standard_output: Option<Arc<OpenOutput>>,
}

/// Opens what an archive is written to.
pub type OpenOutput = dyn Fn() -> io::Result<Box<dyn io::Write + Send>> + Send + Sync;

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("credentials", &self.credentials)
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}

/// A request whose inputs are read and checked, so that mistakes are told before a daemon is asked for anything.
#[derive(Debug)]
pub struct Prepared {
    request: BuildRequest,
    inputs: Inputs,
    job: Job,
}

/// Reads and parses the Dockerfile and the ignore file of a request.
///
/// # Errors
/// What is missing or wrong, with its path or its lines.
pub async fn prepare(request: BuildRequest) -> Result<Prepared, Error> {
    export::check(&request)?;
    let inputs = read_inputs(&request).await?;
    // The daemon is not known yet: where images are looked up is added when it is.
    let attributes = options::frontend_attributes(&request, false);
    let job = Job::read(inputs.source(), attributes, &request.frontend)?;
    Ok(Prepared {
        request,
        inputs,
        job,
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
        let forwarded = self.job.elsewhere().is_some();
        let outputs = export::outputs(&self.request, docker_engine)?;
        let exports = export::receivers(&outputs, environment.standard_output.as_ref())?;
        let layouts = self.layouts(outputs.clone()).await?;
        if let Some(progress) = &environment.progress {
            layouts.notes.iter().for_each(|note| progress.note(note));
        }
        let session = session_of(
            &self.request,
            &self.inputs,
            forwarded,
            environment.credentials,
            layouts.stores.clone(),
        )?
        .exports(exports.clone())
        .build()?;
        let mut attributes = options::frontend_attributes(&self.request, docker_engine);
        if forwarded {
            attributes.insert("filename".to_owned(), self.inputs.dockerfile_folder().1);
        }
        let mut setting = setting(&self.request, &self.inputs, &session);
        setting.evaluate = true;
        setting.cache_imports = layouts.cache_from.clone();
        let solve = SolveRequest {
            build_ref: session::new_id()?,
            session_id: session.id().to_owned(),
            frontend_attrs: attributes.clone(),
            cache_exports: layouts.cache_to.clone(),
            cache_imports: layouts.cache_from.clone(),
            exporters: export::exporters(&self.request, &outputs, docker_engine),
            entitlements: options::entitlements(&self.request),
            source_policy: self.request.source_policy.clone(),
            ..SolveRequest::default()
        };
        let build_ref = solve.build_ref.clone();
        let attended = Attended {
            client,
            solve,
            session,
            progress: environment.progress,
            cancelled: &environment.cancelled,
        };
        let job = self.job.clone().with_attributes(attributes);
        let (finished, exporter_response) = attended
            .run(async |bridge| self.drive(&job, bridge, setting).await)
            .await
            .map_err(|error| not_received(error, &exports, &layouts.stores))?;
        let exporter_response = finish(layouts, exporter_response).await?;
        Ok(BuildOutcome {
            build_ref,
            exporter_response,
            warnings: finished.findings,
            built: finished.built,
            failed: finished.failed,
        })
    }

    async fn layouts(&self, outputs: Vec<Output>) -> Result<Layouts, Error> {
        let request = self.request.clone();
        blocking(move || layouts::open(&request, &outputs)).await
    }

    /// Translates for all platforms, solves all graphs, hands the result over.
    async fn drive(
        &self,
        job: &Job,
        bridge: &Bridge,
        mut setting: Setting,
    ) -> Result<Finished, Error> {
        setting.build_platforms = build_platforms(bridge.workers());
        setting.require_native = self.request.require_native;
        setting.keep_going = self.request.on_failure != OnFailure::Cancel;
        let finished = job.run(bridge, &setting).await;
        let mut finished = finished.map_err(|error| self.explained(error))?;
        for failure in &mut finished.failed {
            self.explain(&mut failure.error);
        }
        let is_whole = finished.failed.is_empty();
        let is_enough = self.request.on_failure == OnFailure::Export && !finished.built.is_empty();
        if !is_whole && !is_enough {
            return Err(Error::Platforms {
                failed: finished.failed,
                built: finished.built,
            });
        }
        bridge.return_result(&finished.result).await?;
        Ok(finished)
    }

    fn explained(&self, mut error: frontend::Error) -> Error {
        self.explain(&mut error);
        error.into()
    }

    /// A source of COPY that is not found: here are the files and the rules that hide them.
    fn explain(&self, error: &mut frontend::Error) {
        if let frontend::Error::Solve(solve) = error {
            let failure: Option<&Failure> = solve.source.failure();
            solve.explanation = failure.and_then(|failure| {
                missing_source::explain(&self.inputs, failure, solve.lines.as_ref())
            });
        }
    }
}

/// Of a result that cannot be written here the daemon knows less than this side.
fn not_received(error: Error, exports: &Exports, stores: &ContentStores) -> Error {
    if !matches!(error, Error::Export { .. } | Error::Client(_)) {
        return error;
    }
    match (exports.failure(), stores.failure()) {
        (Some(reason), _) => Error::Receive {
            reason: reason.to_owned(),
        },
        (None, Some(reason)) => Error::Content {
            reason: reason.to_owned(),
        },
        (None, None) => error,
    }
}

/// Writes the indexes of the layouts that the daemon has filled.
async fn finish(
    layouts: Layouts,
    response: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    blocking(move || layouts.finish(&response).map(|()| response)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    // The task is neither aborted nor does it panic.
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(Error::Interrupted))
}

/// What a job of this request runs with, but for the daemon's platforms.
pub(super) fn setting(request: &BuildRequest, inputs: &Inputs, session: &Session) -> Setting {
    Setting {
        session_id: session.id().to_owned(),
        excludes: inputs.excludes.clone(),
        parallel: request.max_parallel_platforms,
        cache_imports: layouts::elsewhere(&request.cache_from),
        lock: request.lock.clone(),
        entitlements: Some(options::entitlements(request)),
        ..Setting::default()
    }
}

/// The platforms of the first worker, its own first.
pub(super) fn build_platforms(workers: &[Worker]) -> Vec<Platform> {
    let platforms = workers.first().map(|worker| &worker.platforms);
    platforms
        .into_iter()
        .flatten()
        .map(Platform::normalized)
        .collect()
}

pub(super) async fn read_inputs(request: &BuildRequest) -> Result<Inputs, Error> {
    let request = request.clone();
    blocking(move || context::read(&request)).await
}

/// A session that serves the context; another frontend reads the Dockerfile through it too.
pub(super) fn session_of(
    request: &BuildRequest,
    inputs: &Inputs,
    forwarded: bool,
    credentials: Arc<Credentials>,
    stores: ContentStores,
) -> Result<SessionBuilder, Error> {
    let mut directories = Directories::new().with("context", &inputs.context)?;
    if forwarded {
        directories = directories.with("dockerfile", inputs.dockerfile_folder().0)?;
    }
    let mut session = Session::builder()
        .directories(directories)
        .auth(Auth::new(credentials))
        .secrets(request.secrets.clone());
    if !request.ssh_agents.is_empty() {
        session = session.ssh_agents(request.ssh_agents.clone());
    }
    if !stores.is_empty() {
        session = session.content(stores);
    }
    if let Some(node_id) = &request.node_id {
        session = session.shared_key(session::shared_key(&inputs.context, node_id));
    }
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs that embed the library spawn builds.
    #[test]
    fn a_build_can_be_spawned() {
        fn spawnable(_: impl Future<Output = Result<BuildOutcome, Error>> + Send) {}
        let _ = |client: &Client| {
            spawnable(run(client, BuildRequest::new("."), Environment::default()));
        };
    }
}
