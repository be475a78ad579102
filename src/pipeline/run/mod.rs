//! The way of a build, from the request to the exported image.

mod attended;
mod fetch;
mod file_names;
pub(super) mod gate;
pub(super) mod host;
mod linked;
mod native;
pub(super) mod outcome;
mod part;
pub(super) mod provenance;
pub(super) mod question;
pub(super) mod remote_files;
pub(super) mod retry;
mod served;
pub(super) mod shared;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use tokio_util::sync::CancellationToken;

use crate::client::{Address, Client, Failure, SolveRequest, Worker};
use crate::frontend::{self, Finished, Job, Setting};
use crate::gateway::Bridge;
use crate::oci::Platform;
use crate::pipeline::export::layouts::{self, Layouts};
use crate::pipeline::inputs::spool::Spool;
use crate::pipeline::inputs::{ContextRead, missing_source, policy, reading};
use crate::pipeline::request::options;
use crate::pipeline::{
    BuildOutcome, BuildRequest, Error, Gate, Inputs, Member, OnFailure, Output, export,
};
use crate::progress::Writer;
use crate::registry::{ClientOptions, Credentials};
use crate::session::{self, Auth, BrokenFolders, ContentStores, Exports, Sent};
use crate::text::redact_values;
use attended::Attended;
use fetch::{Loaded, Reading};
use part::Part;
use served::{Served, build_platforms, setting};

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
    /// Where an image goes that is to be loaded ([`Output::load`]) when the daemon is no Docker engine; `None` refuses it.
    pub load: Option<LoadTarget>,
    /// How long a daemon that went away is waited for.
    pub reconnect: Reconnect,
    /// Counts what is sent of the contexts, also of a build that fails.
    pub sent: Sent,
    /// Notes which folders of local outputs are left incomplete when a build fails or is cancelled.
    pub broken: BrokenFolders,
    /// The other builds that this one is run with.
    pub(crate) member: Option<Member>,
}

/// How long a daemon that goes away during a build is waited for, before the build goes on from its cache.
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

/// An engine that images are loaded into which another daemon builds.
#[derive(Clone)]
pub struct LoadTarget {
    /// Opens the way into it, for example a [`crate::client::ImageLoader`].
    pub open: Arc<OpenOutput>,
    /// It keeps images in containerd's store, which takes OCI archives: several platforms, and attestations.
    pub takes_oci: bool,
}

/// Opens what an archive is written to.
pub type OpenOutput = dyn Fn() -> io::Result<Box<dyn io::Write + Send>> + Send + Sync;

impl Environment {
    /// Answers the daemon's questions about registries.
    pub(super) fn auth(&self) -> Auth {
        Auth::new(Arc::clone(&self.credentials)).with_registries(self.registries.clone())
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

/// A request whose inputs are read and checked, so that mistakes are told before a daemon is asked for anything.
#[derive(Debug)]
pub struct Prepared {
    pub(super) request: BuildRequest,
    pub(super) inputs: Inputs,
    /// None when only the daemon can read the Dockerfile.
    pub(super) job: Option<Job>,
    /// It is a part of another build.
    part: Option<Part>,
    /// What came from a stream, for several parts.
    pub(super) spool: Option<Arc<Spool>>,
}

/// Reads and parses the Dockerfile and the ignore files of a request, as far as they are on this side.
///
/// # Errors
/// What is missing or wrong, with its path or its lines.
pub async fn prepare(request: BuildRequest) -> Result<Prepared, Error> {
    export::check(&request)?;
    let inputs = read_inputs(&request).await?;
    policy::check(&request, &inputs)?;
    // The daemon is not known yet: where images are looked up is added when it is.
    let attributes = options::frontend_attributes(&request, &inputs, false);
    let job = match inputs.source() {
        Some(source) => Some(Job::read(source, attributes, &request.frontend)?),
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
    /// Whether everything that it reads can be read again.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.inputs.context, ContextRead::Upload(_))
    }

    /// Builds on a daemon. `handed_over` becomes true when the result may have reached the exporters.
    pub(super) async fn attempt(
        &self,
        client: &Client,
        environment: Environment,
        handed_over: &AtomicBool,
    ) -> Result<BuildOutcome, Error> {
        let inputs = self.inputs.clone().fetched(client, &environment).await?;
        let docker_engine = matches!(client.address(), Address::Docker(_));
        let load = environment.load.as_ref().filter(|_| !docker_engine);
        let outputs = export::outputs(&self.request, docker_engine, load)?;
        let request = host::resolved(&self.request, client).await?;
        let mut attributes = options::frontend_attributes(&request, &inputs, docker_engine);
        let makes_image = outputs.iter().any(Output::is_image);
        let annotates_index = makes_image && request.annotates_index();
        if docker_engine && annotates_index {
            export::check_engine_makes_indexes(client).await?;
        }
        if self.part.is_some() || annotates_index {
            attributes.insert("multi-platform".to_owned(), "true".to_owned());
        }
        let job = self.job_with(&inputs, &attributes)?;
        let forwarded = job.as_ref().and_then(Job::elsewhere).is_some();
        let exports = export::receivers(&outputs, environment.standard_output.as_ref(), load)?;
        let layouts = self.layouts(outputs.clone()).await?;
        if let Some(progress) = &environment.progress {
            layouts.notes.iter().for_each(|note| progress.note(note));
        }
        let stores = layouts::contexts(&inputs, layouts.stores.clone());
        let auth = environment.auth();
        // Another frontend reads its sources from the build's own session.
        let member = self.member(&inputs, &environment).filter(|_| !forwarded);
        let served = Served::of(
            &self.request,
            &inputs,
            forwarded,
            auth,
            stores,
            member.is_none().then(|| environment.sent.clone()),
        )?;
        let served = match &member {
            Some(member) => served.with_secrets_of(&member.unserved(&inputs)),
            None => served,
        };
        let exported = exports.clone().noted_in(environment.broken.clone());
        let (session, _folder) = served.session();
        let session = session.exports(exported).build()?;
        let sources = match &member {
            Some(member) => member.sources(client, &inputs).await?,
            None => session.id().to_owned(),
        };
        let mut setting = setting(&self.request, &inputs, &sources);
        if let Some(member) = &member {
            setting.found = member.images(client);
            setting.places = member.places();
        }
        setting.evaluate = true;
        setting.cache_imports = layouts.cache_from.clone();
        let solve = SolveRequest {
            build_ref: session::new_id()?,
            session_id: session.id().to_owned(),
            // They are for the daemon's history alone: the graph is made here.
            frontend_attrs: redact_values(options::told_to_daemon(&attributes)),
            cache_exports: layouts.cache_to.clone(),
            cache_imports: layouts.cache_from.clone(),
            exporters: export::exporters(&self.request, &outputs, docker_engine),
            entitlements: options::entitlements(&self.request),
            source_policy: self.request.source_policy.clone(),
            ..SolveRequest::default()
        };
        let build_ref = solve.build_ref.clone();
        let is_kept = solve.exporters.iter().any(|it| it.kind == export::ENGINE);
        let mut id_is_digest = false;
        let attended = Attended {
            client,
            solve,
            session,
            progress: environment.progress.clone(),
            cancelled: &environment.cancelled,
            sent: &environment.sent,
        };
        let drive = async |bridge: &Bridge| {
            setting.build_platforms = build_platforms(bridge.workers());
            id_is_digest = is_kept && bridge.workers().iter().any(Worker::has_snapshotter);
            if let Some(progress) = &environment.progress {
                let told = native::notes(&self.request.platforms, bridge.workers());
                told.iter().for_each(|note| progress.note(note));
            }
            let plan = Reading {
                frontend: &self.request.frontend,
                forwarded,
                attributes: &attributes,
                policy: self.request.policy,
            };
            let loaded = inputs.load(bridge, &plan, &mut setting).await?;
            let job = loaded_or(job, loaded, &plan, bridge, &setting.warn_at).await?;
            if let Some(member) = &member {
                let links = member.links(client, bridge, &inputs, &environment);
                setting.links = links.await?;
                member.wait_for_links(&inputs).await?;
            }
            let gate = self.gate(environment.member.as_ref());
            self.drive(&job, bridge, &setting, gate, handed_over).await
        };
        let driven = attended.run(drive).await;
        if let (Some(member), None) = (&member, &environment.member) {
            member.end().await;
        }
        let (finished, exporter_response) =
            driven.map_err(|error| not_received(error, &exports, &layouts.stores))?;
        let exporter_response = finish(layouts, exporter_response).await?;
        let provenance = provenance::of_build(client, &build_ref, self.request.metadata_provenance);
        // The build has succeeded: a daemon without a history takes nothing from that.
        let provenance = provenance.await.unwrap_or_default();
        Ok(BuildOutcome {
            id_is_digest,
            provenance,
            build_ref,
            exporter_response,
            warnings: finished.findings,
            built: finished.built,
            failed: finished.failed,
        })
    }

    /// The job of these inputs, unless only the daemon can read its Dockerfile.
    pub(super) fn job_with(
        &self,
        inputs: &Inputs,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Option<Job>, Error> {
        match (&self.job, inputs.source()) {
            (Some(job), _) => Ok(Some(job.clone().with_attributes(attributes.clone()))),
            (None, Some(source)) => {
                let job = Job::read(source, attributes.clone(), &self.request.frontend)?;
                Ok(Some(job))
            }
            (None, None) => Ok(None),
        }
    }

    /// What it shares with other builds; with those that it links to, if it runs alone.
    fn member(&self, inputs: &Inputs, environment: &Environment) -> Option<Member> {
        let member = environment.member.clone();
        member.or_else(|| Member::alone(&self.request, inputs, environment.sent.clone()))
    }

    /// A part waits for its other parts, which wait for other builds together.
    fn gate<'a>(&'a self, member: Option<&'a Member>) -> ExportGate<'a> {
        match (&self.part, member) {
            (Some(part), _) => match &part.gate {
                Some(gate) => ExportGate::Part(gate),
                None => ExportGate::Open,
            },
            (None, Some(member)) => ExportGate::Member(member),
            (None, None) => ExportGate::Open,
        }
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
        setting: &Setting,
        gate: ExportGate<'_>,
        handed_over: &AtomicBool,
    ) -> Result<Finished, Error> {
        let finished = job.run(bridge, setting).await;
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
        if !gate.pass(&self.request.platforms).await {
            return Err(Error::Platforms {
                failed: finished.failed,
                built: finished.built,
            });
        }
        handed_over.store(true, Ordering::Relaxed);
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

/// Where a build waits before it exports.
pub(super) enum ExportGate<'a> {
    Open,
    /// For the other parts of the same build.
    Part(&'a Gate),
    /// For other builds.
    Member(&'a Member),
}

impl ExportGate<'_> {
    /// True if the result may be exported.
    async fn pass(&self, platforms: &[Platform]) -> bool {
        match self {
            Self::Open => true,
            Self::Part(gate) => gate.pass(platforms).await,
            Self::Member(member) => {
                member.solved(true);
                member.may_export().await
            }
        }
    }
}

/// The job, which may have been read by the daemon only.
async fn loaded_or(
    job: Option<Job>,
    loaded: Option<Loaded>,
    plan: &Reading<'_>,
    bridge: &Bridge,
    warn_at: &str,
) -> Result<Job, Error> {
    match (job, loaded) {
        (_, Some(loaded)) => {
            let (source, attributes) = (loaded.source, loaded.attributes);
            let job = Job::read_through(bridge, source, attributes, plan.frontend, warn_at);
            Ok(job.await?)
        }
        (Some(job), None) => Ok(job),
        (None, None) => Err(Error::Interrupted),
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

pub(super) async fn read_inputs(request: &BuildRequest) -> Result<Inputs, Error> {
    let request = request.clone();
    blocking(move || reading::read(&request)).await
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
