//! `RUN --mount`: its keys and their meaning for each type of mount.

mod options;

mod value;

use super::lexer::ExpandError;

pub(super) use options::mount_from;
pub use options::parse_mount;
pub use value::go_bool;

/// A `RUN --mount` with its variables expanded.
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
    /// `readonly`, `ro`, `readwrite`, `rw`; by default all types except cache and tmpfs are
    /// read-only.
    pub read_only: bool,
    /// `size=` of a tmpfs, in bytes; 0 if absent.
    pub size_limit: i64,
    /// `id=` of a cache, secret or SSH agent; empty if absent.
    pub id: String,
    /// `sharing=` of a cache.
    pub sharing: Option<CacheSharing>,
    /// `required` of a secret or SSH agent.
    pub required: bool,
    /// `env=` of a secret: the name of its variable.
    pub env: Option<String>,
    /// `mode=`, parsed as octal.
    pub mode: Option<u32>,
    /// `uid=`
    pub uid: Option<u32>,
    /// `gid=`
    pub gid: Option<u32>,
}

/// The type of a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MountType {
    /// A directory or file of the context, a stage or an image.
    #[default]
    Bind,
    /// A directory that the daemon keeps between builds.
    Cache,
    /// A file system in memory.
    Tmpfs,
    /// A secret of the client.
    Secret,
    /// The client's SSH agent.
    Ssh,
}

/// The sharing mode of a cache mount with concurrent users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheSharing {
    /// All use the same directory.
    #[default]
    Shared,
    /// A second user gets a directory of its own.
    Private,
    /// A second user waits.
    Locked,
}

/// The reason a `RUN --mount` is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields say what the messages print")]
pub enum MountError {
    /// The comma-separated list is empty or has malformed quotes.
    #[error("{text:?} is not a list of comma-separated options")]
    List { text: String },
    /// A key that needs a value has none.
    #[error("the option {field:?} needs a value")]
    NoValue { field: String },
    /// A value cannot be expanded.
    #[error("a value cannot be expanded")]
    Expand(#[from] ExpandError),
    /// `from=` contains a variable.
    #[error("from= takes no variables: {value:?}")]
    FromVariable { value: String },
    /// The type of mount is unknown.
    #[error("unknown mount type {value:?}{}", suggestion(nearest.as_deref()))]
    UnknownType {
        value: String,
        nearest: Option<&'static str>,
    },
    /// The sharing mode is unknown.
    #[error("unknown sharing mode {value:?}{}", suggestion(nearest.as_deref()))]
    UnknownSharing {
        value: String,
        nearest: Option<&'static str>,
    },
    /// The key is unknown.
    #[error("unknown option {key:?}{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        key: String,
        nearest: Option<&'static str>,
    },
    /// This type of mount does not have the key.
    #[error("a mount of type {kind} has no option {key}")]
    KeyOfOtherType { key: &'static str, kind: MountType },
    /// The value is invalid for its key.
    #[error("{key}= cannot be {value:?}")]
    Value { key: &'static str, value: String },
    /// The secret has neither source, target nor id.
    #[error("a mount of type secret needs a source, a target or an id")]
    SecretWithoutName,
    /// The secret has both source and id.
    #[error("a mount of type secret takes either a source or an id, not both")]
    SecretWithTwoNames,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

impl MountType {
    /// Returns the name in `type=`.
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
    /// Returns the name in `sharing=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }
}
