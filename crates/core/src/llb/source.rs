//! Where files come from: images, the client's folders, git, HTTP, OCI layouts.

use std::borrow::Cow;

use super::caps::{Cap, CapSet};
use super::go_json::go_json;
use super::metadata::Constraints;
use super::path;
use super::state::State;
use super::vertex::{Kind, Vertex};

/// Identifier and attributes of a source op.
#[derive(Debug)]
pub(crate) struct SourceOp {
    pub(super) identifier: String,
    /// Sorted by key.
    pub(super) attributes: Vec<(Cow<'static, str>, String)>,
    pub(super) caps: CapSet,
}

impl SourceOp {
    fn new(identifier: String, cap: Cap) -> Self {
        Self {
            identifier,
            attributes: Vec::new(),
            caps: CapSet::EMPTY.with(cap),
        }
    }

    fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        match self
            .attributes
            .binary_search_by(|(known, _)| known.cmp(&key))
        {
            Ok(at) => self.attributes[at].1 = value,
            Err(at) => self.attributes.insert(at, (key, value)),
        }
    }

    fn set_needing(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
        cap: Cap,
    ) {
        self.set(key, value);
        self.caps.insert(cap);
    }

    /// Only images have a platform on the wire.
    pub(super) fn has_platform(&self) -> bool {
        self.identifier.starts_with("docker-image://")
            || self.identifier.starts_with("oci-layout://")
    }

    pub(super) fn is_local_without_session(&self) -> bool {
        self.identifier.starts_with("local://")
            && !self
                .attributes
                .iter()
                .any(|(key, _)| key == "local.session")
    }

    fn into_state(self, constraints: Constraints) -> State {
        let platform = constraints.platform.clone();
        let state = State::on(Vertex::output(Kind::Source(self), constraints));
        match platform {
            Some(platform) => state.with_platform(&platform),
            None => state,
        }
    }
}

/// When an image is looked up in the registry although it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResolveMode {
    /// The daemon decides.
    #[default]
    Default,
    /// Always (`--pull`).
    ForcePull,
    /// A local image is good enough.
    PreferLocal,
}

impl ResolveMode {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::ForcePull => "pull",
            Self::PreferLocal => "local",
        }
    }
}

/// An image of a registry. `reference` is normalised and has a tag or digest; see [`crate::oci::Reference`].
pub fn image(reference: &str, mode: ResolveMode, constraints: Constraints) -> State {
    let mut source = SourceOp::new(format!("docker-image://{reference}"), Cap::SourceImage);
    if mode != ResolveMode::Default {
        source.set("image.resolvemode", mode.as_str());
    }
    if mode == ResolveMode::ForcePull {
        source.caps.insert(Cap::SourceImageResolveMode);
    }
    source.into_state(constraints)
}

/// An image of an OCI layout that the client's session serves.
pub fn oci_layout(reference: &str, session: &str, store: &str, constraints: Constraints) -> State {
    let mut source = SourceOp::new(format!("oci-layout://{reference}"), Cap::SourceOciLayout);
    for (key, value) in [("oci.session", session), ("oci.store", store)] {
        if !value.is_empty() {
            source.set(key, value);
        }
    }
    source.into_state(constraints)
}

/// How a folder of the client is transferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// The session that serves the folder. Without one, the definition's unique id is used.
    pub session: String,
    /// Only what matches.
    pub include_patterns: Vec<String>,
    /// Only these paths, and what their symlinks lead to.
    pub follow_paths: Vec<String>,
    /// Not what matches.
    pub exclude_patterns: Vec<String>,
    /// Folders with one key may share what was transferred before.
    pub shared_key_hint: String,
    /// Transfer all files, without comparing to an earlier transfer.
    pub no_differ: bool,
}

/// The folder that the client calls `name`.
pub fn local(name: &str, local: &Local, constraints: Constraints) -> State {
    let mut source = SourceOp::new(format!("local://{name}"), Cap::SourceLocal);
    let lists = [
        (
            "local.includepattern",
            &local.include_patterns,
            Cap::SourceLocalIncludePatterns,
        ),
        (
            "local.followpaths",
            &local.follow_paths,
            Cap::SourceLocalFollowPaths,
        ),
        (
            "local.excludepatterns",
            &local.exclude_patterns,
            Cap::SourceLocalExcludePatterns,
        ),
    ];
    for (key, list, cap) in lists {
        if !list.is_empty() {
            source.set_needing(key, go_json(list), cap);
        }
    }
    if !local.session.is_empty() {
        source.set_needing("local.session", &local.session, Cap::SourceLocalSessionId);
    }
    if !local.shared_key_hint.is_empty() {
        source.set_needing(
            "local.sharedkeyhint",
            &local.shared_key_hint,
            Cap::SourceLocalSharedKeyHint,
        );
    }
    if local.no_differ {
        source.set("local.differ", "none");
    }
    source.into_state(constraints)
}

/// How a git repository is checked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Git {
    /// Host and path of the repository: its identity whatever the protocol.
    pub host: String,
    /// The path of the repository on the host.
    pub path: String,
    /// The URL given to git.
    pub url: String,
    /// Is the protocol SSH?
    pub ssh: bool,
    /// Branch, tag or commit.
    pub reference: String,
    /// The folder in the repository.
    pub subdir: String,
    /// The commit that it must be.
    pub checksum: String,
    /// Keep `.git`.
    pub keep_git_dir: bool,
    /// Do not check out submodules.
    pub skip_submodules: bool,
    /// `checkout` or `commit`; empty is the daemon's default.
    pub mtime: String,
    /// Fetch `checksum` itself, whatever `reference` points to.
    pub fetch_by_commit: bool,
    /// The host's SSH keys in the format of `known_hosts`.
    pub known_ssh_hosts: String,
}

/// A git repository.
pub fn git(git: &Git, constraints: Constraints) -> State {
    let mut identifier = format!("git://{}{}", git.host, path::join("/", &git.path));
    if !git.reference.is_empty() || !git.subdir.is_empty() {
        identifier.push('#');
        identifier.push_str(&git.reference);
        if !git.subdir.is_empty() {
            identifier.push(':');
            identifier.push_str(&git.subdir);
        }
    }
    let mut source = SourceOp::new(identifier, Cap::SourceGit);
    source.set("git.authtokensecret", "GIT_AUTH_TOKEN");
    source.set("git.authheadersecret", "GIT_AUTH_HEADER");
    if !git.url.is_empty() {
        source.set_needing("git.fullurl", &git.url, Cap::SourceGitFullUrl);
    }
    if git.ssh {
        if !git.known_ssh_hosts.is_empty() {
            source.set("git.knownsshhosts", &git.known_ssh_hosts);
        }
        source.caps.insert(Cap::SourceGitKnownSshHosts);
        source.set_needing("git.mountsshsock", "default", Cap::SourceGitMountSshSock);
    }
    if !git.checksum.is_empty() {
        source.set_needing("git.checksum", &git.checksum, Cap::SourceGitChecksum);
    }
    if !git.mtime.is_empty() {
        source.set_needing("git.mtime", &git.mtime, Cap::SourceGitMtime);
    }
    let switches = [
        ("git.keepgitdir", git.keep_git_dir, Cap::SourceGitKeepDir),
        (
            "git.skipsubmodules",
            git.skip_submodules,
            Cap::SourceGitSkipSubmodules,
        ),
        (
            "git.fetchbycommit",
            git.fetch_by_commit,
            Cap::SourceGitFetchByCommit,
        ),
    ];
    for (key, on, cap) in switches {
        if on {
            source.set_needing(key, "true", cap);
        }
    }
    source.into_state(constraints)
}

/// One file fetched from `url` and stored as `filename`; `checksum` is a digest or empty.
pub fn http(url: &str, filename: &str, checksum: &str, constraints: Constraints) -> State {
    let mut source = SourceOp::new(url.to_owned(), Cap::SourceHttp);
    if !checksum.is_empty() {
        source.set_needing("http.checksum", checksum, Cap::SourceHttpChecksum);
    }
    if !filename.is_empty() {
        source.set("http.filename", filename);
    }
    source.into_state(constraints)
}
