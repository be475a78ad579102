//! Git and http sources, as ADD and contexts use them.

use super::options::Options;
use super::reason::Reason;
use super::url::Url;
use crate::llb::{self, Constraints, State, path};
use crate::oci::Digest;

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
    (llb::http(url, name, checksum, constraints), name.to_owned())
}

/// Is it empty or a digest?
pub(super) fn check_digest(checksum: &str) -> Result<(), Reason> {
    if checksum.is_empty() {
        return Ok(());
    }
    Digest::parse(checksum).map(drop).map_err(Reason::Checksum)
}
