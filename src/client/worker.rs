//! What a daemon says about itself: version, workers, garbage collection rules.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    oci::Platform,
    proto::{moby::buildkit::v1::types, pb},
};

/// A worker: what runs builds in a daemon. Most daemons have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Worker {
    /// Its id.
    pub id: String,
    /// Labels, for example `org.mobyproject.buildkit.worker.executor`.
    pub labels: BTreeMap<String, String>,
    /// What it can build for, its own platform first.
    pub platforms: Vec<Platform>,
    /// What the garbage collector keeps.
    pub gc_policy: Vec<GcRule>,
    /// BuildKit's version there, if the daemon says it.
    pub version: Option<Version>,
    /// Devices that build steps may ask for.
    pub devices: Vec<Device>,
}

/// What the workers of BuildKits have that keep layers in snapshots: all but those of engines with Docker's older image store.
const SNAPSHOTTER: &str = "org.mobyproject.buildkit.worker.snapshotter";

impl Worker {
    /// Whether it keeps layers in snapshots, so that it makes images of several platforms: all but those of engines with
    /// Docker's older image store.
    pub fn has_snapshotter(&self) -> bool {
        self.labels.contains_key(SNAPSHOTTER)
    }
}

/// A rule of the garbage collector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GcRule {
    /// Records that are usually spared, such as internal ones, are removed too.
    pub all: bool,
    /// Which records the rule is about.
    pub filters: Vec<String>,
    /// Records used within this time are kept.
    pub keep_duration: Duration,
    /// Bytes that are always kept; older daemons call it keep bytes.
    pub reserved_space: i64,
    /// Bytes that the cache may use; 0 is no limit.
    pub max_used_space: i64,
    /// Bytes of the disk to leave free; 0 is no limit.
    pub min_free_space: i64,
}

/// A version of BuildKit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// The Go package, for example `github.com/moby/buildkit`.
    pub package: String,
    /// The version, for example `v0.32.2`.
    pub version: String,
    /// The commit.
    pub revision: String,
    /// The version of the Dockerfile frontend inside; empty before BuildKit 0.27.
    pub dockerfile_version: String,
}

impl Version {
    /// The version, unless the daemon was compiled without one.
    pub(crate) fn known(&self) -> Option<&str> {
        let known = !self.version.is_empty() && !self.version.contains("unknown");
        known.then_some(self.version.as_str())
    }
}

/// A device of the Container Device Interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// Its name, for example `vendor.com/gpu=0`.
    pub name: String,
    /// Steps may use it without being allowed to.
    pub auto_allow: bool,
    /// Annotations of its specification.
    pub annotations: BTreeMap<String, String>,
    /// It is set up when it is first asked for.
    pub on_demand: bool,
}

impl From<types::WorkerRecord> for Worker {
    fn from(record: types::WorkerRecord) -> Self {
        Self {
            id: record.id,
            labels: record.labels,
            platforms: record.platforms.into_iter().map(platform).collect(),
            gc_policy: record.gc_policy.into_iter().map(GcRule::from).collect(),
            version: record.buildkit_version.map(Version::from),
            devices: record.cdi_devices.into_iter().map(Device::from).collect(),
        }
    }
}

impl From<types::GcPolicy> for GcRule {
    fn from(rule: types::GcPolicy) -> Self {
        Self {
            all: rule.all,
            filters: rule.filters,
            keep_duration: Duration::from_nanos(rule.keep_duration.try_into().unwrap_or(0)),
            reserved_space: rule.reserved_space,
            max_used_space: rule.max_used_space,
            min_free_space: rule.min_free_space,
        }
    }
}

impl From<types::BuildkitVersion> for Version {
    fn from(version: types::BuildkitVersion) -> Self {
        Self {
            package: version.package,
            version: version.version,
            revision: version.revision,
            dockerfile_version: version.dockerfile_version,
        }
    }
}

impl From<types::CdiDevice> for Device {
    fn from(device: types::CdiDevice) -> Self {
        Self {
            name: device.name,
            auto_allow: device.auto_allow,
            annotations: device.annotations,
            on_demand: device.on_demand,
        }
    }
}

fn platform(platform: pb::Platform) -> Platform {
    Platform {
        architecture: platform.architecture,
        os: platform.os,
        os_version: platform.os_version,
        os_features: platform.os_features,
        variant: platform.variant,
    }
}

pub(crate) fn platform_to_proto(platform: &Platform) -> pb::Platform {
    pb::Platform {
        architecture: platform.architecture.clone(),
        os: platform.os.clone(),
        variant: platform.variant.clone(),
        os_version: platform.os_version.clone(),
        os_features: platform.os_features.clone(),
    }
}
