//! What a request to a registry needs to be allowed: the scopes of its token.

use crate::oci::Reference;

/// A registry, and the scopes that a token for it must have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Access {
    /// `HOST[:PORT]`.
    pub(super) registry: String,
    /// The repository that credentials are looked up for; empty for the registry as a whole.
    pub(super) path: String,
    /// Such as `repository:library/alpine:pull`, as the token specification has them.
    pub(super) scopes: Vec<String>,
}

impl Access {
    /// Reading of a repository.
    pub(super) fn pull(of: &Reference) -> Self {
        Self::to(of, &[scope(of, "pull")])
    }

    /// Writing to a repository.
    pub(super) fn push(of: &Reference) -> Self {
        Self::to(of, &[scope(of, "pull,push")])
    }

    /// Writing to a repository what another one of the same registry has.
    pub(super) fn mount(of: &Reference, from: &Reference) -> Self {
        Self::to(of, &[scope(of, "pull,push"), scope(from, "pull")])
    }

    /// The registry as a whole: who one is.
    pub(super) fn login(registry: &str) -> Self {
        Self {
            registry: registry.to_owned(),
            path: String::new(),
            scopes: Vec::new(),
        }
    }

    fn to(of: &Reference, scopes: &[String]) -> Self {
        Self {
            registry: of.domain().to_owned(),
            path: of.path().to_owned(),
            scopes: scopes.to_vec(),
        }
    }
}

fn scope(of: &Reference, actions: &str) -> String {
    format!("repository:{}:{actions}", of.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_asks_for_push_and_mounting_for_the_source_too() {
        let to = Reference::parse("r.example/to:1").unwrap();
        let from = Reference::parse("r.example/from").unwrap();
        assert_eq!(Access::pull(&from).scopes, ["repository:from:pull"]);
        assert_eq!(Access::push(&to).scopes, ["repository:to:pull,push"]);
        assert_eq!(
            Access::mount(&to, &from).scopes,
            ["repository:to:pull,push", "repository:from:pull"]
        );
    }
}
