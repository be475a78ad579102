//! Solves beside a build and in its session: questions to the daemon, which it does not record, and
//! which are not shown.

use tokio::task::JoinSet;

use super::attended::{GRACE, forward_status, solve_and_drive};
use crate::client::{CacheEntry, Client, SolveRequest};
use crate::frontend::{Incomplete, Survey, Trial};
use crate::gateway::{Bridge, BuildResult};
use crate::llb::Definition;
use crate::pipeline::Error;
use crate::progress::StepEnds;
use crate::session;

/// Asks a daemon questions of a build.
pub(super) struct Aside<'a> {
    pub(super) client: &'a Client,
    /// The build's own request, with its session, entitlements and policy.
    pub(super) request: SolveRequest,
}

/// A daemon's answer about a graph.
pub(super) struct Surveyed {
    pub(super) survey: Survey,
    /// The steps that have to run, by their places in the graph.
    pub(super) is_needed: Vec<bool>,
}

impl Aside<'_> {
    /// Asks which steps of a graph have to run. None of its commands is run.
    pub(super) async fn survey(
        &self,
        definition: &Definition,
        cache_imports: &[CacheEntry],
    ) -> Result<Result<Surveyed, Incomplete>, Error> {
        let ends = StepEnds::default();
        let surveyed = self.solve(ends.clone(), async |bridge: &Bridge| {
            let trial = Trial {
                bridge,
                cache_imports,
                ends: &ends,
            };
            Survey::of(definition, &trial).await
        });
        let survey = match surveyed.await? {
            Ok(survey) => survey,
            Err(incomplete) => return Ok(Err(incomplete)),
        };
        let mut walk = survey.walk();
        while let Some(number) = walk.question() {
            let asked = self.solve(StepEnds::default(), async |bridge: &Bridge| {
                survey.answer(number, bridge, cache_imports).await
            });
            match asked.await? {
                Ok(answer) => walk.answer(number, answer),
                Err(incomplete) => return Ok(Err(incomplete)),
            }
        }
        let is_needed = walk.needed();
        Ok(Ok(Surveyed { survey, is_needed }))
    }

    /// Runs a build on the daemon whose frontend is a function. Its steps are reported to `ends`.
    async fn solve<T>(
        &self,
        ends: StepEnds,
        frontend: impl AsyncFnOnce(&Bridge) -> T,
    ) -> Result<T, Error> {
        let request = SolveRequest {
            build_ref: session::new_id()?,
            internal: true,
            ..self.request.clone()
        };
        let mut status = JoinSet::new();
        let build_ref = request.build_ref.clone();
        status.spawn(forward_status(
            self.client.clone(),
            build_ref,
            None,
            vec![ends],
        ));
        let solved = solve_and_drive(self.client, request, async |bridge: &Bridge| {
            let value = frontend(bridge).await;
            bridge.return_result(&BuildResult::default()).await?;
            Ok(value)
        });
        let solved = solved.await;
        let _ = tokio::time::timeout(GRACE, status.join_next()).await;
        status.shutdown().await;
        Ok(solved?.0)
    }
}
