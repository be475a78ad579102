//! The daemon's history of running and past builds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{Stream, StreamExt as _};
use prost::Message as _;

use super::image_names::image_names;
use super::{AnswerProblem, Client, Code, Error, Failure, MESSAGE_LIMIT, control::failed, time_of};
use crate::oci::Descriptor;
use crate::proto::containerd::services::content::v1::{
    ReadContentRequest, content_client::ContentClient,
};
use crate::proto::google::rpc;
use crate::proto::moby::buildkit::v1 as control;
use crate::text::{redact, redact_values};

/// The size limit of a recorded error, in bytes; it contains the lines of a Dockerfile.
const ERROR_LIMIT: usize = 16 << 20;

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

/// A change of the history.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuildEvent {
    /// The kind of change.
    pub kind: BuildEventKind,
    /// The record as it is now.
    pub record: BuildRecord,
}

/// The kinds of changes of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildEventKind {
    /// It has started, or its record has changed.
    Started,
    /// It has ended.
    Complete,
    /// Its record was removed.
    Deleted,
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

    fn from_proto(found: control::BuildHistoryRecord) -> Self {
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

impl Client {
    /// Returns all records of the history, newest first. No filter is sent, because the BuildKit of
    /// Docker Engine 28 crashes on one.
    ///
    /// # Errors
    /// If the call fails: daemons before 0.11 have no history.
    pub async fn build_records(&self) -> Result<Vec<BuildRecord>, Error> {
        self.history("", false).await
    }

    /// Returns the number of running builds. The daemon answers from memory.
    ///
    /// # Errors
    /// As [`Client::build_records`].
    pub async fn running_builds(&self) -> Result<usize, Error> {
        let active = self.history("", true).await?;
        let running = active
            .iter()
            .filter(|record| record.status() == RecordStatus::Running);
        Ok(running.count())
    }

    async fn history(&self, build_ref: &str, active_only: bool) -> Result<Vec<BuildRecord>, Error> {
        let call = "asking for the build history";
        let request = control::BuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            early_exit: true,
            active_only,
            ..Default::default()
        };
        let events = self.control().listen_build_history(request).await;
        let mut events = events.map_err(failed(call))?.into_inner();
        let mut records: BTreeMap<String, BuildRecord> = BTreeMap::new();
        while let Some(event) = events.next().await {
            let event = event.map_err(failed(call))?;
            let deleted = event.r#type() == control::BuildHistoryEventType::Deleted;
            if let Some(record) = event.record {
                match deleted {
                    true => records.remove(&record.r#ref),
                    false => records.insert(record.r#ref.clone(), BuildRecord::from_proto(record)),
                };
            }
        }
        let mut records: Vec<_> = records.into_values().collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.created_at));
        Ok(records)
    }

    /// Returns the record of a build; `None` if there is none.
    ///
    /// # Errors
    /// As [`Client::build_records`].
    pub async fn build_record(&self, build_ref: &str) -> Result<Option<BuildRecord>, Error> {
        Ok(self.history(build_ref, false).await?.pop())
    }

    /// Deletes the record of a build that has ended.
    ///
    /// # Errors
    /// If there is no such record, or the call fails.
    pub async fn delete_build_record(&self, build_ref: &str) -> Result<(), Error> {
        let request = control::UpdateBuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            delete: true,
            ..Default::default()
        };
        let updated = self.control().update_build_history(request).await;
        updated
            .map(drop)
            .map_err(failed("removing a record of the build history"))
    }

    /// Pins the record of a build, so that the daemon does not remove it by itself; or unpins it.
    ///
    /// # Errors
    /// If there is no such record, or the call fails.
    pub async fn pin_build_record(&self, build_ref: &str, pinned: bool) -> Result<(), Error> {
        let request = control::UpdateBuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            pinned,
            ..Default::default()
        };
        let updated = self.control().update_build_history(request).await;
        updated
            .map(drop)
            .map_err(failed("pinning a record of the build history"))
    }

    /// Streams the history: the existing records, then each change. `active_only` omits finished
    /// builds; an empty `build_ref` means all builds.
    ///
    /// # Errors
    /// If the call fails. The stream can also end with an error.
    pub async fn build_events(
        &self,
        build_ref: &str,
        active_only: bool,
    ) -> Result<impl Stream<Item = Result<BuildEvent, Error>> + Send + Unpin + use<>, Error> {
        let call = "following the build history";
        let request = control::BuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            active_only,
            ..Default::default()
        };
        let events = self.control().listen_build_history(request).await;
        let events = events.map_err(failed(call))?.into_inner();
        Ok(events.map(move |event| {
            let event = event.map_err(failed(call))?;
            let kind = match event.r#type() {
                control::BuildHistoryEventType::Started => BuildEventKind::Started,
                control::BuildHistoryEventType::Complete => BuildEventKind::Complete,
                control::BuildHistoryEventType::Deleted => BuildEventKind::Deleted,
            };
            let record = event.record.map(BuildRecord::from_proto);
            Ok(BuildEvent {
                kind,
                record: record.unwrap_or_default(),
            })
        }))
    }

    /// Makes the daemon store the trace of a finished build, which is still pending.
    ///
    /// # Errors
    /// If there is no such record, or the call fails.
    pub async fn finalize_build_record(&self, build_ref: &str) -> Result<(), Error> {
        let request = control::UpdateBuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            finalize: true,
            ..Default::default()
        };
        let updated = self.control().update_build_history(request).await;
        updated
            .map(drop)
            .map_err(failed("finishing a record of the build history"))
    }

    /// Reads the error of a failed build with its details; `None` if the daemon has none.
    ///
    /// # Errors
    /// If the call fails, or the blob is not an error.
    pub async fn recorded_failure(&self, record: &BuildRecord) -> Result<Option<Failure>, Error> {
        let Some(kept) = &record.error_details else {
            return Ok(None);
        };
        let blob = self.read_blob(kept.digest.as_str(), ERROR_LIMIT).await?;
        match rpc::Status::decode(blob.as_slice()) {
            Ok(status) => Ok(Some(Failure::from_proto(status))),
            Err(error) => Err(Error::InvalidAnswer {
                call: "reading the error of a build",
                reason: Box::new(error.into()),
            }),
        }
    }

    /// Reads a small blob of the daemon's store as a whole.
    ///
    /// # Errors
    /// If the call fails, or the blob is larger than `limit` bytes.
    pub async fn read_blob(&self, digest: &str, limit: usize) -> Result<Vec<u8>, Error> {
        let call = "reading a blob";
        let request = ReadContentRequest {
            digest: digest.to_owned(),
            ..Default::default()
        };
        let mut store = ContentClient::new(self.channel()).max_decoding_message_size(MESSAGE_LIMIT);
        let mut parts = store
            .read(request)
            .await
            .map_err(failed(call))?
            .into_inner();
        let mut blob = Vec::new();
        while let Some(part) = parts.next().await {
            blob.extend_from_slice(&part.map_err(failed(call))?.data);
            if blob.len() > limit {
                return Err(Error::InvalidAnswer {
                    call,
                    reason: Box::new(AnswerProblem::TooLarge { limit }),
                });
            }
        }
        Ok(blob)
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
