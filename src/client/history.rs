//! The daemon's history: what it keeps of builds that run or have ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;

use super::{Client, Code, Error, MESSAGE_LIMIT, control::failed};
use crate::oci::Descriptor;
use crate::proto::containerd::services::content::v1::{
    ReadContentRequest, content_client::ContentClient,
};
use crate::proto::moby::buildkit::v1 as control;
use crate::text::{redact, redact_values};

/// A build of the past, or one that runs.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BuildRecord {
    /// The daemon's name of the build.
    pub build_ref: String,
    /// The frontend that the daemon ran; empty when the client made the graph itself.
    pub frontend: String,
    /// What the frontend was told (`platform`, `build-arg:NAME` …); a client that makes the graph itself tells it too.
    pub attributes: BTreeMap<String, String>,
    /// When it began.
    pub created_at: Option<SystemTime>,
    /// When it ended; `None` when it still runs.
    pub completed_at: Option<SystemTime>,
    /// Why it failed.
    pub error: Option<RecordedError>,
    /// The steps of its graph.
    pub total_steps: i32,
    /// Those that are done.
    pub completed_steps: i32,
    /// Those of them that were in the cache.
    pub cached_steps: i32,
    /// The warnings of its frontend.
    pub warnings: i32,
    /// How often the record has changed.
    pub generation: i32,
    /// The daemon does not forget it by itself.
    pub pinned: bool,
    /// What the exporters answered (`containerimage.digest` …).
    pub exporter_response: BTreeMap<String, String>,
    /// What is attested of the result, by platform as the daemon names them; `""` is a result that has none.
    pub attestations: BTreeMap<String, Vec<Descriptor>>,
    /// The images that it made, by platform in the same way.
    pub results: BTreeMap<String, Vec<Descriptor>>,
    /// The daemon's trace of it. Daemons write it down some time after the end, or when they are told to.
    pub trace: Option<Descriptor>,
    /// All of it.
    pub(crate) raw: Arc<control::BuildHistoryRecord>,
}

/// How a recorded build failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedError {
    /// The kind of failure.
    pub code: Code,
    /// What was told.
    pub message: String,
}

/// What became of a recorded build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStatus {
    /// It runs.
    Running,
    /// It succeeded.
    Completed,
    /// It failed.
    Error,
    /// It was cancelled.
    Canceled,
}

impl BuildRecord {
    /// What became of it.
    pub fn status(&self) -> RecordStatus {
        match (&self.error, self.completed_at) {
            (_, None) => RecordStatus::Running,
            (None, Some(_)) => RecordStatus::Completed,
            (Some(error), Some(_)) if error.is_cancelled() => RecordStatus::Canceled,
            (Some(_), Some(_)) => RecordStatus::Error,
        }
    }

    /// How long it took; of one that runs, how long it has been running.
    pub fn duration(&self, now: SystemTime) -> Duration {
        let end = self.completed_at.unwrap_or(now);
        let begin = self.created_at.unwrap_or(end);
        end.duration_since(begin).unwrap_or_default()
    }

    fn from_proto(found: control::BuildHistoryRecord) -> Self {
        let raw = Arc::new(found.clone());
        let time =
            |at: Option<prost_types::Timestamp>| at.and_then(|at| SystemTime::try_from(at).ok());
        let one = found.result.map(|result| (String::new(), result));
        let several = found
            .results
            .into_iter()
            .map(|entry| (entry.key, entry.value.unwrap_or_default()));
        let mut results: Vec<_> = several.collect();
        if results.is_empty() {
            results.extend(one);
        }
        let images = results.iter().map(|(platform, result)| {
            let found = result.results.iter();
            let found = found.filter_map(|entry| descriptor(entry.value.clone()?));
            (platform.clone(), found.collect())
        });
        let images = images.collect();
        let attestations = results.into_iter().map(|(platform, result)| {
            let descriptors = result.attestations.into_iter().filter_map(descriptor);
            (platform, descriptors.collect())
        });
        let error = found.error.map(|status| RecordedError {
            code: Code::from(status.code),
            message: redact(&status.message).into_owned(),
        });
        Self {
            build_ref: found.r#ref,
            frontend: found.frontend,
            attributes: redact_values(found.frontend_attrs),
            created_at: time(found.created_at),
            completed_at: time(found.completed_at),
            error,
            total_steps: found.num_total_steps,
            completed_steps: found.num_completed_steps,
            cached_steps: found.num_cached_steps,
            warnings: found.num_warnings,
            generation: found.generation,
            pinned: found.pinned,
            exporter_response: found.exporter_response.into_iter().collect(),
            attestations: attestations.collect(),
            results: images,
            trace: found.trace.and_then(descriptor),
            raw,
        }
    }
}

impl RecordedError {
    fn is_cancelled(&self) -> bool {
        self.code == Code::Canceled || self.message.contains("context canceled")
    }
}

impl RecordStatus {
    /// As filters name it: `running`, `completed`, `error`, `canceled`.
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
    /// The records of the history, the newest first: all of them. A BuildKit of a Docker Engine 28 crashes when it is told to choose.
    ///
    /// # Errors
    /// When the call fails: daemons before 0.11 have no history.
    pub async fn build_records(&self) -> Result<Vec<BuildRecord>, Error> {
        self.history("").await
    }

    async fn history(&self, build_ref: &str) -> Result<Vec<BuildRecord>, Error> {
        let call = "asking for the build history";
        let request = control::BuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            early_exit: true,
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

    /// What the daemon keeps of a build; `None` when it keeps nothing.
    ///
    /// # Errors
    /// As [`Client::build_records`].
    pub async fn build_record(&self, build_ref: &str) -> Result<Option<BuildRecord>, Error> {
        Ok(self.history(build_ref).await?.pop())
    }

    /// Has the daemon forget a build that has ended.
    ///
    /// # Errors
    /// When the daemon has no such record, or the call fails.
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

    /// Has the daemon write down what it still gathers of a build that has ended: its trace.
    ///
    /// # Errors
    /// When the daemon has no such record, or the call fails.
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

    /// A blob of the daemon's store, whole; for small ones.
    ///
    /// # Errors
    /// When the call fails, or the blob is larger than `limit` bytes.
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
                    reason: format!("it is larger than {limit} bytes"),
                });
            }
        }
        Ok(blob)
    }
}

/// `None` for one whose digest is none.
fn descriptor(found: control::Descriptor) -> Option<Descriptor> {
    let digest = crate::oci::Digest::parse(&found.digest).ok()?;
    let size = u64::try_from(found.size).ok()?;
    Some(Descriptor {
        annotations: found.annotations,
        ..Descriptor::new(found.media_type, digest, size)
    })
}
