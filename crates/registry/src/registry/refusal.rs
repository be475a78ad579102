//! A registry's refusal, and the proxy of the request.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// A registry's refusal, with its reason.
#[derive(Debug, Clone, Error)]
#[error(
    "{} failed{}: {status}{message}",
    operation(self),
    in_parentheses(scopes)
)]
#[non_exhaustive]
pub struct Refusal {
    /// The registry.
    pub registry: String,
    /// The refused action.
    pub action: RefusedAction,
    /// The repository, without registry.
    pub repository: String,
    /// The tag or digest; `the tags` or `a blob` if it is about those.
    pub what: String,
    /// The scopes that the request needs, such as `repository:library/alpine:pull`, if access is
    /// the reason.
    pub scopes: Vec<String>,
    /// The HTTP status.
    pub status: http::StatusCode,
    /// The registry's message after a colon; empty if there was none.
    pub message: String,
    /// The wait that the registry requests (`Retry-After`).
    pub(super) requested_wait: Option<Duration>,
    /// True if the registry itself denies access, and not a gateway.
    pub(super) says_denied: bool,
}

/// An action on a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusedAction {
    /// Content is read.
    Pull,
    /// Content is written.
    Push,
    /// An image or a tag is removed.
    Remove,
}

/// The proxy of a request for messages: ` through the proxy HOST:PORT`, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Via(pub(super) Option<String>);

impl Via {
    /// True if the request went through a proxy.
    pub fn is_used(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}

/// `pulling registry.example.com/app:1`
fn operation(refusal: &Refusal) -> String {
    let Refusal {
        registry,
        repository,
        what,
        ..
    } = refusal;
    let verb = match refusal.action {
        RefusedAction::Pull => "pulling",
        RefusedAction::Push => "pushing",
        RefusedAction::Remove => "removing",
    };
    match what.split_once(' ') {
        Some(_) => format!("{verb} {what} of {registry}/{repository}"),
        None if what.contains(':') => format!("{verb} {registry}/{repository}@{what}"),
        None => format!("{verb} {registry}/{repository}:{what}"),
    }
}

fn in_parentheses(scopes: &[String]) -> String {
    match scopes.is_empty() {
        true => String::new(),
        false => format!(" ({})", scopes.join(" ")),
    }
}
