//! The end of a translation: sets the used paths of contexts and the platform of the config, and
//! marshals the graph.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Translation;
use super::base::Bases;
use super::context;
use super::epoch;
use super::error::Error;
use super::graph;
use super::plan::Plan;
use super::reason::Reason;
use super::scope::Scope;
use super::stage::{Stage, StageId, Stages};
use crate::llb::{Definition, MarshalOptions, State, path};

/// Returns the result of the target stage.
pub(super) fn finish(plan: Plan<'_>) -> Result<Translation, Error> {
    let Plan {
        scope,
        mut stages,
        target,
        bases,
    } = plan;
    tell_contexts(&scope, &mut stages, target, &bases)?;
    check_flaws(&scope, &mut stages, &bases)?;
    epoch::check(&scope, &stages[target].image)?;
    set_labels_and_platform(&scope, &mut stages[target]);
    let definition = marshal(&scope, &stages[target].state)?;
    let (sbom_extras, ignore_cache) = scanned(&scope, &stages, target);
    let stage = std::mem::take(&mut stages[target]);
    Ok(Translation {
        definition,
        state: stage.state,
        image: Arc::unwrap_or_clone(stage.image.0),
        base_image: stage.base_image,
        platform: (*scope.platforms.target).clone(),
        epoch: scope.epoch.clone(),
        ignore_cache,
        sbom_extras,
    })
}

/// Fails if a needed stage can be checked but not built.
fn check_flaws(scope: &Scope<'_>, stages: &mut Stages<'_>, bases: &Bases) -> Result<(), Error> {
    for id in (0..stages.len()).filter(|id| bases.reachable[*id]) {
        if let Some(from) = scope
            .dockerfile
            .stages
            .get(id)
            .filter(|from| from.invalid_utf8)
        {
            stages[id].flawed(Reason::InvalidUtf8, from.span);
        }
        if let Some(flaw) = stages[id].flaw.take() {
            return Err(flaw);
        }
    }
    Ok(())
}

fn marshal(scope: &Scope<'_>, state: &State) -> Result<Definition, Error> {
    let session = &scope.options.session_id;
    let options = MarshalOptions {
        platform: scope.platforms.target.clone(),
        caps: scope.options.caps,
        // Without a session id the folder belongs to this build alone; the reference generates an
        // id.
        unique_id: match session.is_empty() {
            true => "context".to_owned(),
            false => session.clone(),
        },
    };
    state
        .marshal(&options)
        .map_err(|error| Reason::Graph(error).into())
}

/// Sets the used paths of the contexts; everything in the target counts as used.
fn tell_contexts(
    scope: &Scope<'_>,
    stages: &mut Stages<'_>,
    target: StageId,
    bases: &Bases,
) -> Result<(), Error> {
    let owner = stages[target].paths_of;
    stages[owner].used_paths.insert("/".to_owned());
    for (id, local) in &bases.pending {
        local.finish(
            scope,
            follow_paths(&stages[stages[*id].paths_of].used_paths),
        );
    }
    let used: BTreeSet<String> = stages
        .iter()
        .flat_map(|stage| &stage.context_paths)
        .cloned()
        .collect();
    scope
        .context
        .resolve(&context::main(scope, &follow_paths(&used))?);
    Ok(())
}

/// Returns relative, sorted paths; none at all if everything is used.
fn follow_paths(paths: &BTreeSet<String>) -> Vec<String> {
    if paths.contains("/") {
        return Vec::new();
    }
    let mut relative: Vec<String> = paths.iter().map(|used| path::join(".", used)).collect();
    relative.sort_unstable();
    relative
}

/// Sets the labels, and the requested platform, which overrides the base's.
fn set_labels_and_platform(scope: &Scope<'_>, stage: &mut Stage<'_>) {
    let image = stage.image_mut();
    image.config.labels.extend(scope.options.labels.clone());
    if !scope.platforms.implicit {
        let (wanted, platform) = (&scope.platforms.target, &mut image.platform);
        let same = wanted.os == platform.os && wanted.architecture == platform.architecture;
        platform.os.clone_from(&wanted.os);
        platform.architecture.clone_from(&wanted.architecture);
        if !wanted.variant.is_empty() || !same {
            platform.variant.clone_from(&wanted.variant);
        }
        if !wanted.os_version.is_empty() || !same {
            platform.os_version.clone_from(&wanted.os_version);
        }
        if !wanted.os_features.is_empty() {
            platform.os_features.clone_from(&wanted.os_features);
        }
    }
    image.platform = image.platform.normalized();
}

/// Returns the states of the stages to scan besides the target, and true if any of them ignores the
/// cache.
fn scanned(
    scope: &Scope<'_>,
    stages: &Stages<'_>,
    target: StageId,
) -> (Vec<(String, State)>, bool) {
    let mut extras = Vec::new();
    let mut ignore_cache = stages[target].ignore_cache;
    if stages[target].scan.context {
        extras.push(("context".to_owned(), scope.context.state()));
    }
    let reachable = graph::reachable(stages, target);
    for id in (0..reachable.len()).filter(|id| reachable[*id] && *id != target) {
        if stages[id].scan.stage {
            extras.push((stages[id].steps.stage.clone(), stages[id].state.clone()));
            ignore_cache |= stages[id].ignore_cache;
        }
    }
    (extras, ignore_cache)
}
