//! Asks a daemon for facts about sources without a build, to evaluate policies.

use super::attended::Attended;
use super::environment::Environment;
use crate::client::{Client, SolveRequest};
use crate::gateway::{Bridge, BuildResult};
use crate::pipeline::Error;
use crate::session::Session;

/// Runs `work` with a bridge to a daemon, without a build.
///
/// # Errors
/// Those of `work` and of the daemon.
pub async fn ask<T>(
    client: &Client,
    environment: &Environment,
    work: impl AsyncFnOnce(&Bridge) -> Result<T, Error>,
) -> Result<T, Error> {
    let session = Session::builder().auth(environment.auth()).build()?;
    let solve = SolveRequest {
        internal: true,
        ..SolveRequest::default()
    };
    let attended = Attended::new(client, environment, session, solve)?;
    let answered = attended.run(async |bridge| {
        let answer = work(bridge).await?;
        bridge.return_result(&BuildResult::default()).await?;
        Ok(answer)
    });
    Ok(answered.await?.0)
}
