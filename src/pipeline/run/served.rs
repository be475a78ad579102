//! The session of a build, which serves its inputs to the daemon.

use std::sync::Arc;

use super::prepared::Prepared;
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

    /// Adds the secrets and agents of linked builds that nothing else serves.
    pub(super) fn with_secrets_of(mut self, builds: &[&Arc<Prepared>]) -> Self {
        for build in builds {
            self.secrets = self.secrets.with_missing(&build.request.secrets);
            self.agents = self.agents.with_missing(&build.request.ssh_agents);
        }
        self
    }
}
