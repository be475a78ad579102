//! Solving: one graph a platform, all at the same time or as many as the setting allows.

use futures_util::future::{join_all, try_join_all};
use tokio::sync::Semaphore;

use super::{Error, PlatformFailure, Setting, Source};
use crate::gateway::{self, Bridge, Ref, SolveOptions};
use crate::llb::Definition;
use crate::translate::Translation;

/// Solves every translation; the first failure cancels the others, unless they are to be kept going.
pub(super) async fn all(
    bridge: &Bridge,
    source: &Source,
    setting: &Setting,
    several: bool,
    translations: Vec<Translation>,
) -> Result<(Vec<(Translation, Ref)>, Vec<PlatformFailure>), Error> {
    let places = Semaphore::new(setting.parallel.unwrap_or(translations.len()).max(1));
    let places = &places;
    let solves = translations.into_iter().map(|translation| async move {
        // The semaphore is never closed.
        let _place = places.acquire().await;
        let solved = one(bridge, &translation.definition, setting).await;
        let platform = Some(&translation.platform).filter(|_| several);
        match solved {
            Ok(solved) => Ok((translation, solved)),
            Err(error) => Err((Error::solve(source, platform, error), translation.platform)),
        }
    });
    if !setting.keep_going {
        let solved = try_join_all(solves).await;
        return match solved {
            Ok(parts) => Ok((parts, Vec::new())),
            Err((error, _)) => Err(error),
        };
    }
    let (mut parts, mut failed) = (Vec::new(), Vec::new());
    for solved in join_all(solves).await {
        match solved {
            Ok(part) => parts.push(part),
            // Nobody is left to go on.
            Err((error @ Error::Gateway(_), _)) => return Err(error),
            Err((error, platform)) => failed.push(PlatformFailure { platform, error }),
        }
    }
    Ok((parts, failed))
}

async fn one(
    bridge: &Bridge,
    definition: &Definition,
    setting: &Setting,
) -> Result<Ref, gateway::Error> {
    if definition.is_empty() {
        return Ok(Ref::scratch());
    }
    let options = SolveOptions {
        evaluate: setting.evaluate,
        cache_imports: setting.cache_imports.clone(),
        ..SolveOptions::default()
    };
    bridge.solve(definition, &options).await
}
