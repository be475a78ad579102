//! A request on one daemon: what is read there, who serves it, what its frontend works with.
//! Builds, linked builds and questions share it.

use std::sync::Arc;

use super::attended::Attended;
use super::environment::Environment;
use super::fetch::{self, Loaded};
use super::served::Served;
use super::setting;
use super::shared::Member;
use crate::client::{CacheEntry, Client, SolveRequest};
use crate::explain::Place;
use crate::frontend::{Asked, Graphs, Job, Setting};
use crate::gateway::Bridge;
use crate::pipeline::export::layouts;
use crate::pipeline::inputs::policy;
use crate::pipeline::inputs::temporary::TemporaryFolder;
use crate::pipeline::request::translation;
use crate::pipeline::{BuildRequest, Error, Inputs};
use crate::policy::Guard;
use crate::session::{ContentStores, Session, SessionBuilder};

/// A request on one daemon.
pub(super) struct Attempt<'a> {
    pub(super) request: &'a BuildRequest,
    pub(super) client: &'a Client,
    pub(super) environment: &'a Environment,
    /// With a Dockerfile that the daemon has downloaded.
    pub(super) inputs: Inputs,
    /// The request and its inputs as a frontend takes them.
    pub(super) asked: Asked,
    /// Another frontend translates the Dockerfile, in the daemon.
    pub(super) forwarded: bool,
    /// What it shares with other builds.
    pub(super) member: Option<Member>,
    /// The caches to import.
    pub(super) cache_imports: Vec<CacheEntry>,
    /// Its graphs, as they are sent.
    pub(super) graphs: Graphs,
    /// The policies that decide about its sources.
    guard: Option<Arc<Guard>>,
}

impl<'a> Attempt<'a> {
    /// Has the daemon download the Dockerfile if it is behind a URL. `makes_index` is for a result
    /// that is an index even of one platform.
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
            member: None,
            graphs: Graphs::default(),
            guard: None,
            request,
            client,
            environment,
            inputs,
        })
    }

    /// The same with what is known when the Dockerfile is read. Another frontend reads its sources
    /// from the build's own session, so nothing is shared then.
    pub(super) fn with_frontend(self, forwarded: bool, member: Option<Member>) -> Self {
        Self {
            forwarded,
            member: member.filter(|_| !forwarded),
            ..self
        }
    }

    /// The same with its policies, and those of linked builds that nobody else runs.
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

    /// A build that failed because of a policy says so.
    pub(super) fn explained<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        policy::explained(self.guard.as_deref(), result)
    }

    /// A session that serves what the request reads, and a folder that has to live as long.
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
            Some(member) => served.with_secrets_of(&member.unserved(&self.inputs)),
            None => served,
        };
        let (session, folder) = served.session();
        let session = self.environment.attach(session);
        Ok(match &self.guard {
            Some(guard) => (session.source_check(policy::as_check(guard)), folder),
            None => (session, folder),
        })
    }

    /// The id of the session that serves the folders: the attempt's own, unless it is shared.
    pub(super) async fn sources(&self, own: &Session) -> Result<String, Error> {
        match &self.member {
            Some(member) => member.sources(self.client, &self.inputs).await,
            None => Ok(own.id().to_owned()),
        }
    }

    /// The attempt as a build of the daemon that is about to begin.
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

    /// Reads through the daemon what is not on this side.
    pub(super) async fn load(&self, bridge: &Bridge, session_id: &str) -> Result<Loaded, Error> {
        if let Some(guard) = &self.guard {
            policy::check_daemon(guard, bridge)?;
        }
        fetch::load(self, bridge, session_id).await
    }

    /// The job of a Dockerfile that was read here, else through the daemon.
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

    /// What the frontend works with, with the graphs of linked builds.
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

    /// Records the graphs that were sent, with the folders that were served for them.
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

    /// Ends what this attempt alone has shared with builds that it links to.
    pub(super) async fn end(&self) {
        if let (Some(member), None) = (&self.member, &self.environment.member) {
            member.end().await;
        }
    }
}
