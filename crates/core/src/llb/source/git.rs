//! Git repositories.

use super::super::caps::Cap;
use super::super::metadata::Constraints;
use super::super::path;
use super::super::state::State;
use super::SourceOp;

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
    /// The SSH agent that logs in; empty is `default`. Only with `ssh`.
    pub ssh_agent: String,
    /// The secrets that log in over HTTP; `None` is `GIT_AUTH_TOKEN` and `GIT_AUTH_HEADER`.
    pub auth: Option<GitAuth>,
    /// Import the commits from a bundle instead of the remote. Needs `checksum`.
    pub bundle: Option<Bundle>,
    /// Make one file, `bundle`, with the commit instead of a work tree.
    pub checkout_bundle: bool,
    /// Accept only a commit or tag with a good signature.
    pub signature: Option<GitSignature>,
}

/// Names of the secrets that log in over HTTP; an empty one is not used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitAuth {
    /// A token.
    pub token_secret: String,
    /// A whole `Authorization` header.
    pub header_secret: String,
}

/// Commits in a git bundle that is a blob of a registry or of an OCI layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// `docker-image+blob://NAME@DIGEST` or `oci-layout+blob://NAME@DIGEST`.
    pub locator: String,
    /// Of a layout: the session that serves it; empty for the build's own.
    pub session: String,
    /// Of a layout: its name in the session; empty for the name in the locator.
    pub store: String,
}

/// Which signatures are good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitSignature {
    /// Armored OpenPGP or SSH public keys.
    pub public_keys: String,
    /// Refuse signatures of keys that have expired.
    pub reject_expired: bool,
    /// The tag must be signed, not only the commit.
    pub require_signed_tag: bool,
    /// Look at the commit's signature only.
    pub ignore_signed_tag: bool,
}

/// A git repository.
pub fn git(git: &Git, constraints: Constraints) -> State {
    let mut source = SourceOp::new(identifier(git), Cap::SourceGit);
    set_auth(&mut source, git.auth.as_ref());
    if !git.url.is_empty() {
        source.set_needing("git.fullurl", &git.url, Cap::SourceGitFullUrl);
    }
    if git.ssh {
        if !git.known_ssh_hosts.is_empty() {
            source.set("git.knownsshhosts", &git.known_ssh_hosts);
        }
        source.caps.insert(Cap::SourceGitKnownSshHosts);
        let agent = match git.ssh_agent.as_str() {
            "" => "default",
            agent => agent,
        };
        source.set_needing("git.mountsshsock", agent, Cap::SourceGitMountSshSock);
    }
    if !git.checksum.is_empty() {
        source.set_needing("git.checksum", &git.checksum, Cap::SourceGitChecksum);
    }
    if !git.mtime.is_empty() {
        source.set_needing("git.mtime", &git.mtime, Cap::SourceGitMtime);
    }
    if let Some(bundle) = &git.bundle {
        source.set_needing("git.bundle", &bundle.locator, Cap::SourceGitBundle);
        source.set_store(&bundle.session, &bundle.store);
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
        (
            "git.checkoutbundle",
            git.checkout_bundle,
            Cap::SourceGitCheckoutBundle,
        ),
    ];
    for (key, on, cap) in switches {
        if on {
            source.set_needing(key, "true", cap);
        }
    }
    if let Some(signature) = &git.signature {
        set_signature(&mut source, signature);
    }
    source.into_state(constraints)
}

/// The same for every protocol of one repository.
fn identifier(git: &Git) -> String {
    let mut identifier = format!("git://{}{}", git.host, path::join("/", &git.path));
    if !git.reference.is_empty() || !git.subdir.is_empty() {
        identifier.push('#');
        identifier.push_str(&git.reference);
        if !git.subdir.is_empty() {
            identifier.push(':');
            identifier.push_str(&git.subdir);
        }
    }
    identifier
}

/// Only secrets that were named need a daemon that knows about them.
fn set_auth(source: &mut SourceOp, auth: Option<&GitAuth>) {
    let Some(auth) = auth else {
        source.set("git.authtokensecret", "GIT_AUTH_TOKEN");
        source.set("git.authheadersecret", "GIT_AUTH_HEADER");
        return;
    };
    for (key, secret) in [
        ("git.authtokensecret", &auth.token_secret),
        ("git.authheadersecret", &auth.header_secret),
    ] {
        if !secret.is_empty() {
            source.set_needing(key, secret, Cap::SourceGitHttpAuth);
        }
    }
}

fn set_signature(source: &mut SourceOp, signature: &GitSignature) {
    let cap = Cap::SourceGitSignatureVerify;
    source.set_needing("git.sig.pubkey", &signature.public_keys, cap);
    for (key, on) in [
        ("git.sig.rejectexpired", signature.reject_expired),
        ("git.sig.requiresignedtag", signature.require_signed_tag),
        ("git.sig.ignoresignedtag", signature.ignore_signed_tag),
    ] {
        if on {
            source.set(key, "true");
        }
    }
}
