//! Identifies a cache mount.

use super::CacheMountRecord;
use crate::llb::Sharing;

/// A cache mount, as an instruction in a Dockerfile refers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheMount {
    /// The `id=` of the mount, or else its `target=`.
    pub id: String,
    /// The value of the build argument `BUILDKIT_CACHE_MOUNT_NS`; usually empty.
    pub namespace: String,
    /// The sharing with builds that use the mount at the same time. [`Sharing::Locked`] waits until
    /// nothing else uses it. [`Sharing::Shared`] does not wait for other shared users, which may
    /// change files during the copy.
    pub sharing: Sharing,
    /// The owner and mode in the instruction: BuildKit keeps a separate folder for each.
    pub owner: Option<CacheOwner>,
}

/// The owner and mode of a cache mount: `uid=`, `gid=` and `mode=` of the instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOwner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The permissions.
    pub mode: u32,
}

impl Default for CacheOwner {
    /// The values for an instruction that sets only some of them.
    fn default() -> Self {
        Self {
            uid: 0,
            gid: 0,
            mode: 0o755,
        }
    }
}

impl CacheMount {
    /// Returns the mount with this id, without a namespace, for exclusive use.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            namespace: String::new(),
            sharing: Sharing::Locked,
            owner: None,
        }
    }

    /// The id in the daemon, as made by the translator.
    pub(super) fn daemon_id(&self) -> String {
        format!("{}/{}", self.namespace, self.id)
    }

    /// True if a folder of the daemon belongs to this mount, with any owner.
    pub fn matches(&self, record: &CacheMountRecord) -> bool {
        self.is(&record.daemon_id)
    }

    /// True if the daemon's id belongs to this mount. Other tools than Dockerfiles may omit the
    /// slash. An id with a slash must match exactly: `/go` is the mount with `id=go`.
    pub(super) fn is(&self, daemon_id: &str) -> bool {
        let is_bare = self.namespace.is_empty() && !self.id.contains('/');
        daemon_id == self.daemon_id() || (is_bare && daemon_id == self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_begins_with_a_slash_is_not_the_id_without_it() {
        let mount = |id: &str| CacheMount::new(id);
        assert!(mount("go").is("/go") && mount("go").is("go"));
        assert!(mount("/go").is("//go") && !mount("/go").is("/go"));
        let named = CacheMount {
            namespace: "team".to_owned(),
            ..mount("go")
        };
        assert!(named.is("team/go") && !named.is("go") && !named.is("/go"));
        assert!(!mount("team/go").is("team/go"));
    }
}
