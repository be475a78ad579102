//! The session of a build, which serves its inputs to the daemon.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::prepared::Prepared;
use crate::frontend::{Job, MountedIds};
use crate::pipeline::inputs::ContextRead;
use crate::pipeline::inputs::temporary::TemporaryFolder;
use crate::pipeline::{BuildRequest, Error, Inputs};
use crate::session::{
    self, Auth, ContentStores, Secrets, Sent, Session, SessionBuilder, SshAgents,
};

/// A session that serves the inputs.
#[derive(Debug)]
pub(super) struct Served {
    session: SessionBuilder,
    secrets: Secrets,
    agents: SshAgents,
    /// A temporary folder that it serves.
    folder: Option<TemporaryFolder>,
}

impl Served {
    /// With another frontend (`forwarded`) the session serves the Dockerfile too. `sent` is `None`
    /// if another session serves the folders.
    pub(super) fn of(
        request: &BuildRequest,
        inputs: &Inputs,
        forwarded: bool,
        auth: Auth,
        stores: ContentStores,
        sent: Option<Sent>,
    ) -> Result<Self, Error> {
        let mut session = Session::builder().auth(auth);
        let mut temporary = None;
        if let Some(sent) = sent {
            let (directories, folder) = inputs.directories(forwarded, &request.folders)?;
            session = session.directories(directories.counted_by(sent));
            temporary = folder;
        }
        if let ContextRead::Upload(upload) = &inputs.context {
            session = session.upload(upload.clone());
        }
        if !stores.is_empty() {
            session = session.content(stores);
        }
        if let (Some(node_id), Some(folder)) = (&request.node_id, inputs.folder()) {
            session = session.shared_key(session::shared_key(folder, node_id));
        }
        Ok(Self {
            session,
            secrets: request.secrets.clone(),
            agents: request.ssh_agents.clone(),
            folder: temporary,
        })
    }

    /// The session, and a temporary folder to keep alive.
    pub(super) fn session(self) -> (SessionBuilder, Option<TemporaryFolder>) {
        let session = self.session.secrets(self.secrets);
        let session = match self.agents.is_empty() {
            true => session,
            false => session.ssh_agents(self.agents),
        };
        (session, self.folder)
    }

    /// Adds the secrets and agents of linked builds that run too. Their steps are usually cached by
    /// then; this is for daemons that have lost the cache, or never had it. No build gets a secret
    /// that it mounts without having been given it. Triggers of base images could mount any, so
    /// these are served once it is known that there are none.
    pub(super) fn with_secrets_of_members(
        mut self,
        own: Option<MountedIds>,
        builds: &[&Arc<Prepared>],
        no_triggers: &Arc<AtomicBool>,
    ) -> Self {
        let (own_secrets, own_agents) = (self.secrets.clone(), self.agents.clone());
        let Some(own) = own else {
            return self;
        };
        let mut users = vec![(own, &own_secrets, &own_agents)];
        for build in builds {
            let Some(ids) = build.job().and_then(Job::mounted_ids) else {
                return self;
            };
            users.push((ids, &build.request.secrets, &build.request.ssh_agents));
        }
        let secret = |id: &str| {
            let mut users = users.iter();
            let is_given = users.all(|(ids, it, _)| !ids.secrets.contains(id) || it.may_have(id));
            is_given && !is_of_sources(id)
        };
        let agent = |id: &str| {
            let mut users = users.iter();
            users.all(|(ids, _, it)| !ids.agents.contains(id) || it.has(id))
        };
        for build in builds {
            let request = &build.request;
            self.secrets = self
                .secrets
                .with_allowed(&request.secrets, no_triggers, secret);
            self.agents = self
                .agents
                .with_allowed(&request.ssh_agents, no_triggers, agent);
        }
        self
    }

    /// Adds the secrets and agents of linked builds that nothing else serves.
    pub(super) fn with_secrets_of(mut self, builds: &[&Arc<Prepared>]) -> Self {
        for build in builds {
            self.secrets = self.secrets.with_missing(&build.request.secrets);
            self.agents = self.agents.with_missing(&build.request.ssh_agents);
        }
        self
    }
}

/// True for the secrets that the daemon uses for all git and HTTP sources of a session.
fn is_of_sources(id: &str) -> bool {
    id.starts_with("GIT_AUTH_") || id.starts_with("HTTP_AUTH_")
}
