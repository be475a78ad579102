//! Runs the parts of a build and combines them. The first failure cancels the others; another node
//! takes over a lost node's part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::outcome::{Done, Kept};
use super::run::note;
use super::stage::Stage;
use super::{BuiltPart, Error, Node, Nodes, Share, index, merge, part};
use crate::oci::{Descriptor, Platform};
use crate::pipeline::{self, BuildOutcome, Environment, Gate, OnFailure, Output, Prepared};
use crate::progress::Writer;
use crate::registry;

/// A build on several nodes.
pub(super) struct Work<'a> {
    pub(super) nodes: &'a Nodes,
    pub(super) whole: &'a Prepared,
    pub(super) environment: &'a Environment,
    /// Cancels the parts.
    pub(super) stop: CancellationToken,
    pub(super) gate: Option<Arc<Gate>>,
    /// The folder in which the parts of an OCI layout are combined.
    pub(super) stage: Option<Stage>,
}

/// The end of a part.
struct Ended {
    share: Share,
    result: Result<BuildOutcome, pipeline::Error>,
    /// True if it failed because its node was lost.
    is_lost: bool,
}

/// The results of the parts so far.
#[derive(Default)]
struct Results {
    done: Vec<Done>,
    kept: Kept,
    /// The nodes that were lost.
    lost: BTreeSet<usize>,
    /// The first failure.
    failure: Option<Error>,
}

impl Results {
    fn add(&mut self, mut outcome: BuildOutcome, share: &Share, node: &Node) {
        self.kept.failed.append(&mut outcome.failed);
        self.kept.built.append(&mut outcome.built);
        let part = BuiltPart {
            node: node.name.clone(),
            build_ref: outcome.build_ref.clone(),
            platforms: share.platforms(),
        };
        self.done.push(Done { part, outcome });
    }
}

impl Work<'_> {
    /// Builds all shares; returns the parts, and the results of the platforms.
    pub(super) async fn all(
        &self,
        shares: Vec<Share>,
        lost: BTreeSet<usize>,
    ) -> Result<(Vec<Done>, Kept), Error> {
        let mut results = Results {
            lost,
            ..Results::default()
        };
        let mut running: FuturesUnordered<_> =
            shares.into_iter().map(|share| self.part(share)).collect();
        while let Some(ended) = running.next().await {
            let instead = self.take(ended, &mut results);
            running.extend(instead.into_iter().map(|share| self.part(share)));
        }
        match results.failure {
            Some(error) => Err(error),
            None => Ok((results.done, results.kept)),
        }
    }

    /// Adds the end of a part to the results. Returns the shares that replace it if its node was
    /// lost.
    fn take(&self, ended: Ended, results: &mut Results) -> Vec<Share> {
        let share = ended.share;
        match ended.result {
            Ok(outcome) => results.add(outcome, &share, self.nodes.node(&share)),
            // The others end because of the first failure.
            Err(_) if results.failure.is_some() => {}
            Err(pipeline::Error::Platforms { failed, built }) => {
                self.kept_going(&share, &failed, &built);
                results.kept.failed.extend(failed);
                results.kept.built.extend(built);
            }
            Err(error) if ended.is_lost && !self.stop.is_cancelled() => {
                results.lost.insert(share.node);
                self.nodes.note_lost(&share);
                match self.elsewhere(&share, &results.lost, error) {
                    Ok(shares) => return shares,
                    Err(error) => self.fail(error, results),
                }
            }
            Err(error) => {
                let error = match self.environment.cancelled.is_cancelled() {
                    true => Error::Build(pipeline::Error::Interrupted),
                    false => self.nodes.failed(&share, error),
                };
                self.fail(error, results);
            }
        }
        Vec::new()
    }

    /// Ends the other parts because of this failure.
    fn fail(&self, error: Error, results: &mut Results) {
        results.failure = Some(error);
        self.stop.cancel();
    }

    async fn part(&self, share: Share) -> Ended {
        let Node { name, client, .. } = self.nodes.node(&share);
        let request = part::request(
            self.whole.request(),
            &share.platforms(),
            client.address().daemon(),
            self.stage.as_ref(),
        );
        let handed_over = AtomicBool::new(false);
        let prepared = match self.whole.part(request, self.gate.clone()) {
            Ok(prepared) => prepared,
            Err(error) => {
                return Ended {
                    share,
                    result: Err(error),
                    is_lost: false,
                };
            }
        };
        let mut environment = self.environment.clone();
        environment.cancelled = self.stop.clone();
        environment.progress = environment.progress.map(|progress| progress.for_node(name));
        environment.started = environment.started.for_node(name);
        let result = prepared
            .run_watched(client, environment, &handed_over)
            .await;
        let is_lost = matches!(&result, Err(failed) if failed.daemon_is_gone);
        Ended {
            share,
            result: result.map_err(|failed| failed.error),
            is_lost,
        }
    }

    /// Combines the parts to an image, if they were pushed or written as one, and their caches.
    pub(super) async fn combine(
        &self,
        registries: &registry::Client,
        parts: &[Done],
        progress: &Writer,
    ) -> Result<(Option<BTreeMap<String, String>>, Option<Descriptor>), Error> {
        let request = self.whole.request();
        let output = request.outputs.iter().find(|it| part::is_assembled(it));
        let made = match output {
            Some(output) => Some(self.assemble(registries, output, parts, progress).await?),
            None => None,
        };
        let firsts = parts.iter().filter_map(|done| done.part.platforms.first());
        let firsts: Vec<Platform> = firsts.cloned().collect();
        let cache = merge::caches(registries, request, &firsts, progress).await?;
        Ok((made, cache))
    }

    /// Creates the image from the parts; returns what an exporter would respond.
    async fn assemble(
        &self,
        registries: &registry::Client,
        output: &Output,
        parts: &[Done],
        progress: &Writer,
    ) -> Result<BTreeMap<String, String>, Error> {
        let request = self.whole.request();
        let mut descriptors = Vec::new();
        for done in parts {
            let found = index::descriptor(&done.outcome.exporter_response);
            descriptors.push(found.ok_or_else(|| Error::NoDescriptor {
                node: done.part.node.clone(),
            })?);
        }
        let Some(stage) = &self.stage else {
            return index::push(registries, request, output, descriptors, progress).await;
        };
        let step = "[internal] putting the parts of the OCI layout together";
        let finished = stage.finish(request, output, &descriptors, self.environment);
        let finished = progress.track(step, finished).await;
        self.clear();
        finished.map_err(|source| Error::Layout {
            source: Box::new(source),
        })
    }

    /// Removes what only the parts needed.
    pub(super) fn clear(&self) {
        if let Some(stage) = &self.stage {
            stage.clear(&self.whole.request().platforms);
        }
    }

    /// Decides if the other parts may export when some platforms of a part failed.
    fn kept_going(
        &self,
        share: &Share,
        failed: &[crate::frontend::PlatformFailure],
        built: &[Platform],
    ) {
        let Some(gate) = &self.gate else { return };
        match self.whole.request().on_failure {
            OnFailure::Export if built.is_empty() => gate.count(&share.platforms()),
            OnFailure::Export => {}
            // A part that waited but was not released has no failed platforms.
            _ if failed.is_empty() => {}
            _ => gate.close(),
        }
    }

    /// Plans which nodes take over a lost node's part.
    fn elsewhere(
        &self,
        share: &Share,
        lost: &BTreeSet<usize>,
        error: pipeline::Error,
    ) -> Result<Vec<Share>, Error> {
        let platforms = share.platforms();
        let plan = self
            .nodes
            .plan_without(self.whole, &platforms, lost, share, error)?;
        note(self.environment, Some(self.nodes.lost_note(share)));
        note(self.environment, self.nodes.describe(&plan));
        Ok(plan.shares)
    }
}
