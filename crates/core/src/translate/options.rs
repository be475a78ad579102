//! The options of a translation: arguments, platforms, contexts, limits. Plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::git_url;
use crate::llb::{
    CapSet, Device, HostIp, LinuxResources, Network, ResolveMode, SourceFile, State, Ulimit,
};
use crate::oci::{Image, Platform};

/// All inputs of a translation besides the Dockerfile and the base images.
#[derive(Clone, Debug)]
pub struct Options {
    /// The stage to build; `None` for the last one.
    pub target: Option<String>,
    /// The platform to build for. If it is `None`, the worker and the base image decide.
    pub platform: Option<Platform>,
    /// The platforms of the worker, its own first; the first is `BUILDPLATFORM`. Empty means the
    /// target, or this program's platform.
    pub build_platforms: Vec<Platform>,
    /// `--build-arg`, including predefined ones.
    pub build_args: BTreeMap<String, String>,
    /// `--label`
    pub labels: BTreeMap<String, String>,
    /// `--no-cache` and `--no-cache-filter`
    pub no_cache: NoCache,
    /// The default network of RUN.
    pub network: Network,
    /// `--add-host`
    pub extra_hosts: Arc<[HostIp]>,
    /// The size of `/dev/shm` in bytes; 0 for the daemon's default.
    pub shm_size: i64,
    /// `--ulimit`
    pub ulimits: Arc<[Ulimit]>,
    /// `--cgroup-parent`
    pub cgroup_parent: Option<Arc<str>>,
    /// CPU and memory limits of RUN.
    pub linux_resources: Option<Arc<LinuxResources>>,
    /// CDI devices of every RUN.
    pub devices: Vec<Device>,
    /// The host name of RUN.
    pub hostname: Option<String>,
    /// The prefix of the ids of cache mounts (`BUILDKIT_CACHE_MOUNT_NS`).
    pub cache_mount_namespace: String,
    /// The policy for looking base images up in the registry.
    pub resolve_mode: ResolveMode,
    /// True if several platforms are built together: vertex names begin with the platform.
    pub multi_platform: bool,
    /// The session that serves local folders.
    pub session_id: String,
    /// The capabilities of the daemon.
    pub caps: CapSet,
    /// The main build context.
    pub context: Context,
    /// Named contexts (`--build-context`), by name or `name::platform`.
    pub contexts: BTreeMap<String, NamedContext>,
    /// The Dockerfile for source maps. `None` for the parsed text, named `Dockerfile`.
    pub source_file: Option<Arc<SourceFile>>,
    /// The `known_hosts` lines of git servers reached by SSH, by host.
    pub known_ssh_hosts: BTreeMap<String, String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: None,
            platform: None,
            build_platforms: Vec::new(),
            build_args: BTreeMap::new(),
            labels: BTreeMap::new(),
            no_cache: NoCache::default(),
            network: Network::default(),
            extra_hosts: Arc::from([]),
            shm_size: 0,
            ulimits: Arc::from([]),
            cgroup_parent: None,
            linux_resources: None,
            devices: Vec::new(),
            hostname: None,
            cache_mount_namespace: String::new(),
            resolve_mode: ResolveMode::default(),
            multi_platform: false,
            session_id: String::new(),
            caps: CapSet::all(),
            context: Context::default(),
            contexts: BTreeMap::new(),
            source_file: None,
            known_ssh_hosts: BTreeMap::new(),
        }
    }
}

/// The stages whose cached results are not used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NoCache {
    /// None.
    #[default]
    Nothing,
    /// All.
    All,
    /// The stages with these names, in any case.
    Stages(Vec<String>),
}

impl NoCache {
    /// True if it applies to the stage of this name.
    pub(super) fn covers(&self, stage: Option<&str>) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Stages(names) => names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(stage.unwrap_or_default())),
        }
    }
}

/// The main build context.
#[derive(Clone, Debug)]
pub enum Context {
    /// A folder of the client.
    Local(LocalContext),
    /// A git repository, as `--build-context` and the context argument take it.
    Git {
        /// The URL, with fragment or query.
        url: String,
        /// True to keep `.git` (`BUILDKIT_CONTEXT_KEEP_GIT_DIR`).
        keep_git_dir: bool,
        /// The folder in it to use.
        subdir: Option<String>,
    },
    /// A file fetched from an http(s) URL.
    Http {
        /// The URL.
        url: String,
        /// True if the file is an archive whose content is the context. Otherwise the file is both
        /// the Dockerfile and the context.
        archive: bool,
        /// The folder in it to use.
        subdir: Option<String>,
    },
    /// Any other state.
    State(Box<State>),
}

/// A folder that the client's session serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalContext {
    /// The folder's name in the session.
    pub name: String,
    /// The patterns of `.dockerignore`.
    pub exclude_patterns: Vec<String>,
    /// The session that serves the folder, if it is not the build's.
    pub session_id: Option<String>,
    /// A key that distinguishes folders of one name when transfers are reused.
    pub shared_key: String,
}

impl LocalContext {
    /// Returns the folder `name` without exclusions.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            exclude_patterns: Vec::new(),
            session_id: None,
            shared_key: String::new(),
        }
    }
}

impl Context {
    /// Returns the context of a git or http(s) URL, else the session's folder `context`.
    pub fn from_specifier(text: &str) -> Self {
        let url = text.to_owned();
        if git_url::parse(text).is_some() {
            return Self::Git {
                url,
                keep_git_dir: false,
                subdir: None,
            };
        }
        match super::url::is_http(text) {
            true => Self::Http {
                url,
                archive: false,
                subdir: None,
            },
            false => Self::default(),
        }
    }
}

impl Default for Context {
    /// The session's folder `context`.
    fn default() -> Self {
        Self::Local(LocalContext::new("context"))
    }
}

/// A named context: it replaces an image or a stage, or is a folder to copy from.
#[derive(Clone, Debug)]
pub enum NamedContext {
    /// `docker-image://reference`, `oci-layout://store@digest`, or a git or http(s) URL. It is
    /// parsed when it is used.
    Remote(String),
    /// A folder of the client.
    Local(LocalContext),
    /// A stage of the same Dockerfile, built separately.
    Stage(String),
    /// The result of another translation.
    Target {
        /// The file system.
        state: Box<State>,
        /// Its image config.
        image: Option<Arc<Image>>,
    },
}

impl NamedContext {
    /// Parses a specifier of the frontend attribute `context:NAME`: `local:NAME`, `target:STAGE` or
    /// any value of [`Remote`](Self::Remote).
    pub fn from_specifier(text: &str) -> Self {
        match text.split_once(':') {
            Some(("local", name)) => Self::Local(LocalContext::new(name)),
            Some(("target", stage)) => Self::Stage(stage.to_owned()),
            _ => Self::Remote(text.to_owned()),
        }
    }
}
