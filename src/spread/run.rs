//! Runs a plan: on one node the whole build, on several nodes the parts, which are then combined.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::outcome::merged;
use super::stage::Stage;
use super::work::Work;
use super::{Built, BuiltPart, Error, Node, Nodes, Plan, Share, caches, merge, part};
use crate::oci::Platform;
use crate::pipeline::{
    self, BuildOutcome, Destination, Environment, Failed, Gate, Member, OnFailure, OutputKind,
    Prepared,
};
use crate::progress::Writer;
use crate::registry;

impl Nodes {
    /// Builds the plan: all parts at once. Pushed content gets its names when all parts are
    /// complete and combined through `registries`, which must know the insecure registries. If a
    /// node is lost, another one builds its part.
    ///
    /// # Errors
    /// [`Error::Part`] with the node and the platforms that failed first; the other parts are
    /// cancelled, and no tag has moved.
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
            note(&environment, self.describe(&plan));
            let [only] = plan.shares.as_slice() else {
                return self
                    .build_parts(prepared, plan, lost, registries, environment)
                    .await;
            };
            let only = only.clone();
            let handed_over = AtomicBool::new(false);
            let Node { name, client, .. } = self.node(&only);
            let mut on_node = environment.clone();
            on_node.started = on_node.started.for_node(name);
            let built = Box::pin(prepared.run_watched(client, on_node, &handed_over));
            let Failed {
                error,
                daemon_is_gone,
            } = match built.await {
                Ok(outcome) => return Ok(self.whole(&only, outcome)),
                Err(failed) => failed,
            };
            if daemon_is_gone {
                self.note_lost(&only);
            }
            let again = daemon_is_gone
                && self.all.len() > 1
                && prepared.is_repeatable()
                && !(handed_over.load(Ordering::Relaxed) && writes_to_stdout(&prepared));
            if !again {
                return Err(self.alone(&only, error));
            }
            lost.insert(only.node);
            plan = self.plan_without(&prepared, &only.platforms(), &lost, &only, error)?;
            note(&environment, Some(self.lost_note(&only)));
        }
    }

    fn whole(&self, share: &Share, outcome: BuildOutcome) -> Built {
        let part = BuiltPart {
            node: self.node(share).name.clone(),
            build_ref: outcome.build_ref.clone(),
            platforms: share.platforms(),
        };
        Built {
            outcome,
            parts: vec![part],
        }
    }

    /// The error of a build on one node. It names the node if that was selected among several.
    fn alone(&self, share: &Share, error: pipeline::Error) -> Error {
        match (self.all.len(), error) {
            (_, error @ pipeline::Error::Interrupted) | (1, error) => Error::Build(error),
            (_, error @ pipeline::Error::Platforms { .. }) => Error::Build(error),
            (_, source) => self.failed(share, source),
        }
    }

    pub(super) fn failed(&self, share: &Share, source: pipeline::Error) -> Error {
        Error::Part {
            node: self.node(share).name.clone(),
            platforms: share.platforms(),
            source: Box::new(source),
        }
    }

    pub(super) fn lost_note(&self, share: &Share) -> String {
        format!(
            "the node {} was lost: building {} again elsewhere",
            self.node(share).name,
            share.names()
        )
    }

    /// Plans the platforms of a lost node.
    pub(super) fn plan_without(
        &self,
        prepared: &Prepared,
        platforms: &[Platform],
        lost: &BTreeSet<usize>,
        share: &Share,
        error: pipeline::Error,
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
                node: self.node(share).name.clone(),
                platforms: share.platforms(),
                source: Box::new(error),
            });
        };
        // Convert indexes among the remaining nodes to indexes among all.
        let places: Vec<usize> = (0..self.all.len())
            .filter(|node| !lost.contains(node))
            .collect();
        for share in &mut plan.shares {
            share.node = places[share.node];
        }
        Ok(plan)
    }

    fn without(&self, lost: &BTreeSet<usize>) -> Self {
        let left = self.all.iter().enumerate();
        let left = left.filter(|(node, _)| !lost.contains(node));
        Self {
            all: left.map(|(_, it)| it.clone()).collect(),
            placement: self.placement,
            draw: self.draw,
            lost: Arc::clone(&self.lost),
        }
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
            .map(|output| Stage::of(output, &request.folders));
        let member = environment.member.as_ref();
        let waits = part::waits(request) || member.is_some_and(Member::is_awaited);
        let work = Work {
            nodes: self,
            whole: &prepared,
            environment: &environment,
            stop: environment.cancelled.child_token(),
            stage: stage.transpose()?,
            gate: waits.then(|| Arc::new(Gate::new(request.platforms.clone()))),
        };
        let firsts = plan.shares.iter().flat_map(|it| it.platforms.first());
        let firsts: Vec<Platform> = firsts.map(|(platform, _)| platform.clone()).collect();
        let silent = progress(&environment);
        let ended = work.all(plan.shares, lost).await;
        let (mut parts, mut kept) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                merge::caches_of_failure(registries, request, &firsts, &silent).await;
                work.clear();
                return Err(error);
            }
        };
        kept.sort(&request.platforms);
        let exports = request.on_failure == OnFailure::Export && !parts.is_empty();
        if !kept.failed.is_empty() && !exports {
            merge::caches_of_failure(registries, request, &firsts, &silent).await;
            return Err(kept.into_error());
        }
        parts.sort_by_key(|done| {
            let first = done.part.platforms.first();
            request.platforms.iter().position(|it| Some(it) == first)
        });
        if let Some(member) = &environment.member
            && !member.passes_as_solved().await
        {
            work.clear();
            return Err(kept.into_error());
        }
        let combined = work.combine(registries, &parts, &silent);
        let combined = environment.unless_cancelled(combined).await;
        let (made, cache) = combined.map_err(Error::Build)??;
        merged(parts, kept, made, cache.as_ref()).ok_or(Error::NoNode { silent: Vec::new() })
    }
}

fn writes_to_stdout(prepared: &Prepared) -> bool {
    let mut outputs = prepared.request().outputs.iter();
    outputs.any(|output| output.destination == Some(Destination::StandardOutput))
}

pub(super) fn note(environment: &Environment, text: Option<String>) {
    if let (Some(progress), Some(text)) = (&environment.progress, text) {
        progress.note(text);
    }
}

/// Returns the progress for this client's own steps, which is discarded without a display.
pub(super) fn progress(environment: &Environment) -> Writer {
    let progress = environment.progress.clone();
    progress.unwrap_or_else(|| crate::progress::channel().0)
}
