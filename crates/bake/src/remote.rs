//! Remote contexts and files: URLs and git repositories.

use crate::Plan;
use crate::filepath::{clean, join};

/// True for an HTTP URL or a git repository, by buildx's rules.
pub fn is_remote(text: &str) -> bool {
    if text.starts_with("http://") || text.starts_with("https://") {
        return true;
    }
    if text.starts_with("./") || text.starts_with("../") {
        return false;
    }
    if text.starts_with("github.com/") {
        return true;
    }
    match scheme(text) {
        Some((scheme, rest)) => match scheme.as_str() {
            "ssh" | "git" => true,
            "http" | "https" => {
                let path = rest.split(['?', '#']).next().unwrap_or_default();
                path.contains('/') && path.ends_with(".git")
            }
            _ => false,
        },
        None => is_scp_style(text),
    }
}

/// True for a git repository that is reached over SSH.
pub fn is_git_over_ssh(text: &str) -> bool {
    match scheme(text) {
        Some((scheme, _)) => scheme == "ssh",
        None => is_scp_style(text),
    }
}

/// Returns the scheme in lower case and the text after `://`.
fn scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_scheme.then(|| (scheme.to_lowercase(), rest))
}

/// True for `user@host:path`.
fn is_scp_style(text: &str) -> bool {
    let is_word = |part: &str, extra: &str| {
        let is_allowed = |symbol: char| symbol.is_ascii_alphanumeric() || extra.contains(symbol);
        !part.is_empty() && part.chars().all(is_allowed)
    };
    let parts = text
        .split_once('@')
        .and_then(|(user, rest)| Some((user, rest.split_once(':')?)));
    parts.is_some_and(|(user, (host, _))| is_word(user, "-_") && is_word(host, "-."))
}

/// The place of a remote definition's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A git repository.
    Git,
    /// An archive.
    Archive,
}

/// A context cannot be a folder of an archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("target {target}: the folder {path:?} of an archive cannot be a context of its own")]
pub struct FolderOfArchive {
    /// The target.
    pub target: String,
    /// The folder.
    pub path: String,
}

/// Changes relative contexts of all targets to contexts in the remote place at `url`, from which
/// the definition comes. `cwd://PATH` is unchanged: it is a folder of this machine.
///
/// # Errors
/// If the place is an archive, and a context is a folder in it.
pub fn rebase(plan: &mut Plan, url: &str, place: Place) -> Result<(), FolderOfArchive> {
    for (name, target) in &mut plan.targets {
        let context = target.context.get_or_insert_with(|| ".".to_owned());
        for text in target.contexts.values_mut().chain([context]) {
            let stays = ["cwd://", "target:", "docker-image:", "oci-layout:"];
            if is_remote(text) || stays.iter().any(|start| text.starts_with(start)) {
                continue;
            }
            // A path cannot leave the place.
            let path = clean(&format!("/{text}"));
            let path = path.trim_start_matches('/');
            *text = match place {
                _ if path.is_empty() => url.to_owned(),
                Place::Git => with_folder(url, path),
                Place::Archive => {
                    return Err(FolderOfArchive {
                        target: name.clone(),
                        path: path.to_owned(),
                    });
                }
            };
        }
    }
    Ok(())
}

/// Returns the URL of a folder in the repository or folder at `url`.
fn with_folder(url: &str, path: &str) -> String {
    let (base, fragment) = url.split_once('#').unwrap_or((url, ""));
    if let (false, Some((start, query))) = (url.contains('#'), base.split_once('?')) {
        let mut fields: Vec<String> = query.split('&').map(str::to_owned).collect();
        let folder = fields.iter_mut().find(|field| field.starts_with("subdir="));
        if let Some(folder) = folder {
            *folder = format!("{}/{path}", folder.trim_end_matches('/'));
            return format!("{start}?{}", fields.join("&"));
        }
    }
    let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
    format!("{base}#{reference}:{}", join(folder, path))
}

/// Returns the host of a git repository's URL, with its port, as in the names of its secrets.
pub fn host(url: &str) -> Option<&str> {
    let (_, rest) = scheme(url)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;

    #[test]
    fn urls_and_repositories_are_remote() {
        for text in [
            "https://x.org/a.tar",
            "http://x",
            "git://x/y",
            "ssh://git@x/y",
            "github.com/a/b",
            "git@github.com:a/b.git#main",
            "HTTPS://x/a.git",
        ] {
            assert!(is_remote(text), "{text}");
        }
        for text in [
            ".",
            "../a@b:c",
            "cwd://x",
            "docker-image://alpine",
            "oci-layout://x",
            "target:a",
            "a/b",
            "HTTPS://x/a",
            "a@b/c:d",
        ] {
            assert!(!is_remote(text), "{text}");
        }
        assert!(is_git_over_ssh("git@github.com:a/b"));
        assert!(!is_git_over_ssh("https://github.com/a/b.git"));
    }

    #[test]
    fn relative_contexts_are_folders_of_the_repository() {
        let url = |url: &str, context: &str| {
            let target = Target {
                context: Some(context.to_owned()),
                ..Target::default()
            };
            let mut plan = Plan::default();
            plan.targets.insert("a".to_owned(), target);
            rebase(&mut plan, url, Place::Git).unwrap();
            plan.targets["a"].context.clone().unwrap()
        };
        for (base, context, expected) in [
            ("https://x/a.git", ".", "https://x/a.git"),
            ("https://x/a.git", "app", "https://x/a.git#:app"),
            ("https://x/a.git#main", "./app/", "https://x/a.git#main:app"),
            ("git@x:a.git#v1:dir", "app", "git@x:a.git#v1:dir/app"),
            (
                "https://x/a.git#v1:dir",
                "../../etc",
                "https://x/a.git#v1:dir/etc",
            ),
            ("https://x/a.git", "/etc", "https://x/a.git#:etc"),
            (
                "https://x/a.git?subdir=d&ref=v",
                "e",
                "https://x/a.git?subdir=d/e&ref=v",
            ),
            ("https://x/a.git", "cwd://app", "cwd://app"),
            ("https://x/a.git", "https://y/b.git", "https://y/b.git"),
            ("https://x/a.git", "target:b", "target:b"),
        ] {
            assert_eq!(url(base, context), expected, "{base} {context}");
        }
    }

    #[test]
    fn a_folder_of_an_archive_is_no_context() {
        let mut target = Target::default();
        target.contexts.insert("b".to_owned(), "sub".to_owned());
        let mut plan = Plan::default();
        plan.targets.insert("a".to_owned(), target);
        let error = rebase(&mut plan, "https://x/a.tar", Place::Archive).unwrap_err();
        assert_eq!((error.target.as_str(), error.path.as_str()), ("a", "sub"));
    }

    #[test]
    fn hosts_have_their_port_and_no_login() {
        assert_eq!(host("https://u:p@x.org:8443/a.git#b"), Some("x.org:8443"));
        assert_eq!(host("git@x.org:a.git"), None);
    }
}
