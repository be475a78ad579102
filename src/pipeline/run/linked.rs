//! A build as a context of another one: its job, without a solve of its own.

use std::sync::Arc;

use super::attempt::Attempt;
use super::environment::Environment;
use super::host;
use super::prepared::Prepared;
use super::shared::Member;
use crate::client::Client;
use crate::frontend::LinkedJob;
use crate::gateway::Bridge;
use crate::pipeline::Error;

/// The job that translates a build for the builds that link to it.
pub(super) async fn job(
    prepared: &Prepared,
    client: &Client,
    bridge: &Bridge,
    environment: &Environment,
    member: &Member,
) -> Result<Arc<LinkedJob>, Error> {
    let request = host::resolved(&prepared.request, client).await?;
    let attempt = Attempt::new(&request, &prepared.inputs, client, environment, false).await?;
    let job = prepared.job_with(&attempt.inputs, &attempt.asked)?;
    let attempt = attempt.with_frontend(false, Some(member.clone()));
    let sources = member.sources(client, &attempt.inputs).await?;
    let mut loaded = attempt.load(bridge, &sources).await?;
    let job = attempt.job(job, &mut loaded, bridge).await?;
    // Linked builds can have links too.
    let setting = Box::pin(attempt.setting(bridge, sources, loaded)).await?;
    Ok(Arc::new(LinkedJob::new(job, setting)))
}
