//! What a build offers the daemon: a session that serves its inputs.

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
    /// A folder that it serves.
    folder: Option<TemporaryFolder>,
}

impl Served {
    /// Another frontend reads the Dockerfile through the session too. `sent` is absent when
    /// another session serves the folders.
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

    /// The session, and the folder that has to live as long.
    pub(super) fn session(self) -> (SessionBuilder, Option<TemporaryFolder>) {
        let session = self.session.secrets(self.secrets);
        let session = match self.agents.is_empty() {
            true => session,
            false => session.ssh_agents(self.agents),
        };
        (session, self.folder)
    }

    /// Also the secrets and agents of linked builds, which nobody else serves.
    pub(super) fn with_secrets_of(mut self, builds: &[&Arc<Prepared>]) -> Self {
        for build in builds {
            self.secrets = self.secrets.with_missing(&build.request.secrets);
            self.agents = self.agents.with_missing(&build.request.ssh_agents);
        }
        self
    }
}
