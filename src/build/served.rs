//! What a build offers the daemon, and what its job runs with.

use super::inputs::ContextRead;
use super::temporary::TemporaryFolder;
use super::{BuildRequest, Error, Inputs, OnFailure, layouts, named, options};
use crate::client::Worker;
use crate::frontend::Setting;
use crate::oci::Platform;
use crate::session::{self, Auth, ContentStores, Sent, Session, SessionBuilder};

/// A session that serves the inputs.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) session: SessionBuilder,
    /// A folder that it serves.
    _folder: Option<TemporaryFolder>,
}

impl Served {
    /// Another frontend reads the Dockerfile through the session too.
    pub(super) fn of(
        request: &BuildRequest,
        inputs: &Inputs,
        forwarded: bool,
        auth: Auth,
        stores: ContentStores,
        sent: Sent,
    ) -> Result<Self, Error> {
        let (directories, folder) = inputs.directories(forwarded)?;
        let mut session = Session::builder()
            .directories(directories.counted_by(sent))
            .auth(auth)
            .secrets(request.secrets.clone());
        if let ContextRead::Upload(upload) = &inputs.context {
            session = session.upload(upload.clone());
        }
        if !request.ssh_agents.is_empty() {
            session = session.ssh_agents(request.ssh_agents.clone());
        }
        if !stores.is_empty() {
            session = session.content(stores);
        }
        if let (Some(node_id), Some(folder)) = (&request.node_id, inputs.folder()) {
            session = session.shared_key(session::shared_key(folder, node_id));
        }
        Ok(Self {
            session,
            _folder: folder,
        })
    }
}

/// What a job of this request runs with, but for the daemon's platforms.
pub(super) fn setting(request: &BuildRequest, inputs: &Inputs, session: &Session) -> Setting {
    Setting {
        session_id: session.id().to_owned(),
        excludes: inputs.excludes.clone(),
        contexts: named::locals(&inputs.named),
        parallel: request.max_parallel_platforms,
        cache_imports: layouts::elsewhere(&request.cache_from),
        lock: request.lock.clone(),
        entitlements: Some(options::entitlements(request)),
        with_request: true,
        require_native: request.require_native,
        try_platforms: true,
        keep_going: request.on_failure != OnFailure::Cancel,
        ..Setting::default()
    }
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
