//! Which contexts and files are elsewhere: URLs and git repositories.

/// True for an HTTP URL or a git repository, as buildx tells them from paths.
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

/// The scheme in small letters and what follows `://`.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
