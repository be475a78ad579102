//! One attempt at a build: serve the inputs, translate, solve, hand the result over, export.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::Empty;

use super::attempt::Attempt;
use super::environment::Environment;
use super::gate::ExportGate;
use super::host;
use super::kept_cache::KeptCache;
use super::native;
use super::outcome::BuildOutcome;
use super::prepared::Prepared;
use super::provenance::{self, KnownRequest};
use super::shared::Member;
use super::step_limit::Limited;
use crate::client::{Client, SolveRequest, Worker};
use crate::frontend::{Finished, Hook, Job, Setting};
use crate::gateway::Bridge;
use crate::pipeline::export::engine_push;
use crate::pipeline::export::layouts::{self, Layouts};
use crate::pipeline::inputs::missing_source;
use crate::pipeline::request::options;
use crate::pipeline::{BuildRequest, Error, OnFailure, Output, export};
use crate::session::{ContentStores, Exports};
use crate::spans::in_span;
use crate::task::blocking;
use crate::text::redact_values;

/// Builds on one daemon. `handed_over` becomes true when the result may have reached the exporters.
pub(super) async fn attempt(
    prepared: &Prepared,
    client: &Client,
    environment: Environment,
    handed_over: &AtomicBool,
) -> Result<BuildOutcome, Error> {
    let request = host::resolved(&prepared.request, client).await?;
    let build = Box::pin(Build::new(prepared, &request, client, &environment)).await?;
    let name = request.tags.first().map(tracing::field::display);
    let target = request.target.as_deref();
    let daemon = client.address();
    let span = tracing::info_span!("build", name, target, %daemon, error = Empty);
    in_span(span, build.run(handed_over)).await
}

/// A build on one daemon that is about to start.
struct Build<'a> {
    prepared: &'a Prepared,
    attempt: Attempt<'a>,
    /// `None` if only the daemon can read the Dockerfile.
    job: Option<Job>,
    outputs: Vec<Output>,
    /// Receives the files that the daemon exports to this machine.
    exports: Exports,
    layouts: Layouts,
    /// The caches to export if the build fails.
    kept: Option<KeptCache>,
}

/// Parameters of [`Build::drive`].
struct Drive<'a> {
    /// The id of the session that serves the folders.
    sources: String,
    limited: Option<Arc<dyn Hook>>,
    /// Becomes true when the result may have reached the exporters.
    handed_over: &'a AtomicBool,
}

/// What the workers say about the daemon that builds.
#[derive(Default)]
struct Daemon {
    /// The id of the worker.
    worker: String,
    /// True if the id of the image is the digest of its manifest.
    id_is_digest: bool,
    /// True if the engine pushes the image after the build, because its builder cannot.
    engine_pushes: bool,
}

impl<'a> Build<'a> {
    async fn new(
        prepared: &'a Prepared,
        request: &'a BuildRequest,
        client: &'a Client,
        environment: &'a Environment,
    ) -> Result<Self, Error> {
        let daemon = client.address().daemon();
        let load = environment.load.as_ref();
        let load = load.filter(|_| !daemon.keeps_images());
        let outputs = export::outputs(request, daemon, load)?;
        export::engine::check_engine(request, client).await?;
        let annotates_index = outputs.iter().any(Output::is_image) && request.annotates_index();
        if annotates_index {
            export::check_makes_indexes(client).await?;
        }
        let makes_index =
            prepared.part.is_some() || annotates_index && request.index_for_annotations;
        let inputs = &prepared.inputs;
        let attempt = Attempt::new(request, inputs, client, environment, makes_index);
        let mut attempt = Box::pin(attempt).await?;
        let job = prepared.job_with(&attempt.inputs, &attempt.asked)?;
        let exports = export::receivers(&outputs, environment.standard_output.as_ref(), load)?;
        let layouts = open_layouts(request, &outputs).await?;
        let layouts = layouts.without(environment.elsewhere.clone());
        layouts.notes.iter().for_each(|note| environment.note(note));
        attempt.cache_imports.clone_from(&layouts.cache_from);

        attempt.mounted = job.as_ref().and_then(Job::mounted_ids);
        let forwarded = job.as_ref().and_then(Job::elsewhere).is_some();
        let member = environment.member.clone();
        let sent = environment.sent.clone();
        let kept = KeptCache::of(&layouts.of_failure, attempt.graphs.clone());
        let member = member.or_else(|| Member::alone(request, &attempt.inputs, sent));
        Ok(Self {
            attempt: attempt
                .with_frontend(forwarded, member)
                .with_policies()
                .await?,
            prepared,
            job,
            outputs,
            exports,
            kept,
            layouts,
        })
    }

    async fn run(self, handed_over: &AtomicBool) -> Result<BuildOutcome, Error> {
        let exports = self.exports.clone();
        let exports = exports.noted_in(self.attempt.environment.broken.clone());
        let (session, _folder) = self.attempt.session(self.layouts.stores.clone())?;
        let session = session.exports(exports).build()?;
        let sources = self.attempt.sources(&session).await?;
        let limited = self.limited(session.id());
        let attended = self.attempt.attended(session, self.solve_request())?;
        let attended = match &self.kept {
            Some(kept) => attended.keeping(kept),
            None => attended,
        };
        let build_ref = attended.build_ref().to_owned();
        self.attempt.environment.started.add(&build_ref);
        let (mut daemon, session_id) = (Daemon::default(), sources.clone());
        let driven = attended.run(async |bridge: &Bridge| {
            daemon = self.daemon(bridge.workers());
            let drive = Drive {
                sources,
                limited,
                handed_over,
            };
            Box::pin(self.drive(bridge, drive)).await
        });
        let driven = self.attempt.explained(driven.await);
        self.attempt.record(&session_id, &daemon.worker, &build_ref);
        self.attempt.end().await;
        if let Some(kept) = &self.kept {
            kept.write_indexes(&self.layouts, self.attempt.environment)
                .await;
        }
        let (finished, response) = driven.map_err(|error| self.not_received(error))?;
        let known = KnownRequest::new(self.attempt.asked.attributes(), &self.attempt.inputs);
        let Attempt {
            client,
            request,
            environment,
            ..
        } = self.attempt;
        let mut exporter_response = write_indexes(self.layouts, response).await?;
        if daemon.engine_pushes {
            let response = &mut exporter_response;
            engine_push::push(client, request, &self.outputs, environment, response).await?;
        }
        let metadata = request.metadata_provenance;
        let is_one_platform = self.prepared.part.is_none() && request.platforms.len() <= 1;
        let provenance =
            provenance::of_build(client, &build_ref, metadata, is_one_platform, &known).await;
        Ok(BuildOutcome {
            id_is_digest: daemon.id_is_digest,
            // The build has succeeded, even if the daemon has no history.
            provenance: provenance.unwrap_or_default(),
            build_ref,
            exporter_response,
            warnings: finished.findings,
            built: finished.built,
            failed: finished.failed,
        })
    }

    fn daemon(&self, workers: &[Worker]) -> Daemon {
        let kind = self.attempt.client.address().daemon();
        Daemon {
            worker: workers.first().map_or_else(String::new, |it| it.id.clone()),
            id_is_digest: self.is_kept_by_digest(workers),
            engine_pushes: !kind.makes_indexes(workers),
        }
    }

    fn solve_request(&self) -> SolveRequest {
        let request = self.attempt.request;
        let daemon = self.attempt.client.address().daemon();
        SolveRequest {
            // Only for the daemon's history: this client makes the graph itself.
            frontend_attrs: redact_values(options::recorded(self.attempt.asked.attributes())),
            cache_exports: self.layouts.cache_to.clone(),
            cache_imports: self.layouts.cache_from.clone(),
            exporters: export::exporters(request, &self.outputs, daemon),
            entitlements: options::entitlements(request),
            source_policy: request.source_policy.clone(),
            ..SolveRequest::default()
        }
    }

    /// The hook that limits the steps, if a limit is set.
    fn limited(&self, session_id: &str) -> Option<Arc<dyn Hook>> {
        let request = self.attempt.request;
        let limited = Limited {
            limit: self.attempt.environment.step_limit.clone()?,
            request: SolveRequest {
                session_id: session_id.to_owned(),
                entitlements: options::entitlements(request),
                source_policy: request.source_policy.clone(),
                ..SolveRequest::default()
            },
        };
        Some(Arc::new(limited))
    }

    /// True if an engine keeps the image and its id is the digest of the manifest.
    fn is_kept_by_digest(&self, workers: &[Worker]) -> bool {
        let daemon = self.attempt.client.address().daemon();
        let exporters = export::exporters(self.attempt.request, &self.outputs, daemon);
        let is_kept = |kind: &str| daemon.keeps_images() && kind == daemon.image_exporter();
        let is_kept = exporters.iter().any(|it| is_kept(&it.kind));
        let load = self.attempt.environment.load.as_ref();
        let is_loaded =
            load.is_some_and(|load| load.takes_oci) && self.outputs.iter().any(Output::is_loaded);
        is_kept && daemon.makes_indexes(workers)
            || is_loaded
            || self.outputs.iter().any(Output::prefers_digest)
    }

    /// Translates for all platforms, solves all graphs, and hands the result over.
    async fn drive(&self, bridge: &Bridge, drive: Drive<'_>) -> Result<Finished, Error> {
        let (attempt, environment) = (&self.attempt, self.attempt.environment);
        let sources = drive.sources;
        let notes = native::notes(&attempt.request.platforms, bridge.workers());
        notes.iter().for_each(|note| environment.note(note));
        let mut loaded = attempt.load(bridge, &sources).await?;
        let job = attempt.job(self.job.clone(), &mut loaded, bridge).await?;
        let mut setting = attempt.setting(bridge, sources, loaded).await?;
        setting.solver = drive.limited;
        if let (true, Some(step)) = (setting.warn_at.is_empty(), self.prepared.shown_as()) {
            step.clone_into(&mut setting.warn_at);
        }
        if let Some(member) = &attempt.member {
            member.wait_for_links(&attempt.inputs).await?;
        }
        let finished = self.solve(&job, bridge, &setting).await?;
        if !self.gate().pass(&attempt.request.platforms).await {
            return Err(not_exported(finished));
        }
        drive.handed_over.store(true, Ordering::Relaxed);
        bridge.return_result(&finished.result).await?;
        Ok(finished)
    }

    /// Solves the job; fails unless the result is complete enough to be exported.
    async fn solve(
        &self,
        job: &Job,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Finished, Error> {
        let mut finished = match Box::pin(job.run(bridge, setting)).await {
            Ok(finished) => finished,
            Err(mut error) => {
                missing_source::explain(&self.prepared.inputs, &mut error);
                return Err(error.into());
            }
        };
        for failure in &mut finished.failed {
            missing_source::explain(&self.prepared.inputs, &mut failure.error);
        }
        let on_failure = self.attempt.request.on_failure;
        let is_enough = on_failure == OnFailure::Export && !finished.built.is_empty();
        match finished.failed.is_empty() || is_enough {
            true => Ok(finished),
            false => Err(not_exported(finished)),
        }
    }

    /// The gate before the export: a part waits for its other parts, which together wait for other
    /// builds.
    fn gate(&self) -> ExportGate<'_> {
        match (&self.prepared.part, &self.attempt.environment.member) {
            (Some(part), member) => match &part.gate {
                Some(gate) => ExportGate::Part(gate, member.as_ref()),
                None => ExportGate::Open,
            },
            (None, Some(member)) => ExportGate::Member(member),
            (None, None) => ExportGate::Open,
        }
    }

    /// If the result cannot be written on this machine, this client knows the cause better than the
    /// daemon.
    fn not_received(&self, error: Error) -> Error {
        not_received(error, &self.exports, &self.layouts.stores)
    }
}

/// The same, with the receivers of the result.
pub(super) fn not_received(error: Error, exports: &Exports, stores: &ContentStores) -> Error {
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

fn not_exported(finished: Finished) -> Error {
    Error::Platforms {
        failed: finished.failed,
        built: finished.built,
    }
}

pub(super) async fn open_layouts(
    request: &BuildRequest,
    outputs: &[Output],
) -> Result<Layouts, Error> {
    let (request, outputs) = (request.clone(), outputs.to_vec());
    blocking(move || layouts::open(&request, &outputs)).await
}

/// Writes the indexes of the layouts that the daemon has filled.
pub(super) async fn write_indexes(
    layouts: Layouts,
    response: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    blocking(move || layouts.finish(&response).map(|()| response)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::run;

    /// Programs that embed the library spawn builds, so the future must be `Send`.
    #[test]
    fn a_build_can_be_spawned() {
        fn spawnable(_: impl Future<Output = Result<BuildOutcome, Error>> + Send) {}
        let _ = |client: &Client| {
            spawnable(run(client, BuildRequest::new("."), Environment::default()));
        };
    }
}
