//! The daemon's history of running and past builds.

use std::collections::BTreeMap;

use futures_util::{Stream, StreamExt as _};
use prost::Message as _;

use super::build_record::{BuildRecord, RecordStatus};
use super::{AnswerProblem, Client, Error, Failure, MESSAGE_LIMIT, control::failed};
use crate::proto::containerd::services::content::v1::{
    ReadContentRequest, content_client::ContentClient,
};
use crate::proto::google::rpc;
use crate::proto::moby::buildkit::v1 as control;

/// The size limit of a recorded error, in bytes; it contains the lines of a Dockerfile.
const ERROR_LIMIT: usize = 16 << 20;

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
        let change = control::UpdateBuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            delete: true,
            ..Default::default()
        };
        self.change_record(change, "removing a record of the build history")
            .await
    }

    /// Pins the record of a build, so that the daemon does not remove it by itself; or unpins it.
    ///
    /// # Errors
    /// If there is no such record, or the call fails.
    pub async fn pin_build_record(&self, build_ref: &str, pinned: bool) -> Result<(), Error> {
        let change = control::UpdateBuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            pinned,
            ..Default::default()
        };
        self.change_record(change, "pinning a record of the build history")
            .await
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
        let change = control::UpdateBuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            finalize: true,
            ..Default::default()
        };
        self.change_record(change, "finishing a record of the build history")
            .await
    }

    async fn change_record(
        &self,
        change: control::UpdateBuildHistoryRequest,
        call: &'static str,
    ) -> Result<(), Error> {
        let updated = self.control().update_build_history(change).await;
        updated.map(drop).map_err(failed(call))
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
