//! The drivers: how a node's BuildKit is reached, and who runs it.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// The way to run and reach a node's BuildKit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Driver {
    /// The BuildKit inside a Docker Engine. Each context of the docker CLI is a builder of this
    /// driver; others cannot be created.
    Docker,
    /// A container with BuildKit on a Docker Engine, started on demand.
    DockerContainer,
    /// Pods with BuildKit in a Kubernetes cluster.
    Kubernetes,
    /// A local `buildkitd`, started for a build and stopped after it. buildx does not support it.
    Local,
    /// A BuildKit that somebody else runs.
    Remote,
}

const DRIVERS: [Driver; 5] = [
    Driver::Docker,
    Driver::DockerContainer,
    Driver::Kubernetes,
    Driver::Local,
    Driver::Remote,
];

impl Driver {
    /// Returns the driver's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::DockerContainer => "docker-container",
            Self::Kubernetes => "kubernetes",
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }

    /// Returns the names of the drivers that a builder can be created with.
    pub fn names() -> Vec<&'static str> {
        let creatable = DRIVERS.into_iter().filter(|driver| *driver != Self::Docker);
        creatable.map(Self::name).collect()
    }

    /// Returns the names of its options; `env.*` stands for all names with that prefix.
    pub const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Docker => &[],
            Self::DockerContainer => &[
                "allow-untrusted-image",
                "cgroup-parent",
                "cpu-period",
                "cpu-quota",
                "cpu-shares",
                "cpuset-cpus",
                "cpuset-mems",
                "default-load",
                "env.*",
                "image",
                "memory",
                "memory-swap",
                "network",
                "provenance-add-gha",
                "restart-policy",
            ],
            Self::Kubernetes => &[
                "annotations",
                "buildkit-root-volume-memory",
                "default-load",
                "env.*",
                "image",
                "labels",
                "limits.cpu",
                "limits.ephemeral-storage",
                "limits.memory",
                "loadbalance",
                "namespace",
                "nodeselector",
                "persistent-volume-claim.requests.storage",
                "qemu.image",
                "qemu.install",
                "replicas",
                "requests.cpu",
                "requests.ephemeral-storage",
                "requests.memory",
                "rootless",
                "schedulername",
                "serviceaccount",
                "timeout",
                "tolerations",
            ],
            Self::Local => &["root"],
            Self::Remote => &["cacert", "cert", "default-load", "key", "servername"],
        }
    }

    /// Returns true if the driver starts a `buildkitd`, which has flags and a configuration.
    pub const fn has_daemon(self) -> bool {
        matches!(self, Self::DockerContainer | Self::Kubernetes | Self::Local)
    }

    /// Returns true if its daemon does not use the host's network. Builds may then use
    /// `--network=host` by default.
    pub const fn is_isolated(self) -> bool {
        matches!(self, Self::DockerContainer | Self::Kubernetes)
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Driver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = DRIVERS.into_iter().find(|driver| driver.name() == text);
        found.ok_or_else(|| Error::UnknownDriver {
            name: text.to_owned(),
        })
    }
}
