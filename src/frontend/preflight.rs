//! Finds platforms whose programs the daemon cannot run, before anything is solved. Platforms that
//! it does not list are tried.
//!
//! The list is not reliable: older daemons omit platforms that they emulate, and daemons look for
//! emulators only now and then. Platforms without processes need no emulator and are not checked.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use prost::Message as _;

use super::{Error, Job, PlatformFailure, Refusal, Setting, Source};
use crate::emulation::{Ability, Builder, Reason, Trial, Verdict};
use crate::gateway::{Bridge, SolveOptions};
use crate::llb::{DefinedVertex, Definition};
use crate::oci::Platform;
use crate::proto::pb;
use crate::translate::Translation;

/// Platforms that cannot run, with the reason.
type Impossible = BTreeMap<Platform, Reason>;

impl Job {
    /// Removes the platforms whose processes the daemon cannot run, if the others must be kept
    /// going.
    pub(super) async fn take_impossible(
        &self,
        bridge: &Bridge,
        setting: &Setting,
        several: bool,
        translations: &mut Vec<Translation>,
    ) -> Result<Vec<PlatformFailure>, Error> {
        let mut failed = Vec::new();
        // With imported caches perhaps nothing has to run.
        if !setting.try_platforms || !setting.cache_imports.is_empty() {
            return Ok(failed);
        }
        let definitions = translations.iter().map(|made| &made.definition);
        let listed = &setting.build_platforms;
        let impossible = self::impossible(bridge, listed, definitions).await;
        let all = std::mem::take(translations).into_iter();
        for made in all {
            let refused = refused(&self.source, &made.definition, &impossible);
            match refused.map(|error| error.built_for(&made.platform)) {
                None => translations.push(made),
                Some(error) if !(setting.keep_going && several) => return Err(error),
                Some(error) => failed.push(PlatformFailure {
                    platform: made.platform,
                    error,
                }),
            }
        }
        Ok(failed)
    }
}

/// Returns the platforms whose processes in these graphs the daemon cannot run. `listed` are those
/// that it claims to run, its own first.
async fn impossible<'a>(
    bridge: &Bridge,
    listed: &[Platform],
    definitions: impl Iterator<Item = &'a Definition>,
) -> Impossible {
    let builder = Builder {
        listed: listed.to_vec(),
        machine: None,
    };
    let wanted: BTreeSet<Platform> = definitions
        .flat_map(Definition::vertices)
        .filter_map(platform_of_process)
        .filter(|platform| !listed.is_empty() && !builder.lists(platform))
        .collect();
    let tried = join_all(wanted.into_iter().map(|platform| async {
        let reason = reason(bridge, &builder, &platform).await;
        reason.map(|reason| (platform, reason))
    }));
    tried.await.into_iter().flatten().collect()
}

/// Returns why programs of a platform do not run; `None` if they do, or if that is unknown.
async fn reason(bridge: &Bridge, builder: &Builder, platform: &Platform) -> Option<Reason> {
    let Some(trial) = Trial::of(platform, false) else {
        return match builder.ability(platform) {
            Ability::Impossible(reason) => Some(reason),
            _ => None,
        };
    };
    let options = SolveOptions {
        evaluate: true,
        ..SolveOptions::default()
    };
    let error = bridge.solve(&trial.definition, &options).await.err()?;
    match Verdict::of_failure(error.failure()?)? {
        Verdict::DoesNotRun(message) => Some(Reason::Tried { message }),
        Verdict::Runs => None,
    }
}

/// Returns the error for the first process of a graph that cannot run.
fn refused(source: &Source, definition: &Definition, impossible: &Impossible) -> Option<Error> {
    definition.vertices().iter().find_map(|vertex| {
        let platform = platform_of_process(vertex)?;
        let reason = impossible.get(&platform)?.clone();
        let refusal = Refusal::CannotRun {
            platform: Box::new(platform),
            reason,
        };
        Some(Error::refused(source, refusal, vertex.locations()))
    })
}

/// Returns the platform of a step that runs a process.
fn platform_of_process(vertex: &DefinedVertex) -> Option<Platform> {
    // This program's own ops always decode; others are checked by the daemon.
    let op = pb::Op::decode(vertex.op().clone()).ok()?;
    match op.op? {
        pb::op::Op::Exec(_) => super::refusal::platform_of(op.platform.as_ref()?),
        _ => None,
    }
}
