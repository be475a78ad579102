//! Several builds at once, such as the targets of a bake file: equal steps are solved once, folders
//! are sent once, and nothing is exported before everything is solved.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::{Built, Error, Nodes, Plan, Publish};
use crate::pipeline::{self, Environment, OnFailure, Prepared, Shared, Together};
use crate::registry;

/// One of several builds.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name, which progress shows before each step.
    pub name: String,
    /// The prepared build.
    pub prepared: Arc<Prepared>,
    /// The plan on the nodes.
    pub plan: Plan,
}

/// Options for several builds.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Joint {
    /// The action for the other builds if one fails.
    pub on_failure: OnFailure,
    /// Export each build as soon as it is solved, not when all are.
    pub export_as_ready: bool,
    /// The publication of their images.
    pub publish: Publish,
    /// The most platforms of all builds that are solved at once; `None` for all.
    pub parallel: Option<usize>,
}

/// The result of one of several builds.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The build was exported.
    Built(Box<Built>),
    /// The build failed.
    Failed(Error),
    /// The build was solved, and its steps are cached, but it was not exported because another one
    /// failed.
    NotExported,
    /// The build was cancelled because another one failed.
    Cancelled,
}

impl Nodes {
    /// Runs several builds at once. The outcomes are in the order of the targets.
    pub async fn build_all(
        &self,
        targets: Vec<Target>,
        joint: &Joint,
        registries: &registry::Client,
        environment: Environment,
    ) -> Vec<(String, Ended)> {
        let builds: Vec<_> = targets.iter().map(|it| Arc::clone(&it.prepared)).collect();
        let together = Together {
            export_together: !joint.export_as_ready && builds.len() > 1,
            parallel: joint.parallel,
            sent: environment.sent.clone(),
        };
        let shared = Shared::new(&builds, together);
        let stop = environment.cancelled.child_token();
        let several = targets.len() > 1;
        let mut running = FuturesUnordered::new();
        for (place, target) in targets.iter().enumerate() {
            let member = shared.member(&target.prepared);
            let mut environment = environment.clone();
            environment.cancelled = stop.clone();
            environment.member = Some(member.clone());
            let records = environment.records.take();
            environment.records = records.map(|it| it.for_target(&target.name));
            if several {
                environment.target = Some(target.name.clone());
                environment.started = environment.started.for_target(&target.name);
                let progress = environment.progress;
                environment.progress = progress.map(|it| it.for_target(&target.name));
            }
            running.push(async move {
                let plan = target.plan.clone();
                let publish = &joint.publish;
                let built = self.publish(&target.prepared, plan, registries, environment, publish);
                (place, member, built.await)
            });
        }
        let mut ended: Vec<Option<Ended>> = targets.iter().map(|_| None).collect();
        let mut has_failed = false;
        while let Some((place, member, result)) = running.next().await {
            let end = ended_as(result, has_failed);
            if let Ended::Failed(_) = &end {
                has_failed = true;
                match joint.on_failure {
                    OnFailure::Export => member.leave(),
                    OnFailure::Finish => shared.close(),
                    OnFailure::Cancel => {
                        shared.close();
                        stop.cancel();
                    }
                }
                // Builds that link to it and wait for it end too.
                member.failed();
            }
            ended[place] = Some(end);
        }
        drop(running);
        shared.end().await;
        let names = targets.into_iter().map(|target| target.name);
        names.zip(ended.into_iter().flatten()).collect()
    }
}

/// After the first failure, others end because of it unless they have their own error.
fn ended_as(result: Result<Built, Error>, has_failed: bool) -> Ended {
    match result {
        Ok(built) => Ended::Built(Box::new(built)),
        Err(Error::Build(pipeline::Error::Interrupted)) if has_failed => Ended::Cancelled,
        Err(Error::Build(pipeline::Error::Platforms { failed, .. })) if failed.is_empty() => {
            Ended::NotExported
        }
        Err(error) => Ended::Failed(error),
    }
}
