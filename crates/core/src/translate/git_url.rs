//! Git sources of ADD and contexts: `https://host/path.git#ref:dir`, `git@host:path`, queries like
//! `?branch=main`.

use super::problem::GitUrlProblem;
use super::url::{Url, parse_query};
use crate::llb::{self, path};

/// A git source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GitSource {
    /// The options of the checkout.
    pub(super) git: llb::Git,
    /// True if it could be a path as well (`github.com/a/b`); only contexts read such a name as
    /// git.
    pub(super) like_a_path: bool,
    /// `keep-git-dir`
    pub(super) keep_git_dir: Option<bool>,
}

/// Parses a git source. `None` if the text is something else; an error if it is git with a
/// malformed query.
pub(super) fn parse(text: &str) -> Option<Result<GitSource, GitUrlProblem>> {
    if text.starts_with("./") || text.starts_with("../") {
        return None;
    }
    let (remote, query) = remote(text)?;
    let mut source = GitSource {
        git: llb::Git {
            host: remote.host,
            path: remote.path,
            url: remote.url,
            ssh: remote.ssh,
            ..llb::Git::default()
        },
        like_a_path: text.starts_with("github.com/"),
        keep_git_dir: None,
    };
    if !remote.fragment.is_empty() {
        let (reference, subdir) = remote
            .fragment
            .split_once(':')
            .unwrap_or((&remote.fragment, ""));
        reference.clone_into(&mut source.git.reference);
        source.git.subdir = path::join("/", subdir).trim_start_matches('/').to_owned();
    }
    Some(apply_query(&mut source, &query).map(|()| source))
}

/// True if the text is a URL that is fetched as one file.
pub(super) fn is_http(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://"))
        && !matches!(parse(text), Some(Ok(_)))
}

struct Remote {
    host: String,
    path: String,
    url: String,
    ssh: bool,
    fragment: String,
}

fn remote(text: &str) -> Option<(Remote, Vec<(String, String)>)> {
    if text.starts_with("github.com/") {
        return from_url(&Url::parse(&format!("https://{text}"))?);
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }) {
        None => scp_style(text),
        Some(scheme) => {
            let scheme = scheme.to_ascii_lowercase();
            let url = Url::parse(text)
                .filter(|_| ["http", "https", "ssh", "git"].contains(&scheme.as_str()))?;
            // An http URL is git only if its path ends in `.git`.
            if scheme.starts_with("http") && !url.path.ends_with(".git") {
                return None;
            }
            from_url(&url)
        }
    }
}

fn from_url(url: &Url) -> Option<(Remote, Vec<(String, String)>)> {
    let (fragment, query) = (url.fragment.clone(), url.query());
    let written = url.without_query();
    // BuildKit parses the text a second time, and then takes `git:`, the rest of `git://`, for a
    // host name.
    let again = match written.contains("://") {
        true => None,
        false => Some(Url::parse(&format!("https://{written}"))?),
    };
    let url = again.as_ref().unwrap_or(url);
    let remote = Remote {
        host: url.host.clone(),
        path: url.path.clone(),
        url: url.without_query(),
        ssh: url.scheme == "ssh",
        fragment,
    };
    Some((remote, query))
}

/// `user@host:path?query#fragment`
fn scp_style(text: &str) -> Option<(Remote, Vec<(String, String)>)> {
    let (user, rest) = text.split_once('@')?;
    let (host, rest) = rest.split_once(':')?;
    let is_word = |text: &str, extra: &[u8]| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    if !is_word(user, b"-_") || !is_word(host, b"-.") || rest.contains('\n') {
        return None;
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (query, complete) = parse_query(query);
    let remote = Remote {
        host: host.to_owned(),
        path: path.to_owned(),
        url: format!("{user}@{host}:{path}"),
        ssh: true,
        fragment: fragment.to_owned(),
    };
    complete.then_some((remote, query))
}

fn apply_query(source: &mut GitSource, query: &[(String, String)]) -> Result<(), GitUrlProblem> {
    let mut tag = None;
    let mut branch = None;
    for (position, (key, value)) in query.iter().enumerate() {
        if query[..position].iter().any(|(known, _)| known == key) {
            let key = key.clone();
            return Err(GitUrlProblem::Duplicate { key });
        }
        let switch = matches!(
            key.as_str(),
            "keep-git-dir" | "submodules" | "fetch-by-commit"
        );
        if value.is_empty() && !switch {
            let key = key.clone();
            return Err(GitUrlProblem::NoValue { key });
        }
        let git = &mut source.git;
        match key.as_str() {
            "ref" => set_once(&mut git.reference, value, "ref")?,
            "tag" => tag = Some(qualified("refs/tags/", value)),
            "branch" => branch = Some(qualified("refs/heads/", value)),
            "subdir" => set_once(&mut git.subdir, value, "subdir")?,
            "checksum" | "commit" => git.checksum.clone_from(value),
            "keep-git-dir" => source.keep_git_dir = Some(read_switch(key, value)?),
            "submodules" => git.skip_submodules = !read_switch(key, value)?,
            "fetch-by-commit" => git.fetch_by_commit = read_switch(key, value)?,
            "mtime" if ["checkout", "commit"].contains(&value.as_str()) => {
                git.mtime.clone_from(value)
            }
            "mtime" => {
                let value = value.clone();
                return Err(GitUrlProblem::Mtime { value });
            }
            _ => return Err(GitUrlProblem::UnknownKey { key: key.clone() }),
        }
    }
    if tag.is_some() && branch.is_some() {
        return Err(GitUrlProblem::BranchAndTag);
    }
    match tag.or(branch) {
        Some(reference) => set_once(&mut source.git.reference, &reference, "ref"),
        None => Ok(()),
    }
}

fn qualified(prefix: &str, name: &str) -> String {
    if name.starts_with(prefix) {
        name.to_owned()
    } else {
        format!("{prefix}{name}")
    }
}

fn set_once(place: &mut String, value: &str, key: &'static str) -> Result<(), GitUrlProblem> {
    if !place.is_empty() && place != value {
        return Err(GitUrlProblem::Conflict {
            key,
            first: place.clone(),
            second: value.to_owned(),
        });
    }
    value.clone_into(place);
    Ok(())
}

/// Parses a bool as Go's `strconv.ParseBool`; an empty value is true.
fn read_switch(key: &str, value: &str) -> Result<bool, GitUrlProblem> {
    match value {
        "" | "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(GitUrlProblem::Switch {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(text: &str) -> llb::Git {
        parse(text).unwrap().unwrap().git
    }

    #[test]
    fn urls_and_scp_names_are_git() {
        let source = git("https://github.com/moby/buildkit.git#v1:sub/../dir/");
        assert_eq!(
            (source.reference.as_str(), source.subdir.as_str()),
            ("v1", "dir")
        );
        assert_eq!(source.url, "https://github.com/moby/buildkit.git");
        let source = git("git@github.com:moby/buildkit.git?branch=main");
        assert_eq!(
            (source.ssh, source.reference.as_str()),
            (true, "refs/heads/main")
        );
        assert_eq!(
            (source.host.as_str(), source.path.as_str()),
            ("github.com", "moby/buildkit.git")
        );
        let source = git("git://#v1");
        assert_eq!(
            (source.host.as_str(), source.url.as_str(), source.ssh),
            ("git:", "https://git:", false)
        );
        let source = git("http://ex\u{e4}mple.test/r.git");
        assert_eq!(
            (source.host.as_str(), source.url.as_str()),
            ("ex\u{e4}mple.test", "http://ex%C3%A4mple.test/r.git")
        );
        assert!(git("https://h/r.git?submodules=false").skip_submodules);
        assert!(parse("github.com/a/b").unwrap().unwrap().like_a_path);
    }

    #[test]
    fn files_and_other_urls_are_not() {
        for text in [
            "./a.git",
            "a/b",
            "https://h/x.tar",
            "ftp://h/x.git",
            "@a:b",
            "a b@c:d",
            "x@y",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(is_http("https://h/x.tar") && !is_http("https://h/x.git") && !is_http("/http://"));
    }

    #[test]
    fn wrong_queries_are_errors() {
        for query in [
            "ref=a&ref=a",
            "ref=",
            "x=y",
            "branch=a&tag=b",
            "mtime=x",
            "submodules=2",
        ] {
            assert!(
                parse(&format!("https://h/r.git?{query}")).unwrap().is_err(),
                "{query}"
            );
        }
        assert!(parse("https://h/r.git?ref=a#b").unwrap().is_err());
    }
}
