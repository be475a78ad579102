//! A daemon's information about itself: version, workers, garbage collection rules.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    oci::Platform,
    proto::{moby::buildkit::v1::types, pb},
};

/// A worker, which runs a daemon's builds. Most daemons have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Worker {
    /// The worker's id.
    pub id: String,
    /// The labels, for example `org.mobyproject.buildkit.worker.executor`.
    pub labels: BTreeMap<String, String>,
    /// The platforms that it can build for, its own first.
    pub platforms: Vec<Platform>,
    /// The rules of the garbage collector.
    pub gc_policy: Vec<GcRule>,
    /// The worker's BuildKit version, if the daemon sends it.
    pub version: Option<Version>,
    /// The devices that build steps can request.
    pub devices: Vec<Device>,
}

/// The label of workers that keep layers in snapshots: all but those of engines with Docker's older
/// image store.
const SNAPSHOTTER: &str = "org.mobyproject.buildkit.worker.snapshotter";

impl Worker {
    /// Returns true if the worker keeps layers in snapshots, so that it can create multi-platform
    /// images: all but those of engines with Docker's older image store.
    pub fn has_snapshotter(&self) -> bool {
        self.labels.contains_key(SNAPSHOTTER)
    }
}

/// A rule of the garbage collector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GcRule {
    /// True to remove records that are usually kept, such as internal ones.
    pub all: bool,
    /// Filters for the records of this rule.
    pub filters: Vec<String>,
    /// Records used within this time are kept.
    pub keep_duration: Duration,
    /// The number of bytes that are always kept; older daemons call it keep bytes.
    pub reserved_space: i64,
    /// The number of bytes that the cache may use; 0 means no limit.
    pub max_used_space: i64,
    /// The number of bytes to leave free on the disk; 0 means no limit.
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
    /// The version of the built-in Dockerfile frontend; empty before BuildKit 0.27.
    pub dockerfile_version: String,
}

impl Version {
    /// Returns the version, unless the daemon was compiled without one.
    pub(crate) fn known(&self) -> Option<&str> {
        let known = !self.version.is_empty() && !self.version.contains("unknown");
        known.then_some(self.version.as_str())
    }
}

/// A device of the Container Device Interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// The device's name, for example `vendor.com/gpu=0`.
    pub name: String,
    /// True if steps may use it without an entitlement.
    pub auto_allow: bool,
    /// The annotations of its specification.
    pub annotations: BTreeMap<String, String>,
    /// True if the device is set up on first use.
    pub on_demand: bool,
}

impl From<types::WorkerRecord> for Worker {
    fn from(record: types::WorkerRecord) -> Self {
        Self {
            id: record.id,
            labels: record.labels,
            platforms: record
                .platforms
                .into_iter()
                .map(platform_from_proto)
                .collect(),
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

pub(crate) fn platform_from_proto(platform: pb::Platform) -> Platform {
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
