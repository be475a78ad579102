//! Solves a graph that is there already, or runs a frontend of the daemon: no Dockerfile is read.

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

/// What the daemon is to solve.
#[derive(Debug, Clone)]
pub enum Work {
    /// A graph, made with [`crate::llb`] or read with [`Definition::decode`].
    Graph(Definition),
    /// A frontend in the daemon with its options, `dockerfile.v0` for example.
    Frontend(Forward),
}

/// A graph or frontend to solve, and what it may read and write. [`GraphRequest::new`] asks for
/// nothing but the cache.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GraphRequest {
    /// What to solve.
    pub work: Work,
    /// Folders of this machine by the name under which the graph reads them (`local://NAME`).
    pub folders: BTreeMap<String, PathBuf>,
    /// OCI layouts of this machine by the name of their store (`oci-layout://`).
    pub layouts: BTreeMap<String, PathBuf>,
    /// Where the result goes; empty means that it stays in the daemon's cache.
    pub outputs: Vec<Output>,
    /// Caches to import from.
    pub cache_from: Vec<CacheEntry>,
    /// Caches to export to.
    pub cache_to: Vec<CacheEntry>,
    /// What the build may do besides the usual.
    pub entitlements: Vec<Entitlement>,
    /// Folders of this machine that it may use although it does not name them.
    pub machine: Folders,
    /// Secrets that steps may use.
    pub secrets: Secrets,
    /// SSH agents that steps may use.
    pub ssh_agents: SshAgents,
    /// Rules about the sources of the build.
    pub source_policy: Option<SourcePolicy>,
    /// Steps reach the network through the daemon's proxy only.
    pub proxy_network: bool,
    /// The build's id, by which the daemon's history knows it; `None` makes one
    /// ([`crate::session::new_id`]).
    pub build_ref: Option<String>,
    /// Identifies this client to the daemon, so that the next build of the same folders sends only
    /// what has changed.
    pub node_id: Option<String>,
}

/// The result of a [`GraphRequest`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Solved {
    /// The build's id, by which the daemon's history knows it.
    pub build_ref: String,
    /// What the exporters answered, for example `containerimage.digest`.
    pub exporter_response: BTreeMap<String, String>,
    /// What a frontend says about its result, for example `result.json` of a subrequest.
    pub metadata: BTreeMap<String, Vec<u8>>,
}

impl Solved {
    /// The exporters' answer as fields of a metadata file: base64-encoded JSON is decoded.
    pub fn metadata_fields(&self) -> serde_json::Map<String, serde_json::Value> {
        metadata_fields(&self.exporter_response)
    }
}

impl GraphRequest {
    /// Solves the work; the result stays in the daemon's cache.
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

    /// Outputs and caches are those of any build.
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
/// What is missing on this side; a step or export that fails; what the daemon cannot do.
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
