//! Git and http sources, as ADD and contexts use them.

use super::git_url;
use super::options::Options;
use super::problem::GitUrlProblem;
use super::reason::Reason;
use super::url::{self, Url};
use crate::llb::{self, Constraints, State, path};
use crate::oci::Digest;

/// What a URL that stands for a context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteKind {
    /// A git repository; `query` says whether the URL has one.
    Git {
        /// Has it a query? Older frontends do not read it.
        query: bool,
    },
    /// A file to download.
    Http,
}

/// What the text is if it is a URL that the daemon fetches.
///
/// # Errors
/// What is wrong with the query of a git URL.
pub fn remote_kind(text: &str) -> Result<Option<RemoteKind>, GitUrlProblem> {
    if let Some(source) = git_url::parse(text) {
        source?;
        let query = text.split('#').next().is_some_and(|url| url.contains('?'));
        return Ok(Some(RemoteKind::Git { query }));
    }
    Ok(url::is_http(text).then_some(RemoteKind::Http))
}

/// A git repository, with the server's keys when they are known.
pub(super) fn git(options: &Options, mut git: llb::Git, constraints: Constraints) -> State {
    if let Some(keys) = options.known_ssh_hosts.get(&git.host).filter(|_| git.ssh) {
        git.known_ssh_hosts.clone_from(keys);
    }
    llb::git(&git, constraints)
}

/// A fetched file, and its name: the last part of the URL's path.
pub(super) fn http(url: &str, checksum: &str, constraints: Constraints) -> (State, String) {
    let parsed = Url::parse(url);
    let name = match parsed.as_ref().map(|url| path::base(&url.path)) {
        None | Some("." | "/") => "__unnamed__",
        Some(name) => name,
    };
    let file = llb::Http::named(name).with_checksum(checksum);
    (llb::http(url, &file, constraints), name.to_owned())
}

/// Is it empty or a digest?
pub(super) fn check_digest(checksum: &str) -> Result<(), Reason> {
    if checksum.is_empty() {
        return Ok(());
    }
    Digest::parse(checksum).map(drop).map_err(Reason::Checksum)
}
