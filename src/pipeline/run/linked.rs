//! A build as a context of another one: its job, without a solve of its own.

use super::fetch::Reading;
use super::served::{build_platforms, setting};
use super::{host, loaded_or};
use crate::client::{Address, Client};
use crate::frontend::LinkedJob;
use crate::gateway::Bridge;
use crate::pipeline::request::options;
use crate::pipeline::{Environment, Error, Member, Prepared};

impl Prepared {
    /// True if steps of this build may need what only its own session serves.
    pub(super) fn has_secrets(&self) -> bool {
        !self.request.secrets.is_empty() || !self.request.ssh_agents.is_empty()
    }

    /// What translates it for the builds that link to it.
    pub(in crate::pipeline) async fn linked(
        &self,
        client: &Client,
        bridge: &Bridge,
        environment: &Environment,
        member: &Member,
    ) -> Result<std::sync::Arc<LinkedJob>, Error> {
        let inputs = self.inputs.clone().fetched(client, environment).await?;
        let docker_engine = matches!(client.address(), Address::Docker(_));
        let request = host::resolved(&self.request, client).await?;
        let attributes = options::frontend_attributes(&request, &inputs, docker_engine);
        let job = self.job_with(&inputs, &attributes)?;
        let sources = member.sources(client, &inputs).await?;
        let mut setting = setting(&self.request, &inputs, &sources);
        setting.build_platforms = build_platforms(bridge.workers());
        setting.found = member.images(client);
        let plan = Reading {
            frontend: &self.request.frontend,
            forwarded: false,
            attributes: &attributes,
            policy: self.request.policy,
        };
        let loaded = inputs.load(bridge, &plan, &mut setting).await?;
        let job = loaded_or(job, loaded, &plan, bridge, &setting.warn_at).await?;
        // Links can have links.
        let links = member.links(client, bridge, &inputs, environment);
        setting.links = Box::pin(links).await?;
        Ok(std::sync::Arc::new(LinkedJob::new(job, setting)))
    }
}
