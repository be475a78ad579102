//! Solving: one graph a platform, all at the same time or as many as the setting allows.

use futures_util::future::try_join_all;
use tokio::sync::Semaphore;

use super::{Error, Setting, Source};
use crate::gateway::{self, Bridge, Ref, SolveOptions};
use crate::llb::Definition;
use crate::translate::Translation;

/// Solves every translation; the first failure cancels the others.
pub(super) async fn all(
    bridge: &Bridge,
    source: &Source,
    setting: &Setting,
    several: bool,
    translations: Vec<Translation>,
) -> Result<Vec<(Translation, Ref)>, Error> {
    let places = Semaphore::new(setting.parallel.unwrap_or(translations.len()).max(1));
    let places = &places;
    let solves = translations.into_iter().map(|translation| async move {
        // The semaphore is never closed.
        let _place = places.acquire().await;
        let solved = one(bridge, &translation.definition, setting).await;
        let platform = Some(&translation.platform).filter(|_| several);
        let solved = solved.map_err(|error| Error::solve(source, platform, error))?;
        Ok((translation, solved))
    });
    try_join_all(solves).await
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
