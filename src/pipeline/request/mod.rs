//! The request of a build: a plain value, made by the command or by an embedding program.

pub(super) mod annotation;
pub(super) mod attestation;
pub(super) mod cache;
pub(super) mod cloud_cache;
pub(super) mod entitlement;
pub(super) mod files;
pub(super) mod folders;
pub(super) mod from;
pub(super) mod ignored;
pub(super) mod options;
pub(super) mod output;
pub(super) mod resources;
pub(super) mod stream;
pub(super) mod translation;
pub(super) mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::client::{CacheEntry, DaemonKind, SourcePolicy};
use crate::dockerfile::Wording;
use crate::frontend::{Choice, ImageLock};
use crate::oci::{Platform, Reference};
use crate::pipeline::{
    Attestations, DockerfileFrom, Entitlement, Folders, HostAddress, MainContext,
    MetadataProvenance, NamedContext, Output, Resources,
};
use crate::policy::Policies;
use crate::session::{Secrets, SshAgents};
use solvekit_core::units::Ulimit;

/// A request to build one Dockerfile for any number of platforms.
///
/// `BuildRequest::new(context)` is a build of `context/Dockerfile` for the daemon's own platform
/// whose result stays in the cache.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuildRequest {
    /// The main context, which `COPY` and `ADD` read.
    pub context: MainContext,
    /// The Dockerfile; `None` means `Dockerfile` in the context.
    pub dockerfile: Option<DockerfileFrom>,
    /// The ignore file of the context; `None` means `NAME.dockerignore` beside the Dockerfile, or
    /// `.dockerignore` in the context.
    pub ignore_file: Option<PathBuf>,
    /// Named contexts. In `FROM`, `COPY --from` and `RUN --mount=from=` they replace images and
    /// stages of the same name. [`context_name`](crate::pipeline::context_name) makes the keys.
    pub contexts: BTreeMap<String, NamedContext>,
    /// The frontend that translates the Dockerfile.
    pub frontend: Choice,
    /// The target platforms; empty means the daemon's own.
    pub platforms: Vec<Platform>,
    /// A Docker engine keeps the image even if it has neither a name nor an output. It always keeps
    /// an image with a name.
    pub keep_unnamed: bool,
    /// The wording of lint findings, and of places in the Dockerfile.
    pub wording: Wording,
    /// The names of the image, for outputs that have none of their own.
    pub tags: Vec<Reference>,
    /// The outputs; if empty, the result stays in the daemon's cache.
    pub outputs: Vec<Output>,
    /// The stage to build; `None` is the last.
    pub target: Option<String>,
    /// Values of `ARG`s.
    pub build_args: BTreeMap<String, String>,
    /// Labels of the image, over those of the Dockerfile.
    pub labels: BTreeMap<String, String>,
    /// The steps that run even if they are cached.
    pub no_cache: NoCache,
    /// Look up base images in the registry even if the daemon has them.
    pub pull: bool,
    /// The network of `RUN`.
    pub network: Network,
    /// Lines of `/etc/hosts` for `RUN`: host name and address.
    pub extra_hosts: Vec<(String, HostAddress)>,
    /// Size of `/dev/shm` for `RUN`, in bytes.
    pub shm_size: Option<u64>,
    /// Resource limits of processes in `RUN`.
    pub ulimits: Vec<Ulimit>,
    /// The lock with the digests of base images.
    pub lock: Option<ImageLock>,
    /// Secrets that `RUN --mount=type=secret` may use.
    pub secrets: Secrets,
    /// SSH agents that `RUN --mount=type=ssh` may use.
    pub ssh_agents: SshAgents,
    /// Caches to import from.
    pub cache_from: Vec<CacheEntry>,
    /// Caches to export to.
    pub cache_to: Vec<CacheEntry>,
    /// The entitlements of the build.
    pub entitlements: Vec<Entitlement>,
    /// Annotations, as attributes of the image exporter
    /// ([`parse_annotations`](crate::pipeline::parse_annotations)).
    pub annotations: BTreeMap<String, String>,
    /// Make an index for annotations of an index, even for one platform without attestations. If
    /// false, the daemon refuses such annotations, as it does in a build of buildx.
    pub index_for_annotations: bool,
    /// Attestations of the image.
    pub attestations: Attestations,
    /// The amount of provenance in the outcome's metadata, also without an attestation.
    pub metadata_provenance: MetadataProvenance,
    /// The parent of the control groups of `RUN`.
    pub cgroup_parent: Option<String>,
    /// The origin of the context, for the provenance and the history: `vcs:source`, `vcs:revision`
    /// and the like.
    pub source_info: BTreeMap<String, String>,
    /// Limits of the control groups of `RUN`.
    pub resources: Resources,
    /// Source policy: rules that the daemon applies to the sources of the build.
    pub source_policy: Option<SourcePolicy>,
    /// Policies that this client evaluates for each source.
    pub policy: Policies,
    /// Fail if a step would run on a platform that the daemon emulates.
    pub require_native: bool,
    /// The action for the other platforms if one fails.
    pub on_failure: OnFailure,
    /// The most platforms that are solved at the same time; `None` means all of them.
    pub max_parallel_platforms: Option<usize>,
    /// Folders that the build may use without naming them.
    pub folders: Folders,
    /// Identifies this client to the daemon, so that the next build of the same folder sends only
    /// the changes.
    pub node_id: Option<String>,
}

impl BuildRequest {
    /// A build of a context, usually the path of a folder, with defaults for everything else.
    pub fn new(context: impl Into<MainContext>) -> Self {
        Self {
            context: context.into(),
            dockerfile: None,
            ignore_file: None,
            contexts: BTreeMap::new(),
            frontend: Choice::Auto,
            platforms: Vec::new(),
            keep_unnamed: false,
            wording: Wording::Own,
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
            index_for_annotations: true,
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
    /// …). The attributes of the contexts are in [`Inputs`](crate::pipeline::Inputs).
    pub fn attributes(&self) -> BTreeMap<String, String> {
        crate::pipeline::request::options::without_inputs(self, DaemonKind::Buildkitd)
    }

    /// True if there are annotations for an index.
    pub(super) fn annotates_index(&self) -> bool {
        let outputs = self.outputs.iter().map(|output| &output.attributes);
        let mut keys = outputs
            .chain([&self.annotations])
            .flat_map(|all| all.keys());
        keys.any(|key| key.starts_with("annotation-index"))
    }

    /// The names of an output's image, with tags: its own, else those of the request. Empty if the
    /// daemon chooses the name (`name=*`).
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

    /// The names that the image is pushed to, except those of outputs with `registry.insecure`.
    pub fn pushes(&self) -> Vec<Reference> {
        let pushed = self.outputs.iter().filter(|output| {
            output.pushes() && !output.attributes.contains_key("registry.insecure")
        });
        let names = pushed.flat_map(|output| self.names(output));
        names.collect()
    }
}

/// The action for the other platforms if one of several fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// Cancel them; nothing is exported.
    #[default]
    Cancel,
    /// Let them finish, so that one build finds all mistakes and fills the cache; nothing is
    /// exported.
    Finish,
    /// Let them finish and export them: the image has only these platforms.
    Export,
}

/// The steps that run even if they are cached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NoCache {
    /// No steps.
    #[default]
    None,
    /// All steps.
    All,
    /// The steps of these stages.
    Stages(Vec<String>),
}

/// The default network of `RUN`.
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
