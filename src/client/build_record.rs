//! A record of the daemon's build history.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::image_names::image_names;
use super::{Code, time_of};
use crate::oci::Descriptor;
use crate::proto::moby::buildkit::v1 as control;
use crate::text::{redact, redact_values};

/// A past or running build.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BuildRecord {
    /// The daemon's id of the build.
    pub build_ref: String,
    /// The frontend that the daemon ran; empty if the client created the graph itself.
    pub frontend: String,
    /// The frontend's attributes (`platform`, `build-arg:NAME` …); a client that creates the graph
    /// itself sends them too.
    pub attributes: BTreeMap<String, String>,
    /// When the build started.
    pub created_at: Option<SystemTime>,
    /// When it ended; `None` while it runs.
    pub completed_at: Option<SystemTime>,
    /// The error of a failed build.
    pub error: Option<RecordedError>,
    /// The blob with that error and all its details.
    pub error_details: Option<Descriptor>,
    /// The number of steps in its graph.
    pub total_steps: i32,
    /// The number of completed steps.
    pub completed_steps: i32,
    /// The number of completed steps that came from the cache.
    pub cached_steps: i32,
    /// The number of warnings.
    pub warnings: i32,
    /// How often the record has changed.
    pub generation: i32,
    /// True if the daemon must not remove the record by itself.
    pub pinned: bool,
    /// The exporters' response (`containerimage.digest` …). Some daemons keep only a part of it.
    pub exporter_response: BTreeMap<String, String>,
    /// The names of the image in the exporters' options and response, each once.
    pub image_names: Vec<String>,
    /// The result's attestations by platform, as the daemon names it; `""` for a result without
    /// platforms.
    pub attestations: BTreeMap<String, Vec<Descriptor>>,
    /// The created images, by platform in the same way.
    pub results: BTreeMap<String, Vec<Descriptor>>,
    /// The log of the build, if the daemon keeps it.
    pub logs: Option<Descriptor>,
    /// The daemon's trace of the build. Daemons store it some time after the end, or on request.
    pub trace: Option<Descriptor>,
    /// The complete record.
    pub(crate) raw: Arc<control::BuildHistoryRecord>,
}

/// The error of a recorded build.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedError {
    /// The kind of failure.
    pub code: Code,
    /// The message.
    pub message: String,
}

/// The state of a recorded build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStatus {
    /// The build is running.
    Running,
    /// The build succeeded.
    Completed,
    /// The build failed.
    Error,
    /// The build was cancelled.
    Canceled,
}

impl BuildRecord {
    /// Returns the state of the build.
    pub fn status(&self) -> RecordStatus {
        match (&self.error, self.completed_at) {
            (_, None) => RecordStatus::Running,
            (None, Some(_)) => RecordStatus::Completed,
            (Some(error), Some(_)) if error.is_cancelled() => RecordStatus::Canceled,
            (Some(_), Some(_)) => RecordStatus::Error,
        }
    }

    /// Returns the duration; for a running build, the time since its start.
    pub fn duration(&self, now: SystemTime) -> Duration {
        let end = self.completed_at.unwrap_or(now);
        let begin = self.created_at.unwrap_or(end);
        end.duration_since(begin).unwrap_or_default()
    }

    pub(super) fn from_proto(found: control::BuildHistoryRecord) -> Self {
        let raw = Arc::new(found.clone());
        let one = found.result.map(|result| (String::new(), result));
        let several = found
            .results
            .into_iter()
            .map(|entry| (entry.key, entry.value.unwrap_or_default()));
        // Of several platforms the first has the image, the second their attestations.
        let mut images: BTreeMap<String, Vec<Descriptor>> = BTreeMap::new();
        let mut attestations: BTreeMap<String, Vec<Descriptor>> = BTreeMap::new();
        for (platform, result) in one.into_iter().chain(several) {
            let found = result.results.into_iter();
            let found = found.filter_map(|entry| descriptor(entry.value?));
            add_new(images.entry(platform.clone()).or_default(), found);
            let found = result.attestations.into_iter().filter_map(descriptor);
            add_new(attestations.entry(platform).or_default(), found);
        }
        images.retain(|_, found| !found.is_empty());
        attestations.retain(|_, found| !found.is_empty());
        let image_names = image_names(&found.exporters, &found.exporter_response);
        let error = found.error.map(|status| RecordedError {
            code: Code::from(status.code),
            message: redact(&status.message).into_owned(),
        });
        Self {
            build_ref: found.r#ref,
            frontend: found.frontend,
            attributes: redact_values(found.frontend_attrs),
            created_at: time_of(found.created_at),
            completed_at: time_of(found.completed_at),
            error,
            error_details: found.external_error.and_then(descriptor),
            total_steps: found.num_total_steps,
            completed_steps: found.num_completed_steps,
            cached_steps: found.num_cached_steps,
            warnings: found.num_warnings,
            generation: found.generation,
            pinned: found.pinned,
            exporter_response: found.exporter_response.into_iter().collect(),
            image_names,
            attestations,
            results: images,
            logs: found.logs.and_then(descriptor),
            trace: found.trace.and_then(descriptor),
            raw,
        }
    }
}

/// Adds the descriptors that are missing.
fn add_new(known: &mut Vec<Descriptor>, found: impl Iterator<Item = Descriptor>) {
    for descriptor in found {
        if !known.iter().any(|it| it.digest == descriptor.digest) {
            known.push(descriptor);
        }
    }
}

impl RecordedError {
    fn is_cancelled(&self) -> bool {
        self.code == Code::Canceled || self.message.contains("context canceled")
    }
}

impl RecordStatus {
    /// Returns the name that filters use: `running`, `completed`, `error`, `canceled`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Canceled => "canceled",
        }
    }
}

/// Returns `None` if the digest is malformed.
fn descriptor(found: control::Descriptor) -> Option<Descriptor> {
    let digest = crate::oci::Digest::parse(&found.digest).ok()?;
    let size = u64::try_from(found.size).ok()?;
    Some(Descriptor {
        annotations: found.annotations,
        ..Descriptor::new(found.media_type, digest, size)
    })
}
