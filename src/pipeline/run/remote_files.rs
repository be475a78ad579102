//! Files of a git repository, an archive or a download, read through a daemon: for definitions of
//! builds that are elsewhere.

use super::attended::Attended;
use super::environment::Environment;
use crate::client::{Client, SolveRequest};
use crate::frontend::RemoteFiles;
use crate::gateway::BuildResult;
use crate::pipeline::Error;
use crate::session::{Secrets, Session, SshAgents};

/// Which files are read, and with whose rights.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RemoteRead {
    /// A git repository (`https://host/path.git#ref:dir`) or an http(s) URL.
    pub url: String,
    /// The files in the repository or archive.
    pub names: Vec<String>,
    /// Files that are not there are left out.
    pub optional: bool,
    /// How many bytes of each file are read: one more is, so that it can be told.
    pub limit: u64,
    /// Secrets for this reading alone: `GIT_AUTH_TOKEN.HOST`, `GIT_AUTH_HEADER.HOST`.
    pub secrets: Secrets,
    /// Agents for this reading alone.
    pub ssh_agents: SshAgents,
}

/// Reads files that are elsewhere.
///
/// # Errors
/// When the daemon cannot fetch the place, or a file that is not optional is missing.
pub async fn read_remote_files(
    client: &Client,
    read: RemoteRead,
    environment: &Environment,
) -> Result<RemoteFiles, Error> {
    let session = Session::builder()
        .auth(environment.auth())
        .secrets(read.secrets)
        .ssh_agents(read.ssh_agents)
        .build()?;
    let session_id = session.id().to_owned();
    let solve = SolveRequest {
        internal: true,
        ..SolveRequest::default()
    };
    let attended = Attended::new(client, environment, session, solve)?;
    let (names, limit) = (&read.names, read.limit);
    let files = attended.run(async |bridge| {
        let files =
            RemoteFiles::read(bridge, &read.url, &session_id, names, read.optional, limit).await?;
        bridge.return_result(&BuildResult::default()).await?;
        Ok(files)
    });
    Ok(files.await?.0)
}
