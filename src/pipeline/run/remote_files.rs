//! Reads files of a git repository, an archive or a download through a daemon: build definitions
//! that are not local.

use super::attended::Attended;
use super::environment::Environment;
use crate::client::{Client, SolveRequest};
use crate::frontend::RemoteFiles;
use crate::gateway::BuildResult;
use crate::pipeline::Error;
use crate::session::{Secrets, Session, SshAgents};

/// The files to read, and the credentials for them.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RemoteRead {
    /// A git repository (`https://host/path.git#ref:dir`) or an http(s) URL.
    pub url: String,
    /// The files in the repository or archive.
    pub names: Vec<String>,
    /// Omit missing files instead of failing.
    pub optional: bool,
    /// The size limit of each file, in bytes. One more byte is read, so that a larger file is
    /// noticed.
    pub limit: u64,
    /// Secrets for this read only: `GIT_AUTH_TOKEN.HOST`, `GIT_AUTH_HEADER.HOST`.
    pub secrets: Secrets,
    /// SSH agents for this read only.
    pub ssh_agents: SshAgents,
}

/// Reads remote files.
///
/// # Errors
/// The daemon cannot fetch the URL, or a file that is not optional is missing.
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
