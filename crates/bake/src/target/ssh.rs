//! `ssh`: agents and keys for `RUN --mount=type=ssh`.

/// One agent, or a set of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ssh {
    /// The id by which the Dockerfile asks for it.
    pub id: String,
    /// A socket or keys; none for `$SSH_AUTH_SOCK`.
    pub paths: Vec<String>,
}
