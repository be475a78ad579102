//! `RUN --mount`: its keys and what they mean for each type of mount.

mod options;

mod value;

use super::lexer::ExpandError;

pub(super) use options::mount_from;
pub use options::parse_mount;
pub use value::go_bool;

/// A `RUN --mount` after its variables are expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// `type=`
    pub kind: MountType,
    /// `from=`: a stage, an image or a named context; the build context if absent.
    pub from: Option<String>,
    /// `source=`, `src=`; empty if absent.
    pub source: String,
    /// `target=`, `dst=`, `destination=`; empty if absent.
    pub target: String,
    /// `readonly`, `ro`, `readwrite`, `rw`; by default all but cache and tmpfs are read-only.
    pub read_only: bool,
    /// `size=` of a tmpfs, in bytes; 0 if absent.
    pub size_limit: i64,
    /// `id=` of a cache, secret or ssh agent; empty if absent.
    pub id: String,
    /// `sharing=` of a cache.
    pub sharing: Option<CacheSharing>,
    /// `required` of a secret or ssh agent.
    pub required: bool,
    /// `env=` of a secret: the name of the variable that carries it.
    pub env: Option<String>,
    /// `mode=`, written in octal.
    pub mode: Option<u32>,
    /// `uid=`
    pub uid: Option<u32>,
    /// `gid=`
    pub gid: Option<u32>,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MountType {
    /// A directory or file of the context, a stage or an image.
    #[default]
    Bind,
    /// A directory that the builder keeps between builds.
    Cache,
    /// Memory.
    Tmpfs,
    /// A secret of the client.
    Secret,
    /// The client's ssh agent.
    Ssh,
}

/// How concurrent users of a cache mount get along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheSharing {
    /// All write to the same directory.
    #[default]
    Shared,
    /// A second user gets a directory of its own.
    Private,
    /// A second user waits.
    Locked,
}

/// A `RUN --mount` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields say what the messages print")]
pub enum MountError {
    /// The quotes of the comma-separated list are wrong, or there is nothing.
    #[error("{text:?} is not a list of comma-separated options")]
    List { text: String },
    /// A key that needs a value stands alone.
    #[error("the option {field:?} needs a value")]
    NoValue { field: String },
    /// A value cannot be expanded.
    #[error("a value cannot be expanded")]
    Expand(#[from] ExpandError),
    /// A variable in `from=`.
    #[error("from= takes no variables: {value:?}")]
    FromVariable { value: String },
    /// No such type of mount.
    #[error("unknown mount type {value:?}{}", suggestion(nearest.as_deref()))]
    UnknownType {
        value: String,
        nearest: Option<&'static str>,
    },
    /// No such sharing mode.
    #[error("unknown sharing mode {value:?}{}", suggestion(nearest.as_deref()))]
    UnknownSharing {
        value: String,
        nearest: Option<&'static str>,
    },
    /// No such key.
    #[error("unknown option {key:?}{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        key: String,
        nearest: Option<&'static str>,
    },
    /// A key that this type of mount does not have.
    #[error("a mount of type {kind} has no option {key}")]
    KeyOfOtherType { key: &'static str, kind: MountType },
    /// A value that its key cannot have.
    #[error("{key}= cannot be {value:?}")]
    Value { key: &'static str, value: String },
    /// A secret with neither source, target nor id.
    #[error("a mount of type secret needs a source, a target or an id")]
    SecretWithoutName,
    /// A secret with both source and id.
    #[error("a mount of type secret takes either a source or an id, not both")]
    SecretWithTwoNames,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

impl MountType {
    /// The name in `type=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Cache => "cache",
            Self::Tmpfs => "tmpfs",
            Self::Secret => "secret",
            Self::Ssh => "ssh",
        }
    }
}

impl std::fmt::Display for MountType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CacheSharing {
    /// The name in `sharing=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }
}
