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
use super::{BuiltPart, Error, Node, Nodes, Share, index, part};
use crate::oci::Platform;
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

impl Work<'_> {
    /// Builds all shares; returns the parts, and the results of the platforms.
    pub(super) async fn all(
        &self,
        shares: Vec<Share>,
        mut lost: BTreeSet<usize>,
    ) -> Result<(Vec<Done>, Kept), Error> {
        let mut running = FuturesUnordered::new();
        shares
            .into_iter()
            .for_each(|share| running.push(self.part(share)));
        let (mut done, mut kept) = (Vec::new(), Kept::default());
        let mut failure: Option<Error> = None;
        while let Some(ended) = running.next().await {
            let share = ended.share;
            let error = match ended.result {
                Ok(mut outcome) => {
                    kept.failed.append(&mut outcome.failed);
                    kept.built.append(&mut outcome.built);
                    let part = BuiltPart {
                        node: self.nodes.node(&share).name.clone(),
                        build_ref: outcome.build_ref.clone(),
                        platforms: share.platforms(),
                    };
                    done.push(Done { part, outcome });
                    continue;
                }
                Err(error) => error,
            };
            // The others end because of the first failure.
            if failure.is_some() {
                continue;
            }
            match error {
                pipeline::Error::Platforms { failed, built } => {
                    self.kept_going(&share, &failed, &built);
                    kept.failed.extend(failed);
                    kept.built.extend(built);
                }
                error if ended.is_lost && !self.stop.is_cancelled() => {
                    lost.insert(share.node);
                    self.nodes.note_lost(&share);
                    match self.elsewhere(&share, &lost, error) {
                        Ok(shares) => shares
                            .into_iter()
                            .for_each(|share| running.push(self.part(share))),
                        Err(error) => {
                            failure = Some(error);
                            self.stop.cancel();
                        }
                    }
                }
                error => {
                    failure = Some(match self.environment.cancelled.is_cancelled() {
                        true => Error::Build(pipeline::Error::Interrupted),
                        false => self.nodes.failed(&share, error),
                    });
                    self.stop.cancel();
                }
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok((done, kept)),
        }
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

    /// Creates the image from the parts; returns what an exporter would respond.
    pub(super) async fn assemble(
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
