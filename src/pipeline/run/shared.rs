//! State that several builds share on their daemons: the sessions that serve their folders,
//! resolved base images, graphs of linked builds, the gate before the exports.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::environment::Environment;
use super::gate::Gate;
use super::linked;
use super::prepared::Prepared;
use super::sources::Sources;
use crate::client::{Address, Client};
use crate::frontend::{FoundImages, Link, LinkedJob};
use crate::gateway::Bridge;
use crate::pipeline::inputs::named;
use crate::pipeline::{BuildRequest, Error, Inputs};
use crate::session::Sent;

/// Identifies a build among those that run together.
type Id = usize;

/// State that builds share while they run together. Their sessions end when it is dropped.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Each group has a session of its own: in a session a name can mean one folder only.
    groups: Vec<Sources>,
    node_id: Option<String>,
    sent: Sent,
    members: Vec<Id>,
    /// The members that others link to, and that have secrets or agents.
    awaited: BTreeSet<Id>,
    /// The gate that they wait at before they export.
    gate: Option<Gate<Id>>,
    /// Limits how many graphs of all builds are solved at the same time.
    places: Option<Arc<Semaphore>>,
    /// The builds that have ended; true if they are solved.
    ended: watch::Sender<BTreeMap<Id, bool>>,
    daemons: Mutex<HashMap<Address, Arc<Daemon>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stops: DropGuard,
}

/// State that is shared on one daemon.
#[derive(Debug, Default)]
struct Daemon {
    images: Arc<FoundImages>,
    links: Mutex<HashMap<Id, Arc<OnceCell<Arc<LinkedJob>>>>>,
    /// The sessions of the groups.
    sessions: tokio::sync::Mutex<BTreeMap<Sources, Attached>>,
}

#[derive(Debug)]
struct Attached {
    id: String,
    serving: tokio::task::JoinHandle<()>,
}

/// One of several builds that run together.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    shared: Arc<Shared>,
    id: Id,
}

/// Options of a [`Shared`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Together {
    /// Export nothing before everything is solved.
    pub(crate) export_together: bool,
    /// The most graphs that are solved at the same time.
    pub(crate) parallel: Option<usize>,
    /// Counts the bytes of the contexts that are sent.
    pub(crate) sent: Sent,
}

impl Shared {
    /// Makes the state of builds that run together. Builds that they link to count as their
    /// sources.
    pub(crate) fn new(builds: &[Arc<Prepared>], together: Together) -> Arc<Self> {
        let members: Vec<Id> = builds.iter().map(identity).collect();
        let gate = together.export_together.then(|| Gate::new(members.clone()));
        let inputs = builds.iter().map(|build| &build.inputs);
        let node_id = builds
            .iter()
            .find_map(|build| build.request.node_id.clone());
        Self::of(inputs, node_id, members, gate, &together)
    }

    fn of<'a>(
        inputs: impl Iterator<Item = &'a Inputs>,
        node_id: Option<String>,
        members: Vec<Id>,
        gate: Option<Gate<Id>>,
        together: &Together,
    ) -> Arc<Self> {
        let mut groups: Vec<Sources> = Vec::new();
        let mut awaited = BTreeSet::new();
        let mut add = |inputs: &Inputs| {
            let sources = Sources::of(inputs);
            if !groups.iter_mut().any(|group| group.add(&sources)) {
                groups.push(sources);
            }
        };
        for inputs in inputs {
            add(inputs);
            for build in linked_builds(inputs) {
                match members.contains(&identity(build)) {
                    false => add(&build.inputs),
                    true if build.has_secrets() => drop(awaited.insert(identity(build))),
                    true => {}
                }
            }
        }
        let stop = CancellationToken::new();
        Arc::new(Self {
            groups,
            node_id,
            sent: together.sent.clone(),
            members,
            awaited,
            gate,
            places: together
                .parallel
                .map(|places| Arc::new(Semaphore::new(places.max(1)))),
            ended: watch::Sender::default(),
            daemons: Mutex::default(),
            tasks: TaskTracker::new(),
            _stops: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Makes a build a member.
    pub(crate) fn member(self: &Arc<Self>, build: &Arc<Prepared>) -> Member {
        Member {
            shared: Arc::clone(self),
            id: identity(build),
        }
    }

    /// Forbids all further exports.
    pub(crate) fn close(&self) {
        if let Some(gate) = &self.gate {
            gate.close();
        }
    }

    /// Ends the sessions and waits for their tasks.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn daemon(&self, client: &Client) -> Arc<Daemon> {
        let mut daemons = self.daemons.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(daemons.entry(client.address().clone()).or_default())
    }
}

impl Member {
    /// For a build that runs alone; `None` if it has no links.
    pub(super) fn alone(request: &BuildRequest, inputs: &Inputs, sent: Sent) -> Option<Self> {
        named::builds(&inputs.named).next()?;
        let node_id = request.node_id.clone();
        let together = Together {
            sent,
            ..Together::default()
        };
        let inputs = std::iter::once(inputs);
        Some(Self {
            shared: Shared::of(inputs, node_id, Vec::new(), None, &together),
            id: 0,
        })
    }

    /// Limits how many graphs of all builds are solved at the same time.
    pub(super) fn places(&self) -> Option<Arc<Semaphore>> {
        self.shared.places.clone()
    }

    /// The base images that any of the builds has resolved on this daemon.
    pub(super) fn images(&self, client: &Client) -> Arc<FoundImages> {
        Arc::clone(&self.shared.daemon(client).images)
    }

    /// The id of the session that serves a build's folders on a daemon. The session is opened when
    /// it is first needed, and again after a lost connection.
    pub(super) async fn sources(&self, client: &Client, inputs: &Inputs) -> Result<String, Error> {
        let needed = Sources::of(inputs);
        let mut groups = self.shared.groups.iter();
        // A context from a stream is in a different folder for each part.
        let group = groups.find(|group| group.serve(&needed)).unwrap_or(&needed);
        let daemon = self.shared.daemon(client);
        let mut sessions = daemon.sessions.lock().await;
        if let Some(attached) = sessions.get(group)
            && !attached.serving.is_finished()
        {
            return Ok(attached.id.clone());
        }
        let node_id = self.shared.node_id.as_deref();
        let session = group.session(node_id, self.shared.sent.clone())?;
        let id = session.id().to_owned();
        let (client, stop) = (client.clone(), self.shared.stop.child_token());
        // If the session breaks, the daemon's calls fail, and so do the builds.
        let serving = self.shared.tasks.spawn(async move {
            let _ = client.attach(session, stop).await;
        });
        let attached = Attached {
            id: id.clone(),
            serving,
        };
        sessions.insert(group.clone(), attached);
        Ok(id)
    }

    /// The graphs that a build links to, each read once per daemon.
    pub(super) async fn links(
        &self,
        client: &Client,
        bridge: &Bridge,
        inputs: &Inputs,
        environment: &Environment,
    ) -> Result<Vec<Link>, Error> {
        let daemon = self.shared.daemon(client);
        let mut links = Vec::new();
        for (name, build) in named::builds(&inputs.named) {
            let cell = {
                let mut cells = daemon.links.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(cells.entry(identity(build)).or_default())
            };
            let read = || Box::pin(linked::job(build, client, bridge, environment, self));
            let job = cell.get_or_try_init(read).await?;
            links.push(Link {
                name: name.clone(),
                job: Arc::clone(job),
            });
        }
        Ok(links)
    }

    /// Waits for linked builds that have secrets or agents of their own: ids that differ are served
    /// by their sessions only.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if one of them fails.
    pub(super) async fn wait_for_links(&self, inputs: &Inputs) -> Result<(), Error> {
        let mut ended = self.shared.ended.subscribe();
        for build in linked_builds(inputs) {
            let id = identity(build);
            if !build.has_secrets() || !self.shared.members.contains(&id) {
                continue;
            }
            let ended = ended.wait_for(|ended| ended.contains_key(&id)).await;
            // The sender lives as long as `self`.
            if !ended.is_ok_and(|ended| ended[&id]) {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }

    /// The linked builds that no other member runs: this build has to serve their secrets.
    pub(super) fn unserved<'a>(&self, inputs: &'a Inputs) -> Vec<&'a Arc<Prepared>> {
        let mut linked = linked_builds(inputs);
        linked.retain(|build| !self.shared.members.contains(&identity(build)));
        linked
    }

    /// The linked builds that other members run.
    pub(super) fn run_by_others<'a>(&self, inputs: &'a Inputs) -> Vec<&'a Arc<Prepared>> {
        let mut linked = linked_builds(inputs);
        linked.retain(|build| self.shared.members.contains(&identity(build)));
        linked
    }

    /// True if other members wait for this one ([`wait_for_links`](Self::wait_for_links)) and then
    /// need its steps: if it ended before, its daemon could remove them from the cache.
    pub(crate) fn is_awaited(&self) -> bool {
        self.shared.awaited.contains(&self.id)
    }

    /// Records that this build is solved or has failed.
    pub(crate) fn solved(&self, solved: bool) {
        self.shared.ended.send_modify(|ended| {
            ended.insert(self.id, solved);
        });
    }

    /// Records that this build is solved, and waits for the others.
    pub(crate) async fn passes_as_solved(&self) -> bool {
        self.solved(true);
        self.may_export().await
    }

    /// Waits until all members are solved; false if nothing may be exported.
    pub(crate) async fn may_export(&self) -> bool {
        match &self.shared.gate {
            None => true,
            Some(gate) => gate.pass(&[self.id]).await,
        }
    }

    /// Records that this build has failed.
    pub(crate) fn failed(&self) {
        self.solved(false);
    }

    /// Lets the others export without this build.
    pub(crate) fn leave(&self) {
        if let Some(gate) = &self.shared.gate {
            gate.count(&[self.id]);
        }
    }

    /// Ends the state of a build that runs alone.
    pub(super) fn end(&self) -> impl Future<Output = ()> + '_ {
        self.shared.end()
    }
}

fn identity(build: &Arc<Prepared>) -> Id {
    Arc::as_ptr(build).addr()
}

/// The builds that a build links to, directly and indirectly.
fn linked_builds(inputs: &Inputs) -> Vec<&Arc<Prepared>> {
    let (mut found, mut pending): (Vec<&Arc<Prepared>>, _) = (Vec::new(), vec![inputs]);
    while let Some(inputs) = pending.pop() {
        for (_, build) in named::builds(&inputs.named) {
            if !found.iter().any(|known| Arc::ptr_eq(known, build)) {
                found.push(build);
                pending.push(&build.inputs);
            }
        }
    }
    found
}
