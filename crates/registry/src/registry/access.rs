//! The token scopes that a request to a registry needs.

use crate::oci::Reference;

/// A registry and the scopes that its token must have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Access {
    /// `HOST[:PORT]`.
    pub(super) registry: String,
    /// The repository for the credential lookup; empty for the whole registry.
    pub(super) path: String,
    /// Scopes in the form of the token specification, such as `repository:library/alpine:pull`.
    pub(super) scopes: Vec<String>,
}

impl Access {
    /// Read access to a repository.
    pub(super) fn pull(of: &Reference) -> Self {
        Self::to(of, &[scope(of, "pull")])
    }

    /// Write access to a repository.
    pub(super) fn push(of: &Reference) -> Self {
        Self::to(of, &[scope(of, "pull,push")])
    }

    /// Access to remove content of a repository.
    pub(super) fn delete(of: &Reference) -> Self {
        Self::to(of, &[scope(of, "delete,pull,push")])
    }

    /// Write access to a repository, and read access to one of the same registry to mount from.
    pub(super) fn mount(of: &Reference, from: &Reference) -> Self {
        Self::to(of, &[scope(of, "pull,push"), scope(from, "pull")])
    }

    /// Access to the registry as a whole, to check a login.
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
