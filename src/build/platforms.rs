//! The target platforms, and what the daemon runs natively.

use super::BuildRequest;
use crate::client::Worker;
use crate::oci::Platform;

/// The platforms of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Targets {
    /// The platforms of the daemon, its own first; `BUILDPLATFORM` is the first.
    pub(super) build: Vec<Platform>,
    /// What to build. Without a platform in the request it is the daemon's own, and not said explicitly.
    pub(super) wanted: Vec<Option<Platform>>,
}

impl Targets {
    pub(super) fn new(request: &BuildRequest, workers: &[Worker]) -> Self {
        let mut build: Vec<Platform> = workers
            .first()
            .map(|worker| worker.platforms.iter().map(Platform::normalized).collect())
            .unwrap_or_default();
        if build.is_empty() {
            build.push(Platform::host());
        }
        let wanted = match request.platforms.as_slice() {
            [] => vec![None],
            platforms => platforms.iter().map(|p| Some(p.normalized())).collect(),
        };
        Self { build, wanted }
    }

    /// Whether the result is an index with several images.
    pub(super) fn several(&self) -> bool {
        self.wanted.len() > 1
    }

    /// The platform's name in messages: none when there is one platform only.
    pub(super) fn label<'a>(&self, platform: Option<&'a Platform>) -> Option<&'a Platform> {
        platform.filter(|_| self.several())
    }
}
