//! `WWW-Authenticate`: what a registry wants before it answers.

use http::header::{HeaderMap, WWW_AUTHENTICATE};

/// A challenge of a kind that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token of this server.
    Bearer {
        /// The server's address.
        realm: String,
        /// What the registry is called there; can be empty.
        service: String,
    },
    /// A name and a password.
    Basic,
}

impl Challenge {
    /// The first that can be answered.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(Self::parse)
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, parameters) = text.split_once(' ').unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let get = |name: &str| {
            let start = parameters.find(&format!("{name}=\""))? + name.len() + 2;
            let length = parameters[start..].find('"')?;
            Some(parameters[start..start + length].to_owned())
        };
        Some(Self::Bearer {
            realm: get("realm")?,
            service: get("service").unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = Challenge::parse(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull""#,
        );
        assert_eq!(
            bearer,
            Some(Challenge::Bearer {
                realm: "https://auth.docker.io/token".to_owned(),
                service: "registry.docker.io".to_owned()
            })
        );
        assert_eq!(
            Challenge::parse("Basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        assert_eq!(Challenge::parse("Bearer x"), None);
    }
}
