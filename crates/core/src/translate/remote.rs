//! Git and HTTP sources of ADD and contexts.

use super::git_url;
use super::options::Options;
use super::problem::GitUrlProblem;
use super::reason::Reason;
use super::url::{self, Url};
use crate::llb::{self, Constraints, State, path};
use crate::oci::Digest;

/// The kind of a URL that names a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteKind {
    /// A git repository.
    Git {
        /// True if the URL has a query. Older frontends do not support it.
        query: bool,
    },
    /// A file to download.
    Http,
}

/// Returns the kind of the URL; `None` if the daemon does not fetch it.
///
/// # Errors
/// The fault of the query of a git URL.
pub fn remote_kind(text: &str) -> Result<Option<RemoteKind>, GitUrlProblem> {
    if let Some(source) = git_url::parse(text) {
        source?;
        let query = text.split('#').next().is_some_and(|url| url.contains('?'));
        return Ok(Some(RemoteKind::Git { query }));
    }
    Ok(url::is_http(text).then_some(RemoteKind::Http))
}

/// Returns the URL of a git context as `REMOTE#REFERENCE:FOLDER`, or without the folder; `None` if
/// it is not git. The provenance names repositories like that, also those given with a query.
pub fn git_with_fragment(text: &str, with_folder: bool) -> Option<String> {
    let git = git_url::parse(text)?.ok()?.git;
    let folder = git.subdir.as_str();
    let folder = Some(folder).filter(|folder| with_folder && !folder.is_empty());
    Some(match (git.reference.as_str(), folder) {
        ("", None) => git.url,
        (reference, None) => format!("{}#{reference}", git.url),
        (reference, Some(folder)) => format!("{}#{reference}:{folder}", git.url),
    })
}

/// Returns a git repository, with the server's SSH keys if they are known.
pub(super) fn git(options: &Options, mut git: llb::Git, constraints: Constraints) -> State {
    if let Some(keys) = options.known_ssh_hosts.get(&git.host).filter(|_| git.ssh) {
        git.known_ssh_hosts.clone_from(keys);
    }
    llb::git(&git, constraints)
}

/// Returns a downloaded file and its name: the last part of the URL's path.
pub(super) fn http(url: &str, checksum: &str, constraints: Constraints) -> (State, String) {
    let parsed = Url::parse(url);
    let name = match parsed.as_ref().map(|url| path::base(&url.path)) {
        None | Some("." | "/") => "__unnamed__",
        Some(name) => name,
    };
    let file = llb::Http::named(name).with_checksum(checksum);
    (llb::http(url, &file, constraints), name.to_owned())
}

/// Fails if the text is neither empty nor a digest.
pub(super) fn check_digest(checksum: &str) -> Result<(), Reason> {
    if checksum.is_empty() {
        return Ok(());
    }
    Digest::parse(checksum).map(drop).map_err(Reason::Checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_contexts_are_written_with_a_fragment() {
        let written = |text, with_folder| git_with_fragment(text, with_folder);
        let url = "https://host/a.git?branch=main&subdir=x";
        let with_folder = written(url, true);
        let expected = "https://host/a.git#refs/heads/main:x";
        assert_eq!(with_folder.as_deref(), Some(expected));
        let without = written("https://host/a.git#main:x", false);
        assert_eq!(without.as_deref(), Some("https://host/a.git#main"));
        let plain = written("https://host/a.git", true);
        assert_eq!(plain.as_deref(), Some("https://host/a.git"));
        assert_eq!(written("https://host/a.tar", true), None);
    }
}
