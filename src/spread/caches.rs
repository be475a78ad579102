//! Caches of a build on several nodes: each part exports its own, named after its first platform.
//! Pure.
//!
//! Caches in registries and folders are merged into the requested one ([`super::merge`]). The other
//! kinds are services that only daemons can access: their caches stay separate, and all of them are
//! imported.

use crate::client::CacheEntry;
use crate::oci::{Platform, Reference};
use crate::pipeline::BuildRequest;

/// Returns the attribute with a cache's name, and its default value.
fn name_of(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "registry" => Some(("ref", "")),
        "local" => Some(("tag", "latest")),
        "gha" => Some(("scope", "buildkit")),
        "s3" | "azblob" => Some(("name", "buildkit")),
        _ => None,
    }
}

/// True if this client can read and write the caches of a kind.
fn is_merged(kind: &str) -> bool {
    matches!(kind, "registry" | "local")
}

/// Returns the requested name of a cache.
pub(super) fn name(entry: &CacheEntry) -> Option<&str> {
    let (key, default) = name_of(&entry.kind)?;
    let given = entry.attrs.get(key).map(String::as_str);
    Some(given.filter(|given| !given.is_empty()).unwrap_or(default))
}

/// Returns the name of a part's cache: `app:cache` becomes `app:cache-linux-arm64`.
pub(super) fn part_name(entry: &CacheEntry, platform: &Platform) -> Option<String> {
    let name = name(entry)?;
    let suffix = platform.to_string().replace('/', "-");
    if entry.kind != "registry" {
        return Some(format!("{name}-{suffix}"));
    }
    let reference = Reference::parse(name).ok()?.with_default_tag();
    let tag = reference.tag()?;
    Some(format!("{}:{tag}-{suffix}", reference.name()))
}

/// Sets the exports of a part. A folder's other content is removed once all parts are complete.
pub(super) fn of_part(part: &mut BuildRequest, platforms: &[Platform]) {
    let Some(first) = platforms.first() else {
        return;
    };
    for entry in &mut part.cache_to {
        let (Some((key, _)), Some(name)) = (name_of(&entry.kind), part_name(entry, first)) else {
            continue;
        };
        entry.attrs.insert(key.to_owned(), name);
        entry.attrs.remove("reset");
    }
}

/// Adds imports for the separate caches that builds on several nodes may have left.
pub(super) fn add_imports(request: &mut BuildRequest) {
    let mut more = Vec::new();
    for entry in &request.cache_from {
        let Some((key, _)) = name_of(&entry.kind).filter(|_| !is_merged(&entry.kind)) else {
            continue;
        };
        for platform in &request.platforms {
            let Some(name) = part_name(entry, platform) else {
                continue;
            };
            let mut part = entry.clone();
            part.attrs.insert(key.to_owned(), name);
            more.push(part);
        }
    }
    request.cache_from.extend(more);
}

/// Returns the exports that are merged at the end.
pub(super) fn merged(request: &BuildRequest) -> impl Iterator<Item = &CacheEntry> {
    let exports = request.cache_to.iter();
    exports.filter(|entry| is_merged(&entry.kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{CacheDirection, parse_cache};

    fn platforms(texts: &[&str]) -> Vec<Platform> {
        let parse = |text: &&str| Platform::parse(text).unwrap();
        texts.iter().map(parse).collect()
    }

    fn request(from: &str, to: &str) -> BuildRequest {
        let mut request = BuildRequest::new(".");
        request.cache_from = parse_cache(from, CacheDirection::From).unwrap();
        request.cache_to = parse_cache(to, CacheDirection::To).unwrap();
        request
    }

    #[test]
    fn each_part_has_a_cache_of_its_own() {
        for (given, key, name) in [
            (
                "type=registry,ref=a.test/x:c",
                "ref",
                "a.test/x:c-linux-arm-v7",
            ),
            (
                "type=registry,ref=x",
                "ref",
                "docker.io/library/x:latest-linux-arm-v7",
            ),
            ("type=local,dest=d,reset=true", "tag", "latest-linux-arm-v7"),
            (
                "type=gha,scope=main,token=t,url=u",
                "scope",
                "main-linux-arm-v7",
            ),
            ("type=s3,region=r,bucket=b", "name", "buildkit-linux-arm-v7"),
        ] {
            let mut part = request("x", given);
            of_part(&mut part, &platforms(&["linux/arm/v7", "linux/386"]));
            let attrs = &part.cache_to[0].attrs;
            assert_eq!(attrs[key], name, "{given}");
            assert!(!attrs.contains_key("reset"));
        }
        let mut inline = request("x", "type=inline");
        of_part(&mut inline, &platforms(&["linux/386"]));
        assert!(inline.cache_to[0].attrs.is_empty());
    }

    #[test]
    fn caches_that_stay_apart_are_all_imported() {
        let mut all = request("type=s3,region=r,bucket=b,name=n", "type=inline");
        all.platforms = platforms(&["linux/amd64", "linux/arm64"]);
        add_imports(&mut all);
        let names = all.cache_from.iter().map(|entry| &entry.attrs["name"]);
        let names: Vec<&String> = names.collect();
        assert_eq!(names, ["n", "n-linux-amd64", "n-linux-arm64"]);
        let mut one = request("type=registry,ref=x", "type=inline");
        one.platforms = all.platforms;
        add_imports(&mut one);
        assert_eq!(one.cache_from.len(), 1, "it has all platforms");
    }
}
