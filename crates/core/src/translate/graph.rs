//! The stages of a Dockerfile and their dependencies, before anything is resolved.

use std::sync::Arc;

use super::error::{Error, Suggestion};
use super::lint::Lint;
use super::named_context;
use super::names::Steps;
use super::reason::Reason;
use super::scope::Scope;
use super::stage::{Command, Source, Stage, StageId, Stages};
use crate::dockerfile::{self, Expansion, Instruction, InstructionKind, Span};
use crate::oci::Platform;

/// The name of the empty base.
pub(super) const SCRATCH: &str = "scratch";

/// Returns the stages of the file, with their bases looked up.
pub(super) fn stages<'a>(scope: &Scope<'a>, lint: &mut Lint<'_>) -> Result<Stages<'a>, Error> {
    let mut stages = Stages::with_capacity(scope.dockerfile.stages.len());
    for (position, written) in scope.dockerfile.stages.iter().enumerate() {
        let mut stage = stage(scope, lint, written)?;
        let name = written.name.as_deref();
        if let Some(name) = name {
            let platform = stage.platform.as_deref();
            stage.replaced_by = named_context::named(scope, name, platform)
                .map_err(|error| error.at_our(Some(written.span)))?;
        }
        if stage.replaced_by.is_some() {
            name.unwrap_or_default().clone_into(&mut stage.steps.stage);
            let id = stages.add(stage);
            stages[id].base = None;
            continue;
        }
        stage.steps.stage = name.map_or_else(|| format!("stage-{position}"), str::to_owned);
        stage.ignore_cache = scope.options.no_cache.covers(name);
        let id = stages.add(stage);
        let own_base = stages[id].base.is_none() && stages[id].base_name != SCRATCH;
        stages[id].steps.total =
            usize::from(own_base) + written.instructions.iter().filter(|i| is_step(i)).count();
    }
    Ok(stages)
}

/// True if the instruction counts as a step in names of vertices.
fn is_step(instruction: &Instruction) -> bool {
    use InstructionKind::{Add, Copy, Run, Workdir};
    matches!(instruction.kind, Add(_) | Copy(_) | Run(_) | Workdir(_))
}

/// Returns a stage with its FROM line expanded.
fn stage<'a>(
    scope: &Scope<'a>,
    lint: &mut Lint<'_>,
    written: &'a dockerfile::Stage,
) -> Result<Stage<'a>, Error> {
    let located = |error: Error| error.at(Some(written.span));
    let base = expand(scope, lint, written, &written.base)?;
    if base.text.is_empty() {
        return Err(located(
            Reason::BlankBase {
                expression: written.base.clone(),
            }
            .into(),
        ));
    }
    Ok(Stage {
        name: written.name.as_deref(),
        base_name: base.text.into_owned(),
        from_text: &written.original,
        span: Some(written.span),
        platform: platform(scope, lint, written)?.map(Arc::new),
        steps: Steps {
            with_platform: scope.options.multi_platform,
            ..Steps::default()
        },
        ..Stage::default()
    })
}

/// Expands a word of FROM, which sees only arguments before the first FROM.
fn expand<'w>(
    scope: &Scope<'_>,
    lint: &mut Lint<'_>,
    written: &dockerfile::Stage,
    word: &'w str,
) -> Result<Expansion<'w>, Error> {
    let expanded = scope.lexer.expand(word, &scope.global_args);
    let unmatched = match &expanded {
        Ok(expansion) => &expansion.unmatched,
        Err(error) => &error.unmatched,
    };
    lint.base_arguments(scope, written, unmatched);
    expanded.map_err(|error| Error::from(error).at(Some(written.span)))
}

/// `FROM --platform`, expanded and parsed, not normalised.
fn platform(
    scope: &Scope<'_>,
    lint: &mut Lint<'_>,
    written: &dockerfile::Stage,
) -> Result<Option<Platform>, Error> {
    let Some(expression) = &written.platform else {
        return Ok(None);
    };
    let located = |error: Error| error.at(Some(written.span));
    let expanded = expand(scope, lint, written, expression)?;
    lint.platform(scope, written, expression, &expanded);
    let suggestion = || {
        let nearest = |name: &String| Suggestion::nearest(name, scope.global_args.keys()).0;
        Suggestion(expanded.unmatched.iter().find_map(nearest))
    };
    if expanded.text.is_empty() {
        let reason = Reason::BlankPlatform {
            expression: expression.clone(),
            suggestion: suggestion(),
        };
        return Err(located(reason.into()));
    }
    match Platform::parse(&expanded.text) {
        Ok(platform) => Ok(Some(platform)),
        Err(source) => {
            let reason = Reason::Platform {
                expression: expression.clone(),
                suggestion: suggestion(),
                source,
            };
            // The reference names this position twice.
            Err(located(located(reason.into())))
        }
    }
}

/// Returns the stage to build.
pub(super) fn target(scope: &Scope<'_>, stages: &Stages<'_>) -> Result<StageId, Error> {
    let Some(target) = scope
        .options
        .target
        .as_deref()
        .filter(|target| !target.is_empty())
    else {
        return Ok(stages.len() - 1);
    };
    stages.by_name(target).ok_or_else(|| {
        let names = || stages.iter().filter_map(|stage| stage.name);
        let reason = Reason::UnknownTarget {
            target: target.to_owned(),
            suggestion: Suggestion::nearest(target, names()),
            stages: names().map(str::to_owned).collect(),
        };
        reason.into()
    })
}

/// Adds the instructions to every stage, and a stage for each image that `--from` names.
pub(super) fn link<'a>(scope: &Scope<'a>, stages: &mut Stages<'a>) -> Result<(), Error> {
    for (id, written) in scope.dockerfile.stages.iter().enumerate() {
        stages[id]
            .commands
            .reserve_exact(written.instructions.len());
        for instruction in &written.instructions {
            let command = command(Source::File(instruction), stages)?;
            need(stages, id, &command, instruction.span);
            stages[id].commands.push(command);
        }
    }
    check_circles(stages)?;
    if stages.len() == 1 {
        stages[0].steps.stage.clear();
    }
    Ok(())
}

/// Records the stages that `command` needs.
pub(super) fn need(stages: &mut Stages<'_>, id: StageId, command: &Command<'_>, span: Span) {
    for source in &command.sources {
        let needs = &mut stages[id].needs;
        match needs.iter_mut().find(|(known, _)| known == source) {
            Some((_, place)) => *place = span,
            None => needs.push((*source, span)),
        }
    }
}

/// Returns an instruction with the stages of its `--from`s, and adds a stage for each image among
/// them.
pub(super) fn command<'a>(
    instruction: Source<'a>,
    stages: &mut Stages<'a>,
) -> Result<Command<'a>, Error> {
    let sources = match &instruction.get().kind {
        InstructionKind::Copy(copy) => match &copy.from {
            Some(from) => vec![copy_source(from, instruction.get().span, stages)?],
            None => Vec::new(),
        },
        // A mount without from= uses scratch, even if it has no source at all.
        InstructionKind::Run(run) => run
            .mounts
            .iter()
            .map(|mount| {
                let from = mount.from.as_deref().unwrap_or(SCRATCH);
                let id = named_source(from, None, stages);
                stages[id].mounted_at.get_or_insert(instruction.get().span);
                id
            })
            .collect(),
        _ => Vec::new(),
    };
    Ok(Command {
        instruction,
        sources,
        on_build: false,
    })
}

fn copy_source(from: &str, span: Span, stages: &mut Stages<'_>) -> Result<StageId, Error> {
    let at = |reason: Reason| Error::from(reason).at_our(Some(span));
    let expanded = dockerfile::Lexer::new('\\')
        .expand(from, &())
        .map_err(|error| at(Reason::Expand(error)))?;
    if expanded.text != from {
        return Err(at(Reason::VariableInFrom {
            value: from.to_owned(),
        }));
    }
    match from.parse::<i64>() {
        Err(_) => Ok(named_source(from, Some(span), stages)),
        Ok(index) => match usize::try_from(index)
            .ok()
            .filter(|index| *index < stages.len())
        {
            Some(id) => Ok(id),
            None => Err(at(Reason::StageIndex {
                index,
                count: stages.len(),
            })),
        },
    }
}

fn named_source(from: &str, span: Option<Span>, stages: &mut Stages<'_>) -> StageId {
    stages.by_name(from).unwrap_or_else(|| {
        stages.add(Stage {
            base_name: from.to_owned(),
            span,
            implied: true,
            ..Stage::default()
        })
    })
}

/// Searches depth first through the stages that a stage copies from or mounts; a stage that is
/// already on the path is a cycle.
fn check_circles(stages: &Stages<'_>) -> Result<(), Error> {
    let mut seen = vec![false; stages.len()];
    // The path: a stage, the number of its needs that are done, the instruction that led there.
    let mut path: Vec<(StageId, usize, Option<Span>)> = Vec::new();
    for start in 0..stages.len() {
        if !std::mem::replace(&mut seen[start], true) {
            path.push((start, 0, None));
        }
        while let Some((id, next, _)) = path.last_mut() {
            let Some((need, span)) = stages[*id].needs.get(*next).copied() else {
                path.pop();
                continue;
            };
            *next += 1;
            if path.iter().any(|(id, ..)| *id == need) {
                let spans = path.iter().filter_map(|(.., span)| *span).chain([span]);
                let reason = Reason::Circular {
                    stage: stages[start].steps.stage.clone(),
                };
                return Err(Error {
                    spans: spans.collect(),
                    ..reason.into()
                });
            }
            if !std::mem::replace(&mut seen[need], true) {
                path.push((need, 0, Some(span)));
            }
        }
    }
    Ok(())
}

/// Returns for each stage, by id, if `target` needs it. A target needs itself.
pub(super) fn reachable(stages: &Stages<'_>, target: StageId) -> Vec<bool> {
    let mut reachable = vec![false; stages.len()];
    let mut open = vec![target];
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut reachable[id], true) {
            continue;
        }
        open.extend(stages[id].base);
        open.extend(stages[id].needs.iter().map(|(need, _)| *need));
    }
    reachable
}
