//! Solving: one graph a platform, all at the same time or as many as the request allows.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::pipeline::Build;
use super::{Error, explain};
use crate::client;
use crate::gateway::{self, Bridge, Ref, SolveOptions};
use crate::llb::Definition;
use crate::translate::Translation;

/// Solves every translation; the first failure cancels the others.
///
/// Graphs are evaluated here and not by the exporter, so that a failure belongs to a platform and nothing is exported yet.
pub(super) async fn all(
    bridge: &Bridge,
    build: &Build<'_>,
    translations: Vec<Translation>,
) -> Result<Vec<(Translation, Ref)>, Error> {
    let limit = build
        .request
        .max_parallel_platforms
        .unwrap_or(translations.len())
        .max(1);
    let places = Arc::new(Semaphore::new(limit));
    let mut tasks = JoinSet::new();
    for (index, translation) in translations.iter().enumerate() {
        let bridge = bridge.clone();
        let places = places.clone();
        let definition = translation.definition.clone();
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire().await;
            (index, one(&bridge, &definition).await)
        });
    }
    let mut refs: Vec<Option<Ref>> = vec![None; translations.len()];
    while let Some(joined) = tasks.join_next().await {
        let Ok((index, solved)) = joined else {
            return Err(Error::Interrupted);
        };
        match solved {
            Ok(reference) => refs[index] = Some(reference),
            Err(error) => {
                tasks.shutdown().await;
                if is_lost(&error) {
                    return Err(error.into());
                }
                return Err(explain::solve(
                    build,
                    build.targets.wanted[index].as_ref(),
                    error,
                ));
            }
        }
    }
    Ok(translations
        .into_iter()
        .zip(refs.into_iter().map(Option::unwrap_or_default))
        .collect())
}

async fn one(bridge: &Bridge, definition: &Definition) -> Result<Ref, gateway::Error> {
    if definition.is_empty() {
        return Ok(Ref::scratch());
    }
    let options = SolveOptions {
        evaluate: true,
        ..SolveOptions::default()
    };
    bridge.solve(definition, &options).await
}

/// The daemon went away: no platform is to blame.
fn is_lost(error: &gateway::Error) -> bool {
    matches!(
        error,
        gateway::Error::Client(client::Error::ConnectionLost { .. })
    )
}
