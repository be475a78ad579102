//! ONBUILD: instructions that a base image adds to the stages built on it.

use std::sync::Arc;

use super::error::Error;
use super::graph;
use super::reason::Reason;
use super::stage::{Source, StageId, Stages};
use crate::dockerfile::{self, InstructionKind, Span};

/// The most stages that triggers may add. BuildKit has no such limit and loops forever if a base
/// image's trigger copies from that image.
const MAX_ADDED: usize = 100;

/// Lets every needed stage inherit from its base and take its triggers. Returns true if they need
/// stages or images that are not resolved yet. `own` is the number of stages before the first
/// trigger.
pub(super) fn take_triggers(
    stages: &mut Stages<'_>,
    reachable: &[bool],
    own: usize,
) -> Result<bool, Error> {
    let mut new_needs = false;
    for id in (0..reachable.len()).filter(|id| reachable[*id]) {
        inherit(stages, id);
        let triggers = triggers(stages, id);
        if triggers.is_empty() {
            continue;
        }
        let span = stages[id].span;
        new_needs |= add_triggers(stages, id, &triggers).map_err(|error| error.only_at(span))?;
        stages[id].image_mut().config.on_build.clear();
        if stages.len() - own > MAX_ADDED {
            let reason = Reason::TriggersWithoutEnd {
                reference: stages[id].base_name.clone(),
                limit: MAX_ADDED,
            };
            return Err(Error::from(reason).at(span));
        }
    }
    Ok(new_needs)
}

/// Starts with the state of the base stage.
pub(super) fn inherit(stages: &mut Stages<'_>, id: StageId) {
    let Some(base) = stages[id].base else { return };
    let (image, args) = stages.inherit(base);
    let from = &stages[base];
    let (state, platform) = (from.state.clone(), from.platform.clone());
    let (base_image, paths_of, workdir_given) =
        (from.base_image.clone(), from.paths_of, from.workdir_given);
    let stage = &mut stages[id];
    stage.state = state;
    stage.platform = platform;
    stage.image = image;
    if !stage.image.config.on_build.is_empty() {
        stage.image_mut().config.on_build.clear();
    }
    stage.base_image = base_image;
    stage.paths_of = paths_of;
    stage.workdir_given = workdir_given;
    stage.args = args;
}

/// Returns the triggers of the base image, or of the base stage's own instructions. The base of
/// that stage has run its own triggers already.
fn triggers(stages: &mut Stages<'_>, id: StageId) -> Vec<String> {
    let mut triggers = stages[id].image.config.on_build.clone();
    if let Some(base) = stages[id].base
        && !std::mem::replace(&mut stages[id].progress.triggers_taken, true)
    {
        let own = stages[base].commands.iter().filter_map(|command| {
            match &command.instruction.get().kind {
                InstructionKind::Onbuild(onbuild) => Some(onbuild.expression.clone()),
                _ => None,
            }
        });
        triggers.extend(own);
    }
    triggers
}

/// Inserts the triggers before the stage's instructions. Their position is FROM's.
fn add_triggers(stages: &mut Stages<'_>, id: StageId, triggers: &[String]) -> Result<bool, Error> {
    let span = stages[id].span.unwrap_or_else(|| Span::line(0));
    let mut commands = Vec::with_capacity(triggers.len());
    for trigger in triggers {
        let instruction = dockerfile::parse_trigger(trigger, span).map_err(|source| {
            Error::from(Reason::Trigger {
                trigger: trigger.clone(),
                source,
            })
        })?;
        let mut command = graph::command(Source::Trigger(Arc::new(instruction)), stages)?;
        command.on_build = true;
        graph::need(stages, id, &command, span);
        commands.push(command);
    }
    let new_needs = commands.iter().any(|command| !command.sources.is_empty());
    let stage = &mut stages[id];
    stage.steps.total += commands.len();
    stage.commands.splice(0..0, commands);
    Ok(new_needs)
}
