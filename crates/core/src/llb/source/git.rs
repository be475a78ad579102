//! Git repositories.

use super::super::caps::Cap;
use super::super::metadata::Constraints;
use super::super::path;
use super::super::state::State;
use super::SourceOp;

/// The options of a git checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Git {
    /// The host of the repository. Host and path are its identity, whatever the protocol.
    pub host: String,
    /// The path of the repository on the host.
    pub path: String,
    /// The URL given to git.
    pub url: String,
    /// True if the protocol is SSH.
    pub ssh: bool,
    /// Branch, tag or commit.
    pub reference: String,
    /// The folder in the repository.
    pub subdir: String,
    /// The commit that the reference must point to.
    pub checksum: String,
    /// True to keep `.git`.
    pub keep_git_dir: bool,
    /// True to skip submodules.
    pub skip_submodules: bool,
    /// The mode of files' times: `checkout` or `commit`; empty is the daemon's default.
    pub mtime: String,
    /// True to fetch `checksum` itself, whatever `reference` points to.
    pub fetch_by_commit: bool,
    /// The host's SSH keys in the format of `known_hosts`.
    pub known_ssh_hosts: String,
    /// The SSH agent for authentication; empty is `default`. Only with `ssh`.
    pub ssh_agent: String,
    /// The secrets for authentication over HTTP; `None` is `GIT_AUTH_TOKEN` and `GIT_AUTH_HEADER`.
    pub auth: Option<GitAuth>,
    /// A bundle to import the commits from, instead of the remote. Needs `checksum`.
    pub bundle: Option<Bundle>,
    /// True to create one file, `bundle`, with the commit instead of a work tree.
    pub checkout_bundle: bool,
    /// The required signature of the commit or tag.
    pub signature: Option<GitSignature>,
}

/// The names of secrets for authentication over HTTP; an empty one is not used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitAuth {
    /// The secret with a token.
    pub token_secret: String,
    /// The secret with a whole `Authorization` header.
    pub header_secret: String,
}

/// Commits in a git bundle that is a blob of a registry or of an OCI layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// `docker-image+blob://NAME@DIGEST` or `oci-layout+blob://NAME@DIGEST`.
    pub locator: String,
    /// For a layout: the session that serves it; empty for the build's own.
    pub session: String,
    /// For a layout: its name in the session; empty for the name in the locator.
    pub store: String,
}

/// The conditions for valid signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitSignature {
    /// Armored OpenPGP or SSH public keys.
    pub public_keys: String,
    /// True to reject signatures of expired keys.
    pub reject_expired: bool,
    /// True if the tag must be signed, not only the commit.
    pub require_signed_tag: bool,
    /// True to check only the commit's signature.
    pub ignore_signed_tag: bool,
}

/// Returns a git repository.
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

/// Returns the identifier, which is the same for every protocol of one repository.
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

/// Sets the secrets. Only named secrets need a daemon that supports them.
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
