//! Mounts of a process.

use super::super::caps::{Cap, CapSet};
use super::super::state::State;
use super::super::vertex::Output;

/// A file system mounted for the process.
#[derive(Debug)]
pub struct Mount {
    pub(in super::super) target: String,
    pub(in super::super) source: Option<Output>,
    pub(in super::super) selector: String,
    pub(in super::super) read_only: bool,
    pub(in super::super) no_output: bool,
    pub(in super::super) kind: MountKind,
}

#[derive(Debug)]
pub(in super::super) enum MountKind {
    Bind,
    Cache { id: String, sharing: Sharing },
    Tmpfs { size: i64 },
}

/// What happens when two processes want one cache mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Both use it.
    #[default]
    Shared,
    /// The second gets another one.
    Private,
    /// The second waits.
    Locked,
}

impl Mount {
    pub(super) fn new(target: impl Into<String>, source: Option<Output>, kind: MountKind) -> Self {
        Self {
            target: target.into(),
            source,
            selector: String::new(),
            read_only: false,
            no_output: false,
            kind,
        }
    }

    /// `state` at `target`; writable unless [`read_only`](Self::read_only).
    pub fn bind(target: impl Into<String>, state: &State) -> Self {
        Self::new(target, state.output().cloned(), MountKind::Bind)
    }

    /// A folder that lives on in the daemon under `id`, with the files of `state` when it is new.
    pub fn cache(
        target: impl Into<String>,
        state: &State,
        id: impl Into<String>,
        sharing: Sharing,
    ) -> Self {
        Self::new(
            target,
            state.output().cloned(),
            MountKind::Cache {
                id: id.into(),
                sharing,
            },
        )
    }

    /// Memory; `size` in bytes, 0 for the daemon's default.
    pub fn tmpfs(target: impl Into<String>, size: i64) -> Self {
        Self::new(target, None, MountKind::Tmpfs { size })
    }

    /// Only this path of the mounted file system.
    #[must_use]
    pub fn selecting(mut self, path: impl Into<String>) -> Self {
        self.selector = path.into();
        self
    }

    /// Not writable when set.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// What is written is forgotten afterwards.
    #[must_use]
    pub fn without_output(mut self) -> Self {
        self.no_output = true;
        self
    }

    /// Has the process's change to this mount an output of its own?
    pub(in super::super) fn has_output(&self) -> bool {
        !self.read_only && !self.no_output && matches!(self.kind, MountKind::Bind)
    }

    pub(super) fn add_caps(&self, caps: &mut CapSet) {
        if !self.selector.is_empty() {
            caps.insert(Cap::ExecMountSelector);
        }
        match &self.kind {
            MountKind::Cache { .. } => {
                caps.insert(Cap::ExecMountCache);
                caps.insert(Cap::ExecMountCacheSharing);
            }
            MountKind::Tmpfs { size } => {
                caps.insert(Cap::ExecMountTmpfs);
                if *size > 0 {
                    caps.insert(Cap::ExecMountTmpfsSize);
                }
            }
            MountKind::Bind if self.source.is_some() => caps.insert(Cap::ExecMountBind),
            MountKind::Bind => {}
        }
    }
}
