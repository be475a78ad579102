//! The keys under which configurations and helpers store credentials of a registry or a part of it.

/// Docker Hub's key in Docker's configurations and helpers.
pub(super) const HUB: &str = "https://index.docker.io/v1/";
/// The names of Docker Hub. Podman's files use the first.
const HUB_NAMES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// A credential lookup.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The host with its port.
    pub(super) registry: &'a str,
    /// The repository without the registry; `None` if unknown.
    pub(super) repository: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// Returns the keys for parts of the registry that contain the repository, longest first:
    /// `REGISTRY/a/b`, `REGISTRY/a`.
    pub(super) fn parts(&self) -> Vec<String> {
        let registry = match is_hub(self.registry) {
            true => HUB_NAMES[0],
            false => self.registry,
        };
        let mut parts = Vec::new();
        let mut path = self.repository.unwrap_or_default();
        while !path.is_empty() {
            parts.push(format!("{registry}/{path}"));
            path = path.rsplit_once('/').map_or("", |(before, _)| before);
        }
        parts
    }

    /// Returns the keys of the whole registry.
    pub(super) fn whole(&self) -> Vec<&'a str> {
        match is_hub(self.registry) {
            true => std::iter::once(HUB).chain(HUB_NAMES).collect(),
            false => vec![self.registry],
        }
    }
}

fn is_hub(registry: &str) -> bool {
    HUB_NAMES.contains(&registry) || registry == HUB
}

/// Returns the host and port of a key, which may be a URL or have a path.
pub(super) fn host(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}

/// True if the key is for a part of a registry only. URLs (in older configurations) and API paths
/// stand for the whole registry.
pub(super) fn is_part(key: &str) -> bool {
    if key.contains("://") {
        return false;
    }
    let path = key.split_once('/').map_or("", |(_, path)| path);
    !matches!(path.trim_end_matches('/'), "" | "v1" | "v2")
}

/// Returns the key for a login to `server`: a host with port, or with the path of a part of the
/// registry. It has no scheme and no API path. Docker Hub and an empty name have Docker's own key.
///
/// `docker.io`, `https://index.docker.io/v1/` → `https://index.docker.io/v1/`;
/// `https://reg.example/v2/` → `reg.example`.
pub fn login_key(server: &str) -> String {
    let server = server.trim();
    let lower = server.to_ascii_lowercase();
    let rest = match lower
        .strip_prefix("https://")
        .or(lower.strip_prefix("http://"))
    {
        // Paths are case sensitive.
        Some(rest) => &server[server.len() - rest.len()..],
        None => server,
    };
    let rest = rest.trim_start();
    let rest = rest.trim_end_matches(|c: char| c == '/' || c.is_whitespace());
    let rest = match is_part(rest) {
        true => rest,
        false => host(rest).trim(),
    };
    if rest.is_empty() || is_hub(rest) {
        return HUB.to_owned();
    }
    rest.to_owned()
}

/// Returns the registry's display name for a [`login_key`]: `docker.io`, `reg.example:5000`.
pub fn registry_of_key(key: &str) -> &str {
    match host(key) {
        host if is_hub(host) => HUB_NAMES[0],
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_part_is_asked_for_first() {
        let asked = Asked {
            registry: "r.example",
            repository: Some("a/b/c"),
        };
        assert_eq!(
            asked.parts(),
            ["r.example/a/b/c", "r.example/a/b", "r.example/a"]
        );
        assert_eq!(asked.whole(), ["r.example"]);
        let asked = Asked {
            registry: "index.docker.io",
            repository: Some("library/alpine"),
        };
        assert_eq!(
            asked.parts(),
            ["docker.io/library/alpine", "docker.io/library"]
        );
        assert_eq!(asked.whole()[..2], [HUB, "docker.io"]);
    }

    #[test]
    fn parts_of_registries_are_distinguished_from_addresses() {
        for key in [
            "r.example",
            "https://r.example/a",
            "r.example/v1/",
            "r.example/",
            HUB,
        ] {
            assert!(!is_part(key), "{key}");
        }
        for key in ["r.example/a", "r.example:5000/v1/a"] {
            assert!(is_part(key), "{key}");
        }
    }

    #[test]
    fn logins_have_dockers_keys() {
        for (server, key) in [
            ("", HUB),
            ("docker.io", HUB),
            ("index.docker.io", HUB),
            (HUB, HUB),
            ("localhost:5000", "localhost:5000"),
            ("https://r.example/v2/", "r.example"),
            ("HTTP://r.example:80/", "r.example:80"),
            ("r.example/v1/", "r.example"),
            ("r.example/Team/app", "r.example/Team/app"),
            ("docker.io/me", "docker.io/me"),
            ("https:// r.example/v2 /", "r.example"),
            ("x://r.example /v2", "r.example"),
        ] {
            assert_eq!(login_key(server), key, "{server}");
            assert_eq!(login_key(key), key, "{server}");
        }
        assert_eq!(registry_of_key(HUB), "docker.io");
        assert_eq!(registry_of_key("r.example:5/a"), "r.example:5");
    }
}
