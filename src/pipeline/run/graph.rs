//! Solves a ready-made graph, or runs a frontend of the daemon, without a Dockerfile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::attended::Attended;
use super::build::{not_received, open_layouts, write_indexes};
use super::environment::Environment;
use super::kept_cache::KeptCache;
use super::outcome::metadata_fields;
use crate::client::{CacheEntry, Client, SolveRequest, SourcePolicy};
use crate::frontend::Graphs;
use crate::gateway::{Bridge, BuildResult, Forward, SolveOptions};
use crate::llb::Definition;
use crate::oci::Platform;
use crate::pipeline::export;
use crate::pipeline::request::options;
use crate::pipeline::{BuildRequest, Entitlement, Error, Folders, Output};
use crate::session::{self, ContentStores, Directories, Exports, Secrets, Session, SshAgents};

/// The work of a [`GraphRequest`].
#[derive(Debug, Clone)]
pub enum Work {
    /// A graph, made with [`crate::llb`] or read with [`Definition::decode`].
    Graph(Definition),
    /// A frontend in the daemon with its options, `dockerfile.v0` for example.
    Frontend(Forward),
}

/// A graph or frontend to solve, with its inputs and outputs. [`GraphRequest::new`] has only the
/// daemon's cache as output.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GraphRequest {
    /// The graph or frontend.
    pub work: Work,
    /// Local folders, by their names in the graph (`local://NAME`).
    pub folders: BTreeMap<String, PathBuf>,
    /// Local OCI layouts, by the names of their stores (`oci-layout://`).
    pub layouts: BTreeMap<String, PathBuf>,
    /// The outputs; if empty, the result stays in the daemon's cache.
    pub outputs: Vec<Output>,
    /// Caches to import from.
    pub cache_from: Vec<CacheEntry>,
    /// Caches to export to.
    pub cache_to: Vec<CacheEntry>,
    /// The entitlements of the build.
    pub entitlements: Vec<Entitlement>,
    /// Local folders that the build may use without naming them.
    pub machine: Folders,
    /// Secrets that steps may use.
    pub secrets: Secrets,
    /// SSH agents that steps may use.
    pub ssh_agents: SshAgents,
    /// Source policy: rules that the daemon applies to the sources of the build.
    pub source_policy: Option<SourcePolicy>,
    /// Steps may use the network only through the daemon's proxy.
    pub proxy_network: bool,
    /// The build's id in the daemon's history; `None` generates one ([`crate::session::new_id`]).
    pub build_ref: Option<String>,
    /// Identifies this client to the daemon, so that the next build of the same folders sends only
    /// the changes.
    pub node_id: Option<String>,
}

/// The result of a [`GraphRequest`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Solved {
    /// The build's id in the daemon's history.
    pub build_ref: String,
    /// The exporters' answer, for example `containerimage.digest`.
    pub exporter_response: BTreeMap<String, String>,
    /// The frontend's metadata of the result, for example `result.json` of a subrequest.
    pub metadata: BTreeMap<String, Vec<u8>>,
}

impl Solved {
    /// The exporters' answer as fields of a metadata file: base64-encoded JSON is decoded.
    pub fn metadata_fields(&self) -> serde_json::Map<String, serde_json::Value> {
        metadata_fields(&self.exporter_response)
    }
}

impl GraphRequest {
    /// A request for this work whose result stays in the daemon's cache.
    pub fn new(work: Work) -> Self {
        Self {
            work,
            folders: BTreeMap::new(),
            layouts: BTreeMap::new(),
            outputs: Vec::new(),
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            entitlements: Vec::new(),
            machine: Folders::default(),
            secrets: Secrets::new(),
            ssh_agents: SshAgents::new(),
            source_policy: None,
            proxy_network: false,
            build_ref: None,
            node_id: None,
        }
    }

    /// The outputs and caches as a build request, to reuse its checks.
    fn exports(&self) -> BuildRequest {
        let mut exports = BuildRequest::new(".");
        exports.outputs.clone_from(&self.outputs);
        exports.cache_from.clone_from(&self.cache_from);
        exports.cache_to.clone_from(&self.cache_to);
        exports.entitlements.clone_from(&self.entitlements);
        exports.folders.clone_from(&self.machine);
        exports
    }

    fn session(
        &self,
        environment: &Environment,
        stores: ContentStores,
        exports: Exports,
    ) -> Result<Session, Error> {
        let mut folders = Directories::new();
        for (name, folder) in &self.folders {
            folders = folders.with(name, folder)?;
        }
        let mut session = environment
            .attach(Session::builder())
            .auth(environment.auth())
            .directories(folders.counted_by(environment.sent.clone()))
            .secrets(self.secrets.clone());
        if !self.ssh_agents.is_empty() {
            session = session.ssh_agents(self.ssh_agents.clone());
        }
        let stores = self.layouts.iter().fold(stores, |stores, (name, folder)| {
            stores.with(format!("oci:{name}"), folder)
        });
        if !stores.is_empty() {
            session = session.content(stores);
        }
        if let (Some(node_id), Some(folder)) = (&self.node_id, self.folders.values().next()) {
            session = session.shared_key(session::shared_key(folder, node_id));
        }
        Ok(session.exports(exports).build()?)
    }
}

/// Solves a graph or runs a frontend: opens the session, watches the progress, exports the result.
///
/// ```no_run
/// use solvekit::client::{Address, Client, ConnectOptions};
/// use solvekit::llb::{self, Constraints, Exec, MarshalOptions, ResolveMode};
/// use solvekit::pipeline::{self, Environment, GraphRequest, Work};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let address = Address::parse("unix:///run/buildkit/buildkitd.sock")?;
/// let client = Client::connect(&ConnectOptions::new(address)).await?;
/// let alpine = "docker.io/library/alpine:3";
/// let base = llb::image(alpine, ResolveMode::Default, Constraints::new());
/// let graph = base.run(Exec::new(["date"])).root().marshal(&MarshalOptions::default())?;
/// let request = GraphRequest::new(Work::Graph(graph));
/// let solved = pipeline::solve(&client, request, Environment::default()).await?;
/// println!("{}", solved.build_ref);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// An input that is missing on this machine, a failed step or export, or a feature that the daemon
/// lacks.
pub async fn solve(
    client: &Client,
    request: GraphRequest,
    environment: Environment,
) -> Result<Solved, Error> {
    let exports = request.exports();
    export::check(&exports)?;
    let daemon = client.address().daemon();
    let load = environment.load.as_ref();
    let load = load.filter(|_| !daemon.keeps_images());
    let outputs = export::outputs(&exports, daemon, load)?;
    let receivers = export::receivers(&outputs, environment.standard_output.as_ref(), load)?;
    let layouts = open_layouts(&exports, &outputs).await?;
    layouts.notes.iter().for_each(|note| environment.note(note));
    let received = receivers.clone().noted_in(environment.broken.clone());
    let session = request.session(&environment, layouts.stores.clone(), received)?;
    let solve = SolveRequest {
        build_ref: request.build_ref.clone().unwrap_or_default(),
        cache_exports: layouts.cache_to.clone(),
        cache_imports: layouts.cache_from.clone(),
        exporters: export::exporters(&exports, &outputs, daemon),
        entitlements: options::entitlements(&exports),
        source_policy: request.source_policy.clone(),
        proxy_network: request.proxy_network,
        ..SolveRequest::default()
    };
    let attended = Attended::new(client, &environment, session, solve)?;
    let graphs = Graphs::default();
    let kept = KeptCache::of(&layouts.of_failure, graphs.clone());
    let attended = match &kept {
        Some(kept) => attended.keeping(kept),
        None => attended,
    };
    let build_ref = attended.build_ref().to_owned();
    let solving = SolveOptions {
        cache_imports: layouts.cache_from.clone(),
        ..SolveOptions::default()
    };
    let driven = attended.run(async |bridge: &Bridge| {
        let result = match &request.work {
            Work::Graph(graph) => {
                graphs.add(&Platform::host(), graph);
                BuildResult::one(bridge.solve(graph, &solving).await?)
            }
            Work::Frontend(forward) => bridge.forward(forward, &solving).await?,
        };
        bridge.return_result(&result).await?;
        Ok(result.metadata)
    });
    let driven = driven.await;
    if let Some(kept) = &kept {
        kept.write_indexes(&layouts, &environment).await;
    }
    let (metadata, response) =
        driven.map_err(|error| not_received(error, &receivers, &layouts.stores))?;
    Ok(Solved {
        build_ref,
        exporter_response: write_indexes(layouts, response).await?,
        metadata,
    })
}
