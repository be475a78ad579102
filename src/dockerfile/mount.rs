//! `RUN --mount`: its keys and what they mean for each type of mount.

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
