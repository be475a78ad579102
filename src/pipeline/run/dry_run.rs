//! A build that stops before its first step that is not cached.

use super::aside::{Aside, Surveyed};
use super::attempt::Attempt;
use super::environment::Environment;
use super::host;
use super::prepared::Prepared;
use super::shared::Member;
use crate::client::{Client, SolveRequest};
use crate::frontend::{ExpectedGraph, Job, forecast};
use crate::gateway::{Bridge, BuildResult};
use crate::pipeline::Error;
use crate::pipeline::inputs::missing_source;
use crate::pipeline::request::options;
use crate::session::ContentStores;

impl Prepared {
    /// Asks a daemon which steps of the build are cached. No command is run, and nothing is
    /// exported. Files of the contexts are sent, because the daemon compares their contents; for
    /// the same reason it may pull images.
    ///
    /// # Errors
    /// As for [`Prepared::run`]; also if another frontend translates the Dockerfile.
    pub async fn dry_run(
        &self,
        client: &Client,
        environment: Environment,
    ) -> Result<Vec<ExpectedGraph>, Error> {
        let environment = Environment {
            progress: None,
            ..environment
        };
        let request = host::resolved(&self.request, client).await?;
        let attempt = Attempt::new(&request, &self.inputs, client, &environment, false).await?;
        let job = self.job_with(&attempt.inputs, &attempt.asked)?;
        let forwarded = job.as_ref().and_then(Job::elsewhere).is_some();
        let member = Member::alone(&request, &attempt.inputs, environment.sent.clone());
        let attempt = attempt.with_frontend(forwarded, member);
        let attempt = attempt.with_policies().await?;
        let (session, _folder) = attempt.session(ContentStores::new())?;
        let session = session.build()?;
        let sources = attempt.sources(&session).await?;
        let solve = SolveRequest {
            entitlements: options::entitlements(&request),
            source_policy: request.source_policy.clone(),
            internal: true,
            ..SolveRequest::default()
        };
        let attended = attempt.attended(session, solve)?;
        let aside = Aside {
            client,
            request: attended.request().clone(),
        };
        let driven = attended.run(async |bridge: &Bridge| {
            let mut loaded = attempt.load(bridge, &sources).await?;
            let job = attempt.job(job, &mut loaded, bridge).await?;
            let setting = attempt.setting(bridge, sources, loaded).await?;
            let mut graphs = Vec::new();
            for made in job.graphs(bridge, &setting).await? {
                let surveyed = aside
                    .survey(&made.definition, &setting.cache_imports)
                    .await?;
                let surveyed = surveyed.map_err(|incomplete| {
                    let mut error = job.explain(incomplete);
                    missing_source::explain(&self.inputs, &mut error);
                    error
                })?;
                let Surveyed { survey, is_needed } = surveyed;
                let listed = &setting.build_platforms;
                graphs.push(forecast(made.platform, &survey, &is_needed, listed));
            }
            bridge.return_result(&BuildResult::default()).await?;
            Ok(graphs)
        });
        let driven = attempt.explained(driven.await);
        attempt.end().await;
        Ok(driven?.0)
    }
}
