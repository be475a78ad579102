//! All parts at once: the first failure cancels the others, what a lost node was building goes to another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::outcome::{Done, Kept, merged};
use super::stage::Stage;
use super::{Built, BuiltPart, Error, Nodes, Plan, Share, caches, index, merge, part};
use crate::build::{
    self, BuildOutcome, Destination, Environment, Gate, OnFailure, Output, OutputKind, Prepared,
};
use crate::client::Address;
use crate::oci::Platform;
use crate::progress::Writer;
use crate::registry;

/// A build that several nodes take part in.
struct Work<'a> {
    nodes: &'a Nodes,
    whole: &'a Prepared,
    environment: &'a Environment,
    /// Cancels the parts.
    stop: CancellationToken,
    gate: Option<Arc<Gate>>,
    /// Where the parts of an OCI layout come together.
    stage: Option<Stage>,
}

/// How a part ended.
struct Ended {
    share: Share,
    /// The result may have reached its exporters.
    handed_over: bool,
    result: Result<BuildOutcome, build::Error>,
}

impl Nodes {
    /// Builds as planned: every node its part, all at once. What is pushed gets its names when all parts are there and put together
    /// through `registries`, which may have to be told which registries are insecure. When a node is lost its part is built on another.
    ///
    /// # Errors
    /// [`Error::Part`] names the node and the platforms that failed first; the other parts are cancelled then, and no tag has moved.
    pub async fn build(
        &self,
        prepared: &Prepared,
        plan: Plan,
        registries: &registry::Client,
        environment: Environment,
    ) -> Result<Built, Error> {
        let mut request = prepared.request().clone();
        if self.all.len() > 1 {
            caches::add_imports(&mut request);
        }
        let prepared = prepared.clone_with(request);
        let mut lost = BTreeSet::new();
        let mut plan = plan;
        loop {
            tell(&environment, self.describe(&plan));
            let [only] = plan.shares.as_slice() else {
                return self
                    .build_parts(prepared, plan, lost, registries, environment)
                    .await;
            };
            let only = only.clone();
            let ended = self.build_whole(&prepared, &only, &environment).await;
            let error = match ended.result {
                Ok(outcome) => return Ok(self.whole(&only, outcome)),
                Err(error) => error,
            };
            let again = error.is_of_lost_daemon()
                && self.all.len() > 1
                && prepared.is_repeatable()
                && !(ended.handed_over && writes_to_stdout(&prepared));
            if !again {
                return Err(self.alone(&only, error));
            }
            lost.insert(only.node);
            plan = self.plan_without(&prepared, &only.platforms(), &lost, &only, error)?;
            tell(&environment, Some(self.told_lost(&only)));
        }
    }

    async fn build_whole(
        &self,
        prepared: &Prepared,
        share: &Share,
        environment: &Environment,
    ) -> Ended {
        let handed_over = AtomicBool::new(false);
        let client = &self.all[share.node].client;
        let built = prepared.run_watched(client, environment.clone(), &handed_over);
        let result = built.await;
        Ended {
            share: share.clone(),
            handed_over: handed_over.load(Ordering::Relaxed),
            result,
        }
    }

    fn whole(&self, share: &Share, outcome: BuildOutcome) -> Built {
        let part = BuiltPart {
            node: self.all[share.node].name.clone(),
            build_ref: outcome.build_ref.clone(),
            platforms: share.platforms(),
        };
        Built {
            outcome,
            parts: vec![part],
        }
    }

    /// The failure of a build on one node: that one is named when it was chosen among several.
    fn alone(&self, share: &Share, error: build::Error) -> Error {
        match (self.all.len(), error) {
            (_, error @ build::Error::Interrupted) | (1, error) => Error::Build(error),
            (_, error @ build::Error::Platforms { .. }) => Error::Build(error),
            (_, source) => self.failed(share, source),
        }
    }

    fn failed(&self, share: &Share, source: build::Error) -> Error {
        Error::Part {
            node: self.all[share.node].name.clone(),
            platforms: share.platforms(),
            source: Box::new(source),
        }
    }

    fn told_lost(&self, share: &Share) -> String {
        format!(
            "the node {} was lost: building {} again elsewhere",
            self.all[share.node].name,
            share.names()
        )
    }

    /// A plan for what a lost node was building.
    fn plan_without(
        &self,
        prepared: &Prepared,
        platforms: &[Platform],
        lost: &BTreeSet<usize>,
        share: &Share,
        error: build::Error,
    ) -> Result<Plan, Error> {
        let left = self.without(lost);
        let planned = left.plan_for(prepared, platforms, Vec::new());
        let plan = planned.ok().filter(|plan| {
            let platforms = plan.shares.iter().flat_map(|share| &share.platforms);
            !platforms
                .clone()
                .any(|(_, fit)| *fit == super::Fit::Unknown)
        });
        let Some(mut plan) = plan else {
            return Err(Error::Lost {
                node: self.all[share.node].name.clone(),
                platforms: share.platforms(),
                source: Box::new(error),
            });
        };
        // Places among those that are left become places among all.
        let places: Vec<usize> = (0..self.all.len())
            .filter(|node| !lost.contains(node))
            .collect();
        for share in &mut plan.shares {
            share.node = places[share.node];
        }
        Ok(plan)
    }

    fn without(&self, lost: &BTreeSet<usize>) -> Self {
        let mut left = Self::default();
        for node in (0..self.all.len()).filter(|node| !lost.contains(node)) {
            left.all.push(self.all[node].clone());
            left.offers.push(self.offers[node].clone());
            left.pushes_parts.push(self.pushes_parts[node]);
        }
        left
    }

    async fn build_parts(
        &self,
        prepared: Prepared,
        plan: Plan,
        lost: BTreeSet<usize>,
        registries: &registry::Client,
        environment: Environment,
    ) -> Result<Built, Error> {
        let prepared = prepared.spooled(&environment.cancelled).await?;
        let request = prepared.request();
        let mut layouts = request.outputs.iter();
        let stage = layouts
            .find(|output| output.kind == OutputKind::Oci)
            .map(Stage::of);
        let work = Work {
            nodes: self,
            whole: &prepared,
            environment: &environment,
            stop: environment.cancelled.child_token(),
            stage: stage.transpose()?,
            gate: part::waits(request).then(|| Arc::new(Gate::new(request.platforms.clone()))),
        };
        let ended = work.all(plan.shares, lost).await;
        let (mut parts, mut kept) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                work.clear();
                return Err(error);
            }
        };
        kept.sort(&request.platforms);
        let exports = request.on_failure == OnFailure::Export && !parts.is_empty();
        if !kept.failed.is_empty() && !exports {
            return Err(Error::Build(build::Error::Platforms {
                failed: kept.failed,
                built: kept.built,
            }));
        }
        parts.sort_by_key(|done| {
            let first = done.part.platforms.first();
            request.platforms.iter().position(|it| Some(it) == first)
        });
        let silent = progress(&environment);
        let mut made = None;
        if let Some(output) = request.outputs.iter().find(|it| part::is_assembled(it)) {
            let assembled = work.assemble(registries, output, &parts, &silent);
            made = Some(tokio::select! {
                made = assembled => made?,
                () = environment.cancelled.cancelled() => return Err(Error::Build(build::Error::Interrupted)),
            });
        }
        let cache = tokio::select! {
            cache = merge::caches(registries, request, &parts, &silent) => cache?,
            () = environment.cancelled.cancelled() => return Err(Error::Build(build::Error::Interrupted)),
        };
        merged(parts, kept, made, cache.as_ref()).ok_or(Error::NoNode { silent: Vec::new() })
    }
}

impl Work<'_> {
    /// Builds all shares; gives what is built, and what became of the platforms.
    async fn all(
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
                        node: self.nodes.all[share.node].name.clone(),
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
                build::Error::Platforms { failed, built } => {
                    self.kept_going(&share, &failed, &built);
                    kept.failed.extend(failed);
                    kept.built.extend(built);
                }
                error if error.is_of_lost_daemon() && !self.stop.is_cancelled() => {
                    lost.insert(share.node);
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
                        true => Error::Build(build::Error::Interrupted),
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
        let node = &self.nodes.all[share.node];
        let on_engine = matches!(node.client.address(), Address::Docker(_));
        let request = part::request(
            self.whole.request(),
            &share.platforms(),
            on_engine,
            self.stage.as_ref(),
        );
        let handed_over = AtomicBool::new(false);
        let prepared = match self.whole.part(request, self.gate.clone()) {
            Ok(prepared) => prepared,
            Err(error) => {
                return Ended {
                    share,
                    handed_over: false,
                    result: Err(error),
                };
            }
        };
        let mut environment = self.environment.clone();
        environment.cancelled = self.stop.clone();
        environment.progress = environment
            .progress
            .map(|progress| progress.for_node(&node.name));
        let result = prepared
            .run_watched(&node.client, environment, &handed_over)
            .await;
        Ended {
            share,
            handed_over: handed_over.load(Ordering::Relaxed),
            result,
        }
    }

    /// Makes the one image of the parts; gives what an exporter would answer.
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
        finished.map_err(|reason| Error::Layout { reason })
    }

    /// Removes what only the parts needed.
    fn clear(&self) {
        if let Some(stage) = &self.stage {
            stage.clear(&self.whole.request().platforms);
        }
    }

    /// Some platforms of a part failed, and the other parts go on: may they export?
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
            // What waited and was not let through has nothing that failed.
            _ if failed.is_empty() => {}
            _ => gate.close(),
        }
    }

    /// Who builds now what a lost node was building.
    fn elsewhere(
        &self,
        share: &Share,
        lost: &BTreeSet<usize>,
        error: build::Error,
    ) -> Result<Vec<Share>, Error> {
        let platforms = share.platforms();
        let plan = self
            .nodes
            .plan_without(self.whole, &platforms, lost, share, error)?;
        tell(self.environment, Some(self.nodes.told_lost(share)));
        tell(self.environment, self.nodes.describe(&plan));
        Ok(plan.shares)
    }
}

fn writes_to_stdout(prepared: &Prepared) -> bool {
    let mut outputs = prepared.request().outputs.iter();
    outputs.any(|output| output.destination == Some(Destination::StandardOutput))
}

fn tell(environment: &Environment, text: Option<String>) {
    if let (Some(progress), Some(text)) = (&environment.progress, text) {
        progress.note(text);
    }
}

/// Where the steps of this side are shown; nowhere when nobody looks.
fn progress(environment: &Environment) -> Writer {
    let progress = environment.progress.clone();
    progress.unwrap_or_else(|| crate::progress::channel().0)
}
