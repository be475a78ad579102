//! What is asked of a build: a plain value, made by the command line or by a program that embeds
//! the library.

pub(super) mod annotation;
pub(super) mod attestation;
pub(super) mod cache;
pub(super) mod cloud_cache;
pub(super) mod entitlement;
pub(super) mod files;
pub(super) mod folders;
pub(super) mod from;
pub(super) mod options;
pub(super) mod output;
pub(super) mod resources;
pub(super) mod stream;
pub(super) mod translation;
pub(super) mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::client::{CacheEntry, DaemonKind, SourcePolicy};
use crate::frontend::{Choice, ImageLock};
use crate::oci::{Platform, Reference};
use crate::pipeline::{
    Attestations, DockerfileFrom, Entitlement, Folders, HostAddress, MainContext,
    MetadataProvenance, NamedContext, Output, Resources,
};
use crate::policy::Policies;
use crate::session::{Secrets, SshAgents};
use solvekit_core::units::Ulimit;

/// A build of one Dockerfile for any number of platforms.
///
/// `BuildRequest::new(context)` is a build of `context/Dockerfile` for the daemon's own platform
/// whose result stays in the cache.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuildRequest {
    /// What `COPY` and `ADD` read.
    pub context: MainContext,
    /// The Dockerfile; `None` is `Dockerfile` in the context.
    pub dockerfile: Option<DockerfileFrom>,
    /// The file of what the context excludes; `None` is `NAME.dockerignore` beside the Dockerfile,
    /// or `.dockerignore` in the context.
    pub ignore_file: Option<PathBuf>,
    /// Contexts with a name, which `FROM`, `COPY --from` and `RUN --mount=from=` take before images
    /// and stages of that name. [`context_name`](crate::pipeline::context_name) makes a name as it
    /// is looked up.
    pub contexts: BTreeMap<String, NamedContext>,
    /// Who translates the Dockerfile.
    pub frontend: Choice,
    /// The target platforms; empty means the daemon's own.
    pub platforms: Vec<Platform>,
    /// Whether a Docker engine keeps the image even if it has no name and no output is asked for;
    /// one with a name it keeps.
    pub keep_unnamed: bool,
    /// The names of the image, for the outputs that have none of their own.
    pub tags: Vec<Reference>,
    /// Where the result goes; empty means that it stays in the daemon's cache.
    pub outputs: Vec<Output>,
    /// The stage to build; `None` is the last.
    pub target: Option<String>,
    /// Values of `ARG`s.
    pub build_args: BTreeMap<String, String>,
    /// Labels of the image, over those of the Dockerfile.
    pub labels: BTreeMap<String, String>,
    /// What has to run although it is cached.
    pub no_cache: NoCache,
    /// Whether base images are looked up in the registry even when the daemon has them.
    pub pull: bool,
    /// The network of `RUN`.
    pub network: Network,
    /// Lines of `/etc/hosts` for `RUN`: name and address.
    pub extra_hosts: Vec<(String, HostAddress)>,
    /// Size of `/dev/shm` for `RUN`, bytes.
    pub shm_size: Option<u64>,
    /// Resource limits of processes in `RUN`.
    pub ulimits: Vec<Ulimit>,
    /// Base images to use as they are locked.
    pub lock: Option<ImageLock>,
    /// Secrets that `RUN --mount=type=secret` may use.
    pub secrets: Secrets,
    /// SSH agents that `RUN --mount=type=ssh` may use.
    pub ssh_agents: SshAgents,
    /// Caches to import from.
    pub cache_from: Vec<CacheEntry>,
    /// Caches to export to.
    pub cache_to: Vec<CacheEntry>,
    /// What the build may do besides the usual.
    pub entitlements: Vec<Entitlement>,
    /// Annotations, as attributes of the image exporter
    /// ([`parse_annotations`](crate::pipeline::parse_annotations)).
    pub annotations: BTreeMap<String, String>,
    /// Statements about the image that are exported along with it.
    pub attestations: Attestations,
    /// How much of the provenance the outcome's metadata has; it is there without an attestation
    /// too.
    pub metadata_provenance: MetadataProvenance,
    /// The control group above those of `RUN`.
    pub cgroup_parent: Option<String>,
    /// Where the context comes from, for the provenance and the history: `vcs:source`,
    /// `vcs:revision` and the like.
    pub source_info: BTreeMap<String, String>,
    /// Limits of the control groups of `RUN`.
    pub resources: Resources,
    /// Rules about the sources of the build.
    pub source_policy: Option<SourcePolicy>,
    /// The policies about its sources.
    pub policy: Policies,
    /// Nothing may run on a platform that the daemon's machine emulates.
    pub require_native: bool,
    /// What happens to the other platforms when one fails.
    pub on_failure: OnFailure,
    /// How many platforms are solved at the same time; `None` is all of them.
    pub max_parallel_platforms: Option<usize>,
    /// Folders that it may use although it does not name them.
    pub folders: Folders,
    /// Identifies this client to the daemon, so that the next build of the same folder sends only
    /// what has changed.
    pub node_id: Option<String>,
}

impl BuildRequest {
    /// A build of a context, often the path of a folder, with nothing else asked.
    pub fn new(context: impl Into<MainContext>) -> Self {
        Self {
            context: context.into(),
            dockerfile: None,
            ignore_file: None,
            contexts: BTreeMap::new(),
            frontend: Choice::Auto,
            platforms: Vec::new(),
            keep_unnamed: false,
            tags: Vec::new(),
            outputs: Vec::new(),
            target: None,
            build_args: BTreeMap::new(),
            labels: BTreeMap::new(),
            no_cache: NoCache::None,
            pull: false,
            network: Network::Default,
            extra_hosts: Vec::new(),
            shm_size: None,
            ulimits: Vec::new(),
            lock: None,
            secrets: Secrets::new(),
            ssh_agents: SshAgents::new(),
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            entitlements: Vec::new(),
            annotations: BTreeMap::new(),
            attestations: Attestations::default(),
            metadata_provenance: MetadataProvenance::Disabled,
            cgroup_parent: None,
            source_info: BTreeMap::new(),
            resources: Resources::default(),
            source_policy: None,
            policy: Policies::default(),
            require_native: false,
            on_failure: OnFailure::Cancel,
            max_parallel_platforms: None,
            folders: Folders::default(),
            node_id: None,
        }
    }
}

impl BuildRequest {
    /// The request as attributes of BuildKit's Dockerfile frontend (`platform`, `build-arg:NAME`
    /// …). Those of the contexts are in [`Inputs`](crate::pipeline::Inputs).
    pub fn attributes(&self) -> BTreeMap<String, String> {
        crate::pipeline::request::options::without_inputs(self, DaemonKind::Buildkitd)
    }

    /// Whether an index is annotated: one is made then, even of one platform.
    pub(super) fn annotates_index(&self) -> bool {
        let outputs = self.outputs.iter().map(|output| &output.attributes);
        let mut keys = outputs
            .chain([&self.annotations])
            .flat_map(|all| all.keys());
        keys.any(|key| key.starts_with("annotation-index"))
    }

    /// The names of an output's image, with tags: its own, else those of the request. There are
    /// none if the daemon names it (`name=*`).
    pub(crate) fn names(&self, output: &Output) -> Vec<Reference> {
        let own = output.attributes.get("name").map(|names| names.split(','));
        let names: Vec<Reference> = match own {
            Some(names) => names
                .filter_map(|name| Reference::parse(name).ok())
                .collect(),
            None => self.tags.clone(),
        };
        names.into_iter().map(Reference::with_default_tag).collect()
    }

    /// The names that the image is pushed to, of registries that are asked as usual (not
    /// `registry.insecure`).
    pub fn pushes(&self) -> Vec<Reference> {
        let pushed = self.outputs.iter().filter(|output| {
            output.pushes() && !output.attributes.contains_key("registry.insecure")
        });
        let names = pushed.flat_map(|output| self.names(output));
        names.collect()
    }
}

/// What happens to the other platforms when one of several fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// They are cancelled, and nothing is exported.
    #[default]
    Cancel,
    /// They finish, so that all mistakes are found in one build and what works is in the cache;
    /// nothing is exported.
    Finish,
    /// They finish and are exported: the image has these platforms only.
    Export,
}

/// What has to run although it is cached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NoCache {
    /// Nothing.
    #[default]
    None,
    /// Everything.
    All,
    /// The stages of these names.
    Stages(Vec<String>),
}

/// The network of `RUN` where the Dockerfile does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// The daemon's sandbox network.
    #[default]
    Default,
    /// The host's network; the daemon has to allow the entitlement `network.host`.
    Host,
    /// No network.
    None,
}
