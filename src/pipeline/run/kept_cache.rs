//! Exports the caches of a failed build (`on-failure=true`) with the steps that succeeded, so that
//! the next build resumes there.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;
use std::time::SystemTime;

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attended::{GRACE, solve_and_drive};
use super::build::write_indexes;
use super::environment::Environment;
use crate::client::{CacheEntry, Client, SolveRequest};
use crate::frontend::Graphs;
use crate::gateway::{Bridge, BuildResult, Ref, Refs, SolveOptions};
use crate::llb::{self, Definition};
use crate::oci::Platform;
use crate::pipeline::Error;
use crate::pipeline::export::layouts::Layouts;
use crate::progress::{StatusUpdate, StepEnd, StepEnds, Vertex, Writer};
use crate::{causes, session};

/// The caches to export if a build fails.
#[derive(Debug, Default)]
pub(super) struct KeptCache {
    /// The caches to export to.
    exports: Vec<CacheEntry>,
    /// The graphs of the build.
    graphs: Graphs,
    /// The steps that ended, and how.
    pub(super) ends: StepEnds,
    /// The exporters' answer, if a cache was exported.
    answer: OnceLock<BTreeMap<String, String>>,
}

/// Why the caches of a failed build are not exported.
#[derive(Debug, thiserror::Error)]
enum NotKept {
    #[error("no step of it succeeded")]
    NothingDone,
    #[error("a step that had succeeded would run again, because its files have changed since")]
    RunsAgain,
    #[error(transparent)]
    Graph(#[from] llb::Error),
    #[error(transparent)]
    Build(#[from] Error),
}

impl KeptCache {
    /// The caches to export if the build with these graphs fails; `None` if there are none.
    pub(super) fn of(exports: &[CacheEntry], graphs: Graphs) -> Option<Self> {
        let exports = exports.to_vec();
        (!exports.is_empty()).then(|| Self {
            exports,
            graphs,
            ..Self::default()
        })
    }

    /// Adds the exported caches to the indexes of local caches.
    pub(super) async fn write_indexes(&self, layouts: &Layouts, environment: &Environment) {
        let Some(answer) = self.answer.get() else {
            return;
        };
        let written = write_indexes(layouts.of_failed_build(), answer.clone()).await;
        if let Err(error) = written {
            not_kept(&error, environment);
        }
    }

    /// Exports the caches after `error`, with the session of the build, which still serves its
    /// files. If the export fails too, that is shown, and the build keeps its own error.
    pub(super) async fn export(
        &self,
        error: &Error,
        client: &Client,
        environment: &Environment,
        failed: SolveRequest,
    ) {
        // After a lost connection the build is run again. Without a graph it failed before its
        // first step.
        if error.is_of_lost_daemon() || self.graphs.is_empty() {
            return;
        }
        let why = match error {
            Error::Interrupted => "was cancelled",
            _ => "failed",
        };
        environment.note(format!(
            "the build {why}: exporting the cache of the steps that succeeded"
        ));
        match self.solve(client, environment, failed).await {
            // Only one export is made.
            Ok(answer) => drop(self.answer.set(answer)),
            Err(error) => not_kept(&error, environment),
        }
    }

    /// The parts of the graphs that have a result. Platforms often share steps.
    fn finished(&self) -> Result<Vec<(Platform, Definition)>, NotKept> {
        let (mut parts, mut terminals) = (Vec::new(), HashSet::new());
        for (platform, graph) in self.graphs.sent() {
            let end = |digest: &str| self.ends.of(digest);
            let finished = graph.finished(|digest| end(digest).is_some_and(StepEnd::has_result))?;
            let new = |part: &Definition| terminals.insert(part.ops().last().cloned());
            let finished = finished.into_iter().filter(new);
            parts.extend(finished.map(|part| (platform.clone(), part)));
        }
        match parts.is_empty() {
            true => Err(NotKept::NothingDone),
            false => Ok(parts),
        }
    }

    async fn solve(
        &self,
        client: &Client,
        environment: &Environment,
        failed: SolveRequest,
    ) -> Result<BTreeMap<String, String>, NotKept> {
        let graphs = self.finished()?;
        let request = SolveRequest {
            build_ref: session::new_id().map_err(Error::from)?,
            cache_exports: self.exports.clone(),
            exporters: Vec::new(),
            // The daemon's history has the failed build already.
            internal: true,
            ..failed
        };
        let steps = graphs.iter().flat_map(|(_, graph)| graph.vertices());
        let exported = Exported {
            steps: steps.map(|it| it.digest_str().to_owned()).collect(),
            before: self.ends.latest(),
        };
        let runs_again = CancellationToken::new();
        let shown = exported.show(
            client.clone(),
            request.build_ref.clone(),
            environment.progress.clone(),
            runs_again.clone(),
        );
        let solving = SolveOptions {
            cache_imports: request.cache_imports.clone(),
            ..SolveOptions::default()
        };
        let solved = solve_and_drive(client, request, async |bridge: &Bridge| {
            let mut refs: BTreeMap<String, Ref> = BTreeMap::new();
            let mut platforms = Vec::new();
            for (number, (platform, graph)) in graphs.iter().enumerate() {
                let id = number.to_string();
                platforms.push(json!({ "ID": id, "Platform": platform }));
                refs.insert(id, bridge.solve(graph, &solving).await?);
            }
            // Newer daemons accept several results only if each has a platform.
            let platforms = json!({ "Platforms": platforms }).to_string().into_bytes();
            let result = BuildResult {
                refs: Refs::Platforms(refs),
                metadata: BTreeMap::from([("refs.platforms".to_owned(), platforms)]),
                ..BuildResult::default()
            };
            bridge.return_result(&result).await?;
            Ok(())
        });
        let mut showing = JoinSet::new();
        showing.spawn(shown);
        let solved = tokio::select! {
            () = runs_again.cancelled() => Err(NotKept::RunsAgain),
            solved = solved => solved.map(|((), answer)| answer).map_err(NotKept::from),
        };
        // The stream ends when the daemon has closed the export.
        let _ = tokio::time::timeout(GRACE, showing.join_next()).await;
        solved
    }
}

/// Shows why no cache is exported. The build's own error stays.
fn not_kept(error: &(dyn std::error::Error + 'static), environment: &Environment) {
    let reason = causes::in_one_line(error);
    environment.note(format!(
        "no cache of the failed build is exported: {reason}"
    ));
}

/// Distinguishes the export's own steps from those of the build.
struct Exported {
    /// The digests of the build's steps, which were shown before.
    steps: HashSet<String>,
    /// When the last of them started or ended. The daemon may report them again.
    before: Option<SystemTime>,
}

impl Exported {
    /// Shows the export's own steps. A step of the build must not run again: `runs_again` is
    /// cancelled if one does.
    async fn show(
        self,
        client: Client,
        build_ref: String,
        progress: Option<Writer>,
        runs_again: CancellationToken,
    ) {
        let Ok(mut updates) = client.status(&build_ref).await else {
            return;
        };
        let source = progress.map(|progress| progress.source());
        while let Some(Ok(mut update)) = updates.next().await {
            if update.vertexes.iter().any(|vertex| self.runs(vertex)) {
                runs_again.cancel();
            }
            self.hide(&mut update);
            if let Some(source) = source.as_ref().filter(|_| !update.is_empty()) {
                source.send(update).await;
            }
        }
    }

    /// Sources do not count: the daemon always checks their state.
    fn runs(&self, vertex: &Vertex) -> bool {
        let is_step = self.steps.contains(&vertex.digest) && !vertex.inputs.is_empty();
        is_step && !vertex.cached && vertex.started > self.before
    }

    fn hide(&self, update: &mut StatusUpdate) {
        let is_new = |digest: &str| !self.steps.contains(digest);
        update.vertexes.retain(|vertex| is_new(&vertex.digest));
        update.statuses.retain(|status| is_new(&status.vertex));
        update.logs.retain(|log| is_new(&log.vertex));
        update.warnings.clear();
    }
}
