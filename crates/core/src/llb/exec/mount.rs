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

/// The sharing mode of a cache mount that two processes use at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Both use it.
    #[default]
    Shared,
    /// The second process gets another folder.
    Private,
    /// The second process waits.
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

    /// Mounts `state` at `target`; writable unless [`read_only`](Self::read_only).
    pub fn bind(target: impl Into<String>, state: &State) -> Self {
        Self::new(target, state.output().cloned(), MountKind::Bind)
    }

    /// Mounts a folder that the daemon keeps under `id`. A new one starts with the files of
    /// `state`.
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

    /// Mounts a tmpfs of `size` bytes, 0 for the daemon's default.
    pub fn tmpfs(target: impl Into<String>, size: i64) -> Self {
        Self::new(target, None, MountKind::Tmpfs { size })
    }

    /// Restricts the mount to this path of the mounted file system.
    #[must_use]
    pub fn selecting(mut self, path: impl Into<String>) -> Self {
        self.selector = path.into();
        self
    }

    /// Makes the mount read-only if true.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Discards the process's changes to this mount.
    #[must_use]
    pub fn without_output(mut self) -> Self {
        self.no_output = true;
        self
    }

    /// True if the mount has an output of its own for the process's changes.
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
