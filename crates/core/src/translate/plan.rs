//! A Dockerfile after all its instructions: the common part of translation, check and outline.

use super::base::{self, Bases};
use super::error::Error;
use super::images::ResolvedImages;
use super::lint::Lint;
use super::options::Options;
use super::outline;
use super::scope::Scope;
use super::stage::{StageId, Stages};
use super::{Outcome, epoch, graph, instruction};
use crate::dockerfile::Dockerfile;

/// The stages after their last instruction.
pub(super) struct Plan<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) stages: Stages<'a>,
    pub(super) target: StageId,
    pub(super) bases: Bases,
}

/// The purpose of going through the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Build the target.
    Build,
    /// Check the stages: all of them if no target is named.
    Check,
    /// List the inputs of a build.
    Outline,
}

/// A plan, or the information that is missing for it.
pub(super) type Planned<'a> = Outcome<Plan<'a>>;

/// Dispatches the instructions of the Dockerfile.
pub(super) fn go_through<'a>(
    dockerfile: &'a Dockerfile,
    options: &'a Options,
    images: &'a ResolvedImages,
    lint: &mut Lint<'_>,
    purpose: Purpose,
) -> Result<Planned<'a>, Error> {
    let mut scope = Scope::new(dockerfile, options, images, lint)?;
    scope.all_stages = purpose == Purpose::Check && options.target.is_none();
    if let Some(needs) = epoch::resolve(&mut scope)? {
        return Ok(needs.into());
    }
    let mut stages = graph::stages(&scope, lint)?;
    if purpose == Purpose::Outline {
        outline::begin(&scope, &mut stages)?;
    }
    let target = graph::target(&scope, &stages)?;
    graph::link(&scope, &mut stages)?;
    let bases = base::resolve(&scope, lint, &mut stages, target)?;
    if let Some(request) = bases.time {
        return Ok(Outcome::NeedsTime(request));
    }
    if !bases.missing.is_empty() {
        return Ok(Outcome::NeedsImages(bases.missing));
    }
    lint.read_ignored(options)?;
    let wanted = count_heirs(&scope, &mut stages, target, &bases);
    for id in wanted {
        instruction::dispatch(&scope, lint, &mut stages, id)?;
    }
    lint.check()?;
    Ok(Outcome::Done(Box::new(Plan {
        scope,
        stages,
        target,
        bases,
    })))
}

/// Returns the stages to dispatch, in order, and counts for each base the stages that will use its
/// config.
fn count_heirs(
    scope: &Scope<'_>,
    stages: &mut Stages<'_>,
    target: StageId,
    bases: &Bases,
) -> Vec<StageId> {
    let is_wanted = |id: &StageId| {
        let reachable = bases.reachable.get(*id).copied().unwrap_or(false);
        scope.all_stages || (reachable && !stages[*id].progress.dispatched)
    };
    let wanted: Vec<StageId> = (0..stages.len()).filter(is_wanted).collect();
    stages[target].heirs += 1;
    for id in &wanted {
        if let Some(base) = stages[*id].base {
            stages[base].heirs += 1;
        }
    }
    wanted
}
