//! Caches in the services of GitHub and AWS: their credentials come from variables that CI systems
//! set.

use std::collections::BTreeMap;

use crate::client::CacheEntry;

/// The build argument that requests an inline cache, older than the flag.
const INLINE: &str = "BUILDKIT_INLINE_CACHE";

/// Adds the credentials of the environment to the caches. A GitHub cache without credentials is
/// dropped, so that the build also works outside of GitHub Actions.
pub fn with_credentials(
    caches: Vec<CacheEntry>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<CacheEntry> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let caches = caches.into_iter().map(|entry| completed(entry, variable));
    caches.filter(is_active).collect()
}

/// Adds the inline cache if the build argument requests it.
pub fn add_inline_cache(caches: &mut Vec<CacheEntry>, build_args: &BTreeMap<String, String>) {
    let wanted = build_args.get(INLINE);
    let wanted = wanted.and_then(|text| crate::dockerfile::go_bool(text)) == Some(true);
    if wanted && !caches.iter().any(|cache| cache.kind == "inline") {
        caches.push(CacheEntry {
            kind: "inline".to_owned(),
            ..CacheEntry::default()
        });
    }
}

fn completed(mut entry: CacheEntry, variable: impl Fn(&str) -> Option<String>) -> CacheEntry {
    let asks_for_second = entry
        .attrs
        .get("version")
        .is_some_and(|version| version == "2");
    let keys = ["access_key_id", "secret_access_key"];
    let has_keys = keys.iter().all(|key| entry.attrs.contains_key(*key));
    let mut add = |key: &str, value: Option<String>| {
        if let (Some(value), false) = (value, entry.attrs.contains_key(key)) {
            entry.attrs.insert(key.to_owned(), value);
        }
    };
    match entry.kind.as_str() {
        "gha" => {
            let second = variable("ACTIONS_CACHE_SERVICE_V2").is_some_and(|text| {
                matches!(text.to_ascii_lowercase().as_str(), "true" | "1" | "t")
            });
            add("token", variable("ACTIONS_RUNTIME_TOKEN"));
            let second = second || asks_for_second;
            add("url_v2", variable("ACTIONS_RESULTS_URL").filter(|_| second));
            add(
                "url",
                variable("ACTIONS_CACHE_URL").or_else(|| variable("ACTIONS_RESULTS_URL")),
            );
        }
        // Given keys are complete: a session token from the environment would not belong to them.
        "s3" if !has_keys => {
            add("access_key_id", variable("AWS_ACCESS_KEY_ID"));
            add("secret_access_key", variable("AWS_SECRET_ACCESS_KEY"));
            add("session_token", variable("AWS_SESSION_TOKEN"));
        }
        _ => {}
    }
    entry
}

fn is_active(entry: &CacheEntry) -> bool {
    let has = |key: &str| entry.attrs.get(key).is_some_and(|value| !value.is_empty());
    entry.kind != "gha" || (has("token") && (has("url") || has("url_v2")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(kind: &str, attrs: &[(&str, &str)], variables: &[(&str, &str)]) -> CacheEntry {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let entry = CacheEntry {
            kind: kind.to_owned(),
            attrs: attrs.iter().map(owned).collect(),
        };
        completed(entry, |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn github_s_cache_takes_its_token_from_the_environment() {
        let entry = with(
            "gha",
            &[("scope", "x")],
            &[
                ("ACTIONS_RUNTIME_TOKEN", "t"),
                ("ACTIONS_RESULTS_URL", "https://r"),
                ("ACTIONS_CACHE_SERVICE_V2", "True"),
            ],
        );
        assert_eq!(entry.attrs["token"], "t");
        assert_eq!(entry.attrs["url_v2"], "https://r");
        assert!(is_active(&entry));
        assert!(!is_active(&with("gha", &[], &[])));
    }

    #[test]
    fn a_build_argument_asks_for_an_inline_cache() {
        let with = |value: &str| {
            let mut caches = Vec::new();
            add_inline_cache(&mut caches, &[(INLINE.to_owned(), value.to_owned())].into());
            caches.len()
        };
        assert_eq!(
            (with("1"), with("true"), with("0"), with("x")),
            (1, 1, 0, 0)
        );
    }

    #[test]
    fn given_credentials_win() {
        let entry = with(
            "s3",
            &[("access_key_id", "mine")],
            &[("AWS_ACCESS_KEY_ID", "other")],
        );
        assert_eq!(entry.attrs["access_key_id"], "mine");
    }
}
