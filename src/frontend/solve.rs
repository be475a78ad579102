//! Solves one graph per platform, all at once or as many as the setting allows.

use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use tokio::sync::Semaphore;
use tracing::field::Empty;

use super::sbom::Scanner;
use super::{Error, PlatformFailure, Setting, Solving, Source};
use crate::gateway::{self, Attestation, Bridge, BuildResult, Ref, Refs, SolveOptions};
use crate::oci::Platform;
use crate::spans::in_span;
use crate::translate::Translation;

/// A platform's result.
pub(super) struct Solved {
    pub(super) translation: Translation,
    pub(super) reference: Ref,
    pub(super) attestations: Vec<Attestation>,
}

/// Solves every translation and scans the results. The first failure cancels the others, unless
/// they must be kept going.
pub(super) async fn all(
    bridge: &Bridge,
    source: &Source,
    setting: &Setting,
    several: bool,
    scanner: Option<&Scanner<'_>>,
    translations: Vec<Translation>,
) -> Result<(Vec<Solved>, Vec<PlatformFailure>), Error> {
    let parallel = setting.parallel.unwrap_or(translations.len()).max(1);
    let places = setting.places.clone();
    let places = &places.unwrap_or_else(|| Arc::new(Semaphore::new(parallel)));
    if let Some(graphs) = &setting.graphs {
        for made in &translations {
            graphs.add(&made.platform, &made.definition);
        }
    }
    let solves = translations.into_iter().map(|translation| async move {
        // The semaphore is never closed.
        let _place = places.acquire().await;
        let platform = Some(&translation.platform).filter(|_| several);
        let failed = |error| Error::solve(source, platform, error);
        let solved = async {
            let reference = one(bridge, &translation, setting).await;
            let reference =
                reference.map_err(|error| failed(error).built_for(&translation.platform))?;
            let scanned = match scanner {
                None => None,
                Some(scanner) => Some(scanner.scan(bridge, setting, &translation).await?),
            };
            let attestation = scanned.transpose().map_err(failed)?;
            Ok((reference, Vec::from_iter(attestation)))
        };
        let span = tracing::info_span!("solve", platform = %translation.platform, error = Empty);
        match in_span(span, solved).await {
            Ok((reference, attestations)) => Ok(Solved {
                translation,
                reference,
                attestations,
            }),
            Err(error) => Err((error, translation.platform)),
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
            // The connection is lost, so no platform can continue.
            Err((error @ Error::Gateway(_), _)) => return Err(error),
            Err((error, platform)) => failed.push(PlatformFailure { platform, error }),
        }
    }
    Ok((parts, failed))
}

async fn one(
    bridge: &Bridge,
    translation: &Translation,
    setting: &Setting,
) -> Result<Ref, gateway::Error> {
    let options = SolveOptions {
        evaluate: setting.evaluate,
        cache_imports: setting.cache_imports.clone(),
        ..SolveOptions::default()
    };
    let solving = Solving {
        bridge,
        target: setting.target.as_deref(),
        platform: Some(&translation.platform),
        definition: &translation.definition,
        image: Some(&translation.image),
        options: &options,
        solver: setting.solver.as_deref(),
    };
    match &setting.hook {
        Some(hook) => hook.solve(solving).await,
        None => solving.solve().await,
    }
}

/// Lets the hook solve the result of a frontend in the daemon.
pub(super) async fn forwarded(
    bridge: &Bridge,
    result: &BuildResult,
    setting: &Setting,
) -> Result<(), gateway::Error> {
    let Some(hook) = &setting.hook else {
        return Ok(());
    };
    let options = SolveOptions {
        evaluate: setting.evaluate,
        ..SolveOptions::default()
    };
    let parts: Vec<(Option<Platform>, &Ref)> = match &result.refs {
        Refs::One(one) => vec![(None, one)],
        Refs::Platforms(many) => {
            let parts = many.iter();
            parts
                .map(|(id, part)| (Platform::parse(id).ok(), part))
                .collect()
        }
    };
    let solves = parts.into_iter().map(|(platform, part)| {
        let options = &options;
        async move {
            let Some(definition) = part.definition()? else {
                return bridge.evaluate(part).await;
            };
            let solving = Solving {
                bridge,
                target: setting.target.as_deref(),
                platform: platform.as_ref(),
                definition: &definition,
                image: None,
                options,
                solver: None,
            };
            hook.solve(solving).await.map(drop)
        }
    });
    try_join_all(solves).await.map(drop)
}
