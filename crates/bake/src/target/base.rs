//! The directories at which the relative contexts of a target start.

use std::collections::BTreeMap;

/// Which file set a target's contexts: with `BUILDX_BAKE_FILE_RELATIVE_PATHS`, relative paths start
/// at the directory of that file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextBase {
    /// The directory of the file that declares the target: for a target without `context`.
    pub default: Option<String>,
    /// True if the context of a target without `context` is `default`.
    pub uses_default: bool,
    /// The directory of the file that sets `context`.
    pub context: Option<String>,
    /// The target whose `context` this one's `context` refers to: `context = target.x.context`.
    pub context_of: Option<String>,
    /// The directory of the file that sets a named context.
    pub contexts: BTreeMap<String, String>,
}

/// True for the URL of a Git repository or of a file on the web.
pub fn is_remote(text: &str) -> bool {
    const PREFIXES: [&str; 5] = ["https://", "http://", "git://", "ssh://", "github.com/"];
    if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
        return true;
    }
    let word = |text: &str| {
        let mut characters = text.chars();
        !text.is_empty()
            && characters.all(|next| next.is_ascii_alphanumeric() || "-_".contains(next))
    };
    let scp = text.split_once('@').and_then(|(user, rest)| {
        let (host, _) = rest.split_once(':')?;
        Some(word(user) && host.split('.').all(word))
    });
    scp.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_and_urls_are_remote() {
        for text in [
            "https://a.b/c",
            "git@github.com:a/b.git",
            "ssh://git@h/x",
            "github.com/a/b",
        ] {
            assert!(is_remote(text), "{text}");
        }
        for text in ["./a", "a@b", "dir:with@colon", "cwd://x", "target:a"] {
            assert!(!is_remote(text), "{text}");
        }
    }
}
