//! One attempt at a request on one daemon: its inputs, its session, and the setting of its
//! frontend. Builds, linked builds and questions share this code.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::attended::Attended;
use super::environment::Environment;
use super::fetch::{self, Loaded};
use super::served::Served;
use super::setting;
use super::shared::Member;
use crate::client::{CacheEntry, Client, SolveRequest};
use crate::explain::Place;
use crate::frontend::{Asked, Graphs, Job, MountedIds, Setting};
use crate::gateway::Bridge;
use crate::pipeline::export::layouts;
use crate::pipeline::inputs::policy;
use crate::pipeline::inputs::temporary::TemporaryFolder;
use crate::pipeline::request::translation;
use crate::pipeline::{BuildRequest, Error, Inputs};
use crate::policy::Guard;
use crate::session::{ContentStores, Session, SessionBuilder};

/// One attempt at a request on one daemon.
pub(super) struct Attempt<'a> {
    pub(super) request: &'a BuildRequest,
    pub(super) client: &'a Client,
    pub(super) environment: &'a Environment,
    /// The inputs, with the Dockerfile if the daemon downloaded it.
    pub(super) inputs: Inputs,
    /// The request and its inputs in the form that a frontend takes.
    pub(super) asked: Asked,
    /// True if another frontend, in the daemon, translates the Dockerfile.
    pub(super) forwarded: bool,
    /// The secrets and agents that its own steps mount, if they are known.
    pub(super) mounted: Option<MountedIds>,
    /// True when it is known that no base image has triggers.
    pub(super) no_triggers: Arc<AtomicBool>,
    /// State shared with other builds.
    pub(super) member: Option<Member>,
    /// The caches to import.
    pub(super) cache_imports: Vec<CacheEntry>,
    /// The graphs of the attempt, recorded as they are sent.
    pub(super) graphs: Graphs,
    /// The policies that decide about its sources.
    guard: Option<Arc<Guard>>,
}

impl<'a> Attempt<'a> {
    /// Starts an attempt. The daemon downloads the Dockerfile first if it is given as a URL.
    /// `makes_index` forces an index even for one platform.
    pub(super) async fn new(
        request: &'a BuildRequest,
        inputs: &Inputs,
        client: &'a Client,
        environment: &'a Environment,
        makes_index: bool,
    ) -> Result<Self, Error> {
        let inputs = fetch::dockerfile(inputs.clone(), client, environment).await?;
        let daemon = client.address().daemon();
        Ok(Self {
            asked: translation::asked(request, &inputs, daemon, makes_index),
            cache_imports: layouts::elsewhere(&request.cache_from),
            forwarded: false,
            mounted: None,
            no_triggers: Arc::default(),
            member: None,
            graphs: Graphs::default(),
            guard: None,
            request,
            client,
            environment,
            inputs,
        })
    }

    /// Sets the fields that are known once the Dockerfile is read. Another frontend reads its
    /// sources from the build's own session, so nothing is shared then.
    pub(super) fn with_frontend(self, forwarded: bool, member: Option<Member>) -> Self {
        Self {
            forwarded,
            member: member.filter(|_| !forwarded),
            ..self
        }
    }

    /// Loads the policies of this build, and those of linked builds that nothing else runs.
    pub(super) async fn with_policies(mut self) -> Result<Self, Error> {
        let linked = match &self.member {
            Some(member) => member.unserved(&self.inputs),
            None => Vec::new(),
        };
        let linked = linked
            .into_iter()
            .map(|build| (&build.request, &build.inputs));
        let builds = std::iter::once((self.request, &self.inputs)).chain(linked);
        let guard = policy::guard(builds, self.client, self.environment).await?;
        self.guard = guard;
        Ok(self)
    }

    /// Replaces the error of a build that failed because of a policy by the policy's own.
    pub(super) fn explained<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        policy::explained(self.guard.as_deref(), result)
    }

    /// The session that serves the request's inputs, and a temporary folder to keep alive.
    pub(super) fn session(
        &self,
        stores: ContentStores,
    ) -> Result<(SessionBuilder, Option<TemporaryFolder>), Error> {
        let sent = self.environment.sent.clone();
        let served = Served::of(
            self.request,
            &self.inputs,
            self.forwarded,
            self.environment.auth(),
            layouts::contexts(&self.inputs, stores),
            self.member.is_none().then_some(sent),
        )?;
        let served = match &self.member {
            Some(member) => {
                let served = served.with_secrets_of(&member.unserved(&self.inputs));
                let own = self.mounted.clone();
                let others = member.run_by_others(&self.inputs);
                served.with_secrets_of_members(own, &others, &self.no_triggers)
            }
            None => served,
        };
        let (session, folder) = served.session();
        let session = self.environment.attach(session);
        Ok(match &self.guard {
            Some(guard) => (session.source_check(policy::as_check(guard)), folder),
            None => (session, folder),
        })
    }

    /// The id of the session that serves the folders: the attempt's own, or a shared one.
    pub(super) async fn sources(&self, own: &Session) -> Result<String, Error> {
        match &self.member {
            Some(member) => member.sources(self.client, &self.inputs).await,
            None => Ok(own.id().to_owned()),
        }
    }

    /// Prepares the build on the daemon.
    pub(super) fn attended(
        &self,
        session: Session,
        solve: SolveRequest,
    ) -> Result<Attended<'a>, Error> {
        let guard = self.guard.as_deref();
        let solve = SolveRequest {
            source_policy_session: guard.is_some(),
            proxy_network: guard.is_some_and(Guard::wants_proxy),
            ..solve
        };
        Attended::new(self.client, self.environment, session, solve)
    }

    /// Reads through the daemon the inputs that are not on this machine.
    pub(super) async fn load(&self, bridge: &Bridge, session_id: &str) -> Result<Loaded, Error> {
        if let Some(guard) = &self.guard {
            policy::check_daemon(guard, bridge)?;
        }
        fetch::load(self, bridge, session_id).await
    }

    /// The job of the Dockerfile: read on this machine, or else through the daemon.
    pub(super) async fn job(
        &self,
        read: Option<Job>,
        loaded: &mut Loaded,
        bridge: &Bridge,
    ) -> Result<Job, Error> {
        match (loaded.dockerfile.take(), read) {
            (Some((source, asked)), _) => {
                let (choice, warn_at) = (&self.request.frontend, loaded.warn_at.as_str());
                Ok(Job::read_through(bridge, source, asked, choice, warn_at).await?)
            }
            (None, Some(job)) => Ok(job),
            (None, None) => Err(Error::NoDockerfile),
        }
    }

    /// The setting of the frontend, with the graphs of linked builds.
    pub(super) async fn setting(
        &self,
        bridge: &Bridge,
        session_id: String,
        loaded: Loaded,
    ) -> Result<Setting, Error> {
        let links = match &self.member {
            Some(member) => {
                let (client, environment) = (self.client, self.environment);
                let links = member.links(client, bridge, &self.inputs, environment);
                Box::pin(links).await?
            }
            None => Vec::new(),
        };
        let workers = bridge.workers();
        Ok(setting::on_daemon(self, workers, session_id, loaded, links))
    }

    /// Records the graphs that were sent and the folders that were served for them.
    pub(super) fn record(&self, session: &str, daemon: &str, build_ref: &str) {
        let Some(records) = &self.environment.records else {
            return;
        };
        let place = Place {
            session,
            folders: self.inputs.local_folders(),
            daemon,
            address: self.client.address().to_string(),
            build_ref,
        };
        let graphs = self.graphs.sent();
        if !graphs.is_empty() {
            records.add(&graphs, place);
        }
    }

    /// Ends what this attempt shares with its linked builds, unless other builds share it too.
    pub(super) async fn end(&self) {
        if let (Some(member), None) = (&self.member, &self.environment.member) {
            member.end().await;
        }
    }
}
