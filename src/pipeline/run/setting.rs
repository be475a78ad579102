//! Makes a frontend's [`Setting`] from a request. It is filled nowhere else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::attempt::Attempt;
use super::fetch::Loaded;
use crate::client::Worker;
use crate::frontend::{Link, Setting};
use crate::oci::Platform;
use crate::pipeline::request::options;
use crate::pipeline::{BuildRequest, Inputs, OnFailure};

/// The setting for questions that need no daemon.
pub(super) fn offline(request: &BuildRequest, inputs: &Inputs) -> Setting {
    Setting {
        build_platforms: vec![Platform::host()],
        excludes: inputs.excludes.clone(),
        parallel: request.max_parallel_platforms,
        lock: request.lock.clone(),
        entitlements: Some(options::entitlements(request)),
        with_request: true,
        require_native: request.require_native,
        try_platforms: true,
        context_folder: known_folder(request, inputs),
        keep_going: request.on_failure != OnFailure::Cancel,
        // Find failures before the export, and for each platform.
        evaluate: true,
        ..Setting::default()
    }
}

/// The setting for an attempt on a daemon.
pub(super) fn on_daemon(
    attempt: &Attempt<'_>,
    workers: &[Worker],
    session_id: String,
    loaded: Loaded,
    links: Vec<Link>,
) -> Setting {
    let member = attempt.member.as_ref();
    let found = member.map(|member| member.images(attempt.client));
    Setting {
        session_id,
        build_platforms: build_platforms(workers),
        cache_imports: attempt.cache_imports.clone(),
        context: loaded.context,
        inputs: loaded.inputs,
        warn_at: loaded.warn_at,
        found: found.unwrap_or_default(),
        target: attempt.environment.target.clone(),
        hook: attempt.environment.hook.clone(),
        places: member.and_then(|member| member.places()),
        links,
        graphs: Some(attempt.graphs.clone()),
        lost_files: attempt.environment.lost_files.steps().clone(),
        no_triggers: Arc::clone(&attempt.no_triggers),
        ..offline(attempt.request, &attempt.inputs)
    }
}

/// The folder of the main context; `None` if a source policy may replace it.
fn known_folder(request: &BuildRequest, inputs: &Inputs) -> Option<PathBuf> {
    let folder = inputs.folder().filter(|_| request.source_policy.is_none());
    folder.map(Path::to_owned)
}

/// The platforms of the first worker, its native one first.
pub(super) fn build_platforms(workers: &[Worker]) -> Vec<Platform> {
    let platforms = workers.first().map(|worker| &worker.platforms);
    platforms
        .into_iter()
        .flatten()
        .map(Platform::normalized)
        .collect()
}
