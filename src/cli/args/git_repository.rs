//! The git repository that contains a folder, as `git` itself reports it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use solvekit_host::{files, names};

use crate::cli::report::Failure;

/// A working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    /// Its top-level folder.
    pub(crate) root: PathBuf,
    /// The URL that it is fetched from, without a password.
    pub(crate) remote: Option<String>,
}

impl Repository {
    /// Finds the repository of a folder; `None` outside of one.
    ///
    /// # Errors
    /// git is not installed.
    pub(crate) fn find(folder: &Path) -> Result<Option<Self>, Failure> {
        let Some(root) = git(folder, &["rev-parse", "--show-toplevel"])? else {
            return Ok(None);
        };
        let remotes = [
            tracked(folder)?.unwrap_or_default(),
            "origin".into(),
            "upstream".into(),
        ];
        let mut remote = None;
        for name in remotes.iter().filter(|name| !name.is_empty()) {
            if remote.is_none() {
                remote = git(folder, &["remote", "get-url", name])?;
            }
        }
        Ok(Some(Self {
            root: names::path(root.as_bytes()),
            remote: remote.map(|url| without_credentials(&url)),
        }))
    }

    /// The checked-out commit. With `check_dirty`, `-dirty` is appended if there are uncommitted
    /// changes.
    pub(crate) fn revision(&self, check_dirty: bool) -> Option<String> {
        let head = ["rev-parse", "--verify", "--quiet", "HEAD"];
        let revision = git(&self.root, &head).ok().flatten()?;
        let status = ["status", "--porcelain", "--ignored"];
        let is_dirty = check_dirty && !matches!(git(&self.root, &status), Ok(None));
        Some(match is_dirty {
            true => format!("{revision}-dirty"),
            false => revision,
        })
    }

    /// The path relative to the top-level folder; `None` if it is outside.
    pub(crate) fn inside(&self, path: &Path) -> Option<String> {
        let path = files::canonical(path).ok()?;
        let inside = path.strip_prefix(&self.root).ok()?.to_string_lossy();
        Some(match inside.is_empty() {
            true => ".".to_owned(),
            false => inside.into_owned(),
        })
    }
}

/// The remote of the current branch.
fn tracked(folder: &Path) -> Result<Option<String>, Failure> {
    let Some(branch) = git(folder, &["symbolic-ref", "-q", "HEAD"])? else {
        return Ok(None);
    };
    git(
        folder,
        &["for-each-ref", "--format=%(upstream:remotename)", &branch],
    )
}

/// The first line of git's output; `None` if git fails or prints nothing.
fn git(folder: &Path, arguments: &[&str]) -> Result<Option<String>, Failure> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    // Run no programs from the repository's own configuration, and write nothing.
    command.args([
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
    ]);
    command.args(arguments).env("GIT_OPTIONAL_LOCKS", "0");
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = output.map_err(|error| Failure::new(format!("cannot run git: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim();
    Ok((output.status.success() && !line.is_empty()).then(|| line.to_owned()))
}

/// Removes the part of a URL before the `@` of its host; `git@host:path` is unchanged.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_no_part_of_a_remote() {
        for (url, shown) in [
            ("https://me:secret@host/a/b@c.git", "https://host/a/b@c.git"),
            ("https://host/a.git", "https://host/a.git"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git"),
            ("ssh://git@host", "ssh://host"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
