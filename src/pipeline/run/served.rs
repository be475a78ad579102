//! What a build offers the daemon, and what its job runs with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::client::Worker;
use crate::frontend::Setting;
use crate::oci::Platform;
use crate::pipeline::export::layouts;
use crate::pipeline::inputs::temporary::TemporaryFolder;
use crate::pipeline::inputs::{ContextRead, named};
use crate::pipeline::request::options;
use crate::pipeline::{BuildRequest, Error, Inputs, OnFailure, Prepared};
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
    pub(in crate::pipeline) fn of(
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
            let (directories, folder) = inputs.directories(forwarded)?;
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
}

impl Served {
    /// The session, and the folder that has to live as long.
    pub(in crate::pipeline) fn session(self) -> (SessionBuilder, Option<TemporaryFolder>) {
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

/// What a job of this request runs with, but for the daemon's platforms.
pub(super) fn setting(request: &BuildRequest, inputs: &Inputs, session_id: &str) -> Setting {
    Setting {
        session_id: session_id.to_owned(),
        excludes: inputs.excludes.clone(),
        contexts: named::locals(&inputs.named),
        parallel: request.max_parallel_platforms,
        cache_imports: layouts::elsewhere(&request.cache_from),
        lock: request.lock.clone(),
        entitlements: Some(options::entitlements(request)),
        with_request: true,
        require_native: request.require_native,
        try_platforms: true,
        context_folder: known_folder(request, inputs),
        keep_going: request.on_failure != OnFailure::Cancel,
        ..Setting::default()
    }
}

/// The folder of the main context, unless a source policy may put something else in its place.
fn known_folder(request: &BuildRequest, inputs: &Inputs) -> Option<PathBuf> {
    let folder = inputs.folder().filter(|_| request.source_policy.is_none());
    folder.map(Path::to_owned)
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
