//! `secret`: where a secret's content comes from.

/// One secret; empty text stands for what was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// The id by which the Dockerfile asks for it.
    pub id: String,
    /// `src`: the file.
    pub path: String,
    /// `env`: the environment variable.
    pub variable: String,
}
