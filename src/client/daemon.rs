//! The kinds of daemons that run BuildKit, and how each handles images.

use super::{Address, Worker};

/// The kind of daemon that runs a BuildKit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DaemonKind {
    /// A `buildkitd`: it has a cache, but no image store for running containers.
    Buildkitd,
    /// A Docker Engine with its own image store.
    DockerEngine,
}

impl DaemonKind {
    /// Returns true if the daemon has an image store for running containers. Base images may exist
    /// only there, and a named image is kept even without an output option.
    pub const fn keeps_images(self) -> bool {
        matches!(self, Self::DockerEngine)
    }

    /// Returns the exporter that stores an image in this daemon. An engine's exporter also unpacks
    /// it, so that containers can run from it.
    pub const fn image_exporter(self) -> &'static str {
        match self {
            Self::Buildkitd => "image",
            Self::DockerEngine => "moby",
        }
    }

    /// Returns true if the daemon's images can be indexes and can be pushed without a tag. An
    /// engine with Docker's older image store supports neither.
    pub fn makes_indexes(self, workers: &[Worker]) -> bool {
        match self {
            Self::Buildkitd => true,
            Self::DockerEngine => workers.iter().any(Worker::has_snapshotter),
        }
    }
}

impl Address {
    /// Returns the kind of daemon at this address.
    pub const fn daemon(&self) -> DaemonKind {
        match self {
            Self::Docker(_) => DaemonKind::DockerEngine,
            // A BuildKit in an engine's container has its own cache, but no images.
            Self::Buildkit(_) | Self::Container { .. } => DaemonKind::Buildkitd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_engine_keeps_images() {
        let kind = |text: &str| Address::parse(text).unwrap().daemon();
        assert!(kind("docker://").keeps_images());
        assert!(kind("docker://ssh://host").keeps_images());
        assert!(!kind("tcp://host:1234").keeps_images());
        assert!(!kind("docker-container://name").keeps_images());
    }

    #[test]
    fn an_engine_with_the_older_image_store_makes_no_indexes() {
        let older = [Worker::default()];
        assert!(!DaemonKind::DockerEngine.makes_indexes(&older));
        assert!(DaemonKind::Buildkitd.makes_indexes(&older));
    }
}
