//! The kinds of daemons that hold a BuildKit, and what each can do with images.

use super::{Address, Worker};

/// What holds the BuildKit at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DaemonKind {
    /// A `buildkitd`: it has a cache, and no images to run containers from.
    Buildkitd,
    /// A Docker Engine, with images of its own.
    DockerEngine,
}

impl DaemonKind {
    /// True if it keeps images to run containers from. Base images may be there and in no registry,
    /// and an image with a name is kept even when no output is asked for.
    pub const fn keeps_images(self) -> bool {
        matches!(self, Self::DockerEngine)
    }

    /// The exporter that makes an image and keeps it where this daemon keeps images. An engine's
    /// own also unpacks it, so that containers can run from it.
    pub const fn image_exporter(self) -> &'static str {
        match self {
            Self::Buildkitd => "image",
            Self::DockerEngine => "moby",
        }
    }

    /// True if its images can be indexes, and be pushed without a tag. An engine with Docker's older
    /// image store has neither.
    pub fn makes_indexes(self, workers: &[Worker]) -> bool {
        match self {
            Self::Buildkitd => true,
            Self::DockerEngine => workers.iter().any(Worker::has_snapshotter),
        }
    }
}

impl Address {
    /// What holds the BuildKit there.
    pub const fn daemon(&self) -> DaemonKind {
        match self {
            Self::Docker(_) => DaemonKind::DockerEngine,
            // The BuildKit in a container of an engine has a cache of its own, and no images.
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
