//! Limits how many steps of builds run at once, by delaying solves.
//!
//! BuildKit runs all steps of a graph that are ready. So this asks the daemon first which steps it
//! has to run, with a graph whose commands cannot start. Then it solves these steps part by part
//! before the whole graph. Digests, results and cache are the same as without a limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{RwLock, Semaphore};

use super::aside::Aside;
use crate::client::{Client, SolveRequest};
use crate::frontend::{Hook, Parts, Solving};
use crate::gateway::{self, Bridge, Ref, SolveOptions};

/// The most steps that run at once, across all builds with a clone of it.
#[derive(Debug, Clone)]
pub struct StepLimit {
    places: Arc<Semaphore>,
    /// The phases of the daemons, by the ids of their workers.
    phases: Arc<Mutex<HashMap<String, Phase>>>,
}

/// Read while steps run, written while the daemon is asked. BuildKit merges equal steps that are
/// solved at the same time: a step must not be merged with one that cannot start.
type Phase = Arc<RwLock<()>>;

impl StepLimit {
    /// Allows at most `most` steps at once, and at least one.
    pub fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            phases: Arc::default(),
        }
    }

    /// The phase of a daemon. Several nodes do not wait for each other.
    fn phase(&self, bridge: &Bridge) -> Phase {
        let worker = bridge.workers().first();
        let id = worker.map(|worker| worker.id.clone()).unwrap_or_default();
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(phases.entry(id).or_default())
    }
}

/// Solves the graphs of one build with a limit.
#[derive(Debug)]
pub(super) struct Limited {
    pub(super) limit: StepLimit,
    /// The build's own request, with its session, entitlements and policy.
    pub(super) request: SolveRequest,
}

#[tonic::async_trait]
impl Hook for Limited {
    async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
        let Some(client) = solving.bridge.client() else {
            return solving.solve().await;
        };
        let phase = self.limit.phase(solving.bridge);
        let parts = {
            let _asking = phase.write().await;
            self.parts(client, solving).await
        };
        if let Some(parts) = parts {
            self.run(&parts, solving, &phase).await?;
        }
        let _running = phase.read().await;
        solving.solve().await
    }
}

impl Limited {
    /// Asks the daemon which steps it has to run.
    async fn parts(&self, client: &Client, solving: Solving<'_>) -> Option<Parts> {
        let aside = Aside {
            client,
            request: self.request.clone(),
        };
        let imports = &solving.options.cache_imports;
        let surveyed = aside.survey(solving.definition, imports).await.ok()?;
        let is_needed = surveyed.ok().map(|it| it.is_needed);
        Parts::new(solving.definition, is_needed)
    }

    /// Solves the parts, each as soon as those that it needs are done. Between two of them, another
    /// build can ask the daemon.
    async fn run(
        &self,
        parts: &Parts,
        solving: Solving<'_>,
        phase: &Phase,
    ) -> Result<(), gateway::Error> {
        let chains = parts.chains();
        let mut missing: Vec<usize> = chains.iter().map(|chain| chain.after.len()).collect();
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); chains.len()];
        for (number, chain) in chains.iter().enumerate() {
            for before in &chain.after {
                users[*before].push(number);
            }
        }
        let options = SolveOptions {
            evaluate: true,
            ..solving.options.clone()
        };
        let solve = |number: usize| {
            let (chain, options) = (&chains[number], &options);
            async move {
                // The semaphore is never closed.
                let _place = self.limit.places.acquire().await;
                let _running = phase.read().await;
                if let Some(part) = parts.until(chain.last) {
                    solving.bridge.solve(&part, options).await?;
                }
                Ok::<_, gateway::Error>(number)
            }
        };
        let ready = (0..chains.len()).filter(|number| missing[*number] == 0);
        let mut running: FuturesUnordered<_> = ready.map(solve).collect();
        while let Some(done) = running.try_next().await? {
            for user in &users[done] {
                missing[*user] -= 1;
                if missing[*user] == 0 {
                    running.push(solve(*user));
                }
            }
        }
        Ok(())
    }
}
