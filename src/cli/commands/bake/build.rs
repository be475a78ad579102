//! Builds a bake file's targets, all at once on the nodes of one builder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use solvekit::bake::{self, Machine, Plan, TargetError};
use solvekit::client::Client;
use solvekit::oci::Reference;
use solvekit::pipeline::{self, BuildRequest, Folders, Prepared, StartedBuild, StepLimit};
use solvekit::progress::{Mode, Summary, Writer};
use solvekit::spread::{Ended, Joint, Target};
use tokio_util::sync::CancellationToken;

use super::{hints, outcome};
use crate::cli::args::builder::Used;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::explain::{Explain, Recording};
use crate::cli::args::nodes::Surveyed;
use crate::cli::args::push::PushRetryArgs;
use crate::cli::args::reconnect::ReconnectArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::args::{attestations, default_load, git_source, ignored, nodes, policy, proxies};
use crate::cli::commands::build::run::{Run, Shown};
use crate::cli::commands::build::{loading, preflight, unless_cancelled};
use crate::cli::commands::cache_mount::{AroundArgs, NAMESPACE};
use crate::cli::debugger::Debugged;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::bake_files::BakeFiles;
use crate::cli::report::display::Sink;
use crate::cli::report::terminal::warn;
use crate::cli::report::{Failure, build_failure, buildx_values, display, hint};

/// The settings that the targets share.
pub(super) struct Settings {
    pub(super) joint: Joint,
    pub(super) reconnect: ReconnectArgs,
    pub(super) step_limit: Option<StepLimit>,
    pub(super) registries: RegistryArgs,
    pub(super) retries: PushRetryArgs,
    pub(super) explain: Option<Explain>,
    pub(super) cache_mounts: AroundArgs,
    /// The debugger of the builds, if any.
    pub(super) debugged: Option<Debugged>,
}

/// The results of the targets.
pub(super) struct Baked {
    pub(super) used: Used,
    pub(super) ended: Vec<(String, Ended)>,
    pub(super) summary: Summary,
    /// The builds that daemons have begun, also those that failed.
    pub(super) started: Vec<StartedBuild>,
    /// The folders of local outputs that are incomplete.
    pub(super) broken: Vec<PathBuf>,
    /// The nodes of the build.
    pub(super) clients: Vec<Client>,
}

/// The requests of all targets, with the environment's settings for each build.
pub(super) fn requests(
    plan: &Plan,
    machine: &dyn Machine,
    metadata: bool,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<BTreeMap<String, BuildRequest>, Failure> {
    let mut requests = bake::requests(plan, machine).map_err(|error| failed(&error))?;
    for (name, request) in &mut requests {
        proxies::add(&mut request.build_args, environment)?;
        attestations::defaults(request, metadata, environment)?;
        request.source_policy = policy::of_environment(environment)?;
        policy::of_process(&mut request.policy, environment);
        request.node_id = environment.node_id();
        request.wording = environment.identity.wording();
        request.index_for_annotations = environment.identity != Identity::Buildx;
        request.folders = Folders::from_environment();
        ignored::warn(&request.ignored_values(), Some(name));
        let is_linked = plan.targets.get(name).is_some_and(|target| target.linked);
        if !is_linked {
            // docker buildx bake also keeps an image without a name.
            request.keep_unnamed = environment.identity == Identity::Buildx;
            default_load::apply(request, connection, environment)?;
        }
    }
    git_source::apply(requests.values_mut(), environment);
    Ok(requests)
}

/// The failure of a target that cannot be built, before a daemon is asked.
pub(super) fn failed(error: &TargetError) -> Failure {
    let target = error.target.as_str();
    let failure = match &*error.source {
        bake::RequestError::Build(error) => {
            build_failure::explain(error, &Summary::default(), Mode::Plain)
                .in_words(buildx_values::of_value(error))
                .advised(hints::of(error, target))
        }
        bake::RequestError::Check(bake::CheckError::Platform(error)) => hint::for_platform(error),
        error => Failure::from_error(error),
    };
    failure.of_target(target)
}

/// Builds all targets at once.
pub(super) struct Building<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: Settings,
    pub(super) mode: Mode,
    /// The bake files of this machine, if the progress shows them.
    pub(super) local: Option<&'a BakeFiles>,
    pub(super) connection: &'a ConnectionArgs,
    pub(super) environment: &'a Environment,
    pub(super) cancelled: CancellationToken,
}

/// The targets with what they need: inputs that were read, and nodes that were asked for their
/// abilities.
struct Ready {
    prepared: BTreeMap<String, Arc<Prepared>>,
    surveyed: Surveyed,
    targets: Vec<Target>,
}

/// The results of the targets' steps, before they are recorded.
struct Solved {
    ended: Result<Vec<(String, Ended)>, Failure>,
    broken: Vec<PathBuf>,
    started: Vec<StartedBuild>,
    summary: Summary,
    recording: Recording,
}

impl Building<'_> {
    /// Prepares the requests, builds their targets and shows the progress. Returns the result of
    /// each target.
    pub(super) async fn run(
        &self,
        requests: BTreeMap<String, BuildRequest>,
        sink: Sink,
    ) -> Result<Baked, Failure> {
        let (settings, mode, environment) = (&self.settings, self.mode, self.environment);
        let namespace = namespace(&requests);
        let copies = &settings.cache_mounts;
        let copies = copies.parse(&namespace, mode, &settings.registries, environment)?;
        let preparing = Box::pin(self.prepare(requests));
        let ready = unless_cancelled(preparing, &self.cancelled, mode).await?;
        let plans = ready.targets.iter().map(|target| &target.plan);
        let clients = nodes::clients(&ready.surveyed.nodes, plans);
        copies.before(&clients, &self.cancelled).await?;
        let used = ready.surveyed.used.clone();
        let solved = Box::pin(self.solve(ready, sink)).await?;
        let is_built = solved.ended.as_ref().is_ok_and(|ended| all_built(ended));
        let copied = copies
            .unless_interrupted(clients.clone(), is_built, &self.cancelled)
            .await;
        let ended = solved.ended?;
        copied?;
        let targets = outcome::targets(&ended, self.plan);
        solved.recording.end(targets, mode, environment);
        Ok(Baked {
            ended,
            broken: solved.broken,
            started: solved.started,
            clients,
            used,
            summary: solved.summary,
        })
    }

    /// Reads the inputs of all targets, connects to the builder and asks its nodes for their
    /// abilities.
    async fn prepare(&self, requests: BTreeMap<String, BuildRequest>) -> Result<Ready, Failure> {
        let prepared = bake::prepare(self.plan, requests).await;
        let prepared = prepared.map_err(|error| failed(&error))?;
        let key = std::env::current_dir().unwrap_or_default();
        let key = key.to_string_lossy();
        let say = |line: &str| display::boot(self.mode, line);
        let connecting = self.settings.reconnect.connecting(&say, async || {
            let reached = self.connection.reach(self.environment, &key, &say).await?;
            let surveyed = reached.survey().await;
            let targets = targets(&prepared, &surveyed)?;
            Ok((surveyed, targets))
        });
        let (surveyed, targets) = connecting.await?;
        Ok(Ready {
            prepared,
            surveyed,
            targets,
        })
    }

    /// Builds on the nodes, and shows the progress until the end.
    async fn solve(&self, ready: Ready, sink: Sink) -> Result<Solved, Failure> {
        let (settings, environment) = (&self.settings, self.environment);
        let (prepared, surveyed) = (&ready.prepared, &ready.surveyed);
        let debugged = settings.debugged.as_ref();
        let run = Run::new(
            &settings.registries,
            &settings.retries,
            insecure(prepared),
            self.connection,
            environment,
        )?;
        let load = self
            .engine_to_load(prepared, surveyed, &run.progress)
            .await?;
        if let Some(local) = self.local {
            local.show(&run.progress);
        }
        surveyed.warn(&run.progress);
        warn_of_inputs(prepared, &run.progress);
        if environment.identity == Identity::Buildx {
            show_inputs(prepared, &run.progress);
        }
        let pushes = preflight::askable_of(pushes(prepared), surveyed.address());
        let refused = run.refused(pushes);
        let late = self.warn_of_lost(&ready, &run.progress);
        let registries = run.registries();
        let shown = Shown {
            mode: self.mode,
            sink,
            platform: None,
            used: &surveyed.used,
            environment,
            hold: debugged.map(|it| it.hold.clone()),
        };
        let recording = Recording::new(settings.explain, environment);
        let reconnect = settings.reconnect.during_build();
        let (mut run, running) = run.start(shown, load, reconnect, &recording, &self.cancelled);
        run.step_limit = settings.step_limit.clone();
        run.hook = debugged.map(|it| Arc::clone(&it.hook));
        let nodes = &surveyed.nodes;
        let building = nodes.build_all(ready.targets, &settings.joint, &registries, run);
        let (broken, started) = (running.broken.clone(), running.started.clone());
        let is_built = |ended: &Vec<_>| all_built(ended);
        let ended = running.until_refused(building, refused, is_built).await;
        surveyed.remember_lost();
        let summary = running.end().await;
        if let Some(warning) = late {
            warn(&warning);
        }
        Ok(Solved {
            ended,
            summary,
            broken: broken.paths(),
            started: started.builds(),
            recording,
        })
    }

    /// Warns of targets whose results stay in the cache. Returns a warning to print after the
    /// progress.
    fn warn_of_lost(&self, ready: &Ready, progress: &Writer) -> Option<String> {
        let is_asked = |name: &String| !self.plan.targets.get(name).is_some_and(|it| it.linked);
        let asked = ready.prepared.iter().filter(|(name, _)| is_asked(name));
        let requests = asked.map(|(name, prepared)| (name.as_str(), prepared.request()));
        let (used, identity) = (&ready.surveyed.used, self.environment.identity);
        default_load::warn_targets(requests, used, self.mode, progress, identity)
    }

    /// The engine that images are loaded into; `None` if no target is loaded, or if the builder is
    /// an engine itself.
    async fn engine_to_load(
        &self,
        prepared: &BTreeMap<String, Arc<Prepared>>,
        surveyed: &Surveyed,
        progress: &Writer,
    ) -> Result<Option<pipeline::LoadTarget>, Failure> {
        let (connection, environment) = (self.connection, self.environment);
        for prepared in prepared.values() {
            let request = prepared.request();
            let address = surveyed.address();
            let opener = loading::opener(request, address, progress, connection, environment);
            if let Some(opener) = opener.await? {
                return Ok(Some(opener));
            }
        }
        Ok(None)
    }
}

fn all_built(ended: &[(String, Ended)]) -> bool {
    let mut ends = ended.iter().map(|(_, end)| end);
    ends.all(|end| matches!(end, Ended::Built(_)))
}

/// The namespace of cache mounts: from the first target that sets one.
fn namespace(requests: &BTreeMap<String, BuildRequest>) -> String {
    let mut requests = requests.values();
    let named = requests.find_map(|request| request.build_args.get(NAMESPACE));
    named.cloned().unwrap_or_default()
}

/// Warns about inputs. With several targets, each is named.
fn warn_of_inputs(prepared: &BTreeMap<String, Arc<Prepared>>, progress: &Writer) {
    for (name, target) in prepared {
        match prepared.len() {
            1 => target.warn_of_inputs(progress),
            _ => target.warn_of_inputs(&progress.for_target(name)),
        }
    }
}

/// Shows the inputs that were read on this machine. With several targets, each is named.
fn show_inputs(prepared: &BTreeMap<String, Arc<Prepared>>, progress: &Writer) {
    for (name, target) in prepared {
        match prepared.len() {
            1 => target.show_inputs(progress),
            _ => target.show_inputs(&progress.for_target(name)),
        }
    }
}

/// The inputs of all targets, except those that are only contexts of others.
pub(super) async fn prepared(
    plan: &Plan,
    machine: &dyn Machine,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<Vec<(Option<String>, Arc<Prepared>)>, Failure> {
    let requests = requests(plan, machine, false, connection, environment)?;
    let prepared = bake::prepare(plan, requests).await;
    let prepared = prepared.map_err(|error| failed(&error))?.into_iter();
    let named = prepared.map(|(name, prepared)| (Some(name), prepared));
    Ok(named.collect())
}

/// Each target with its nodes.
fn targets(
    prepared: &BTreeMap<String, Arc<Prepared>>,
    surveyed: &Surveyed,
) -> Result<Vec<Target>, Failure> {
    let targets = prepared.iter().map(|(name, prepared)| {
        let plan = surveyed.plan(prepared);
        Ok(Target {
            plan: plan.map_err(|failure| failure.of_target(name))?,
            name: name.clone(),
            prepared: Arc::clone(prepared),
        })
    });
    targets.collect()
}

fn insecure(prepared: &BTreeMap<String, Arc<Prepared>>) -> Vec<String> {
    let registries = prepared.values();
    registries
        .flat_map(|prepared| nodes::insecure(prepared.request()))
        .collect()
}

fn pushes(prepared: &BTreeMap<String, Arc<Prepared>>) -> Vec<Reference> {
    let pushes = prepared.values();
    pushes
        .flat_map(|prepared| prepared.request().pushes())
        .collect()
}
