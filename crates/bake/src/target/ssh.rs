//! `ssh`: agents and keys for `RUN --mount=type=ssh`.

use super::fields::keep_last;

/// One agent, or a set of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ssh {
    /// The id in the Dockerfile.
    pub id: String,
    /// A socket or keys; empty for `$SSH_AUTH_SOCK`.
    pub paths: Vec<String>,
}

impl Ssh {
    /// Parses `default` or `id=path,path`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((id, paths)) => Self {
                id: id.to_owned(),
                paths: paths.split(',').map(str::to_owned).collect(),
            },
            None => Self {
                id: text.to_owned(),
                paths: Vec::new(),
            },
        }
    }

    /// Returns the last agent of each id.
    pub fn normalize(list: Vec<Self>) -> Vec<Self> {
        keep_last(list, |ssh| &ssh.id)
    }
}
