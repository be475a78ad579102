//! The daemon's history: what it keeps of a build that has ended.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;

use super::{Client, Error, MESSAGE_LIMIT, control::failed};
use crate::oci::Descriptor;
use crate::proto::containerd::services::content::v1::{
    ReadContentRequest, content_client::ContentClient,
};
use crate::proto::moby::buildkit::v1 as control;

/// A build of the past.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BuildRecord {
    /// What is attested of the result, by platform as the daemon names them; `""` is a result that has none.
    pub attestations: BTreeMap<String, Vec<Descriptor>>,
}

impl Client {
    /// What the daemon keeps of a build; `None` when it keeps nothing.
    ///
    /// # Errors
    /// When the call fails: daemons before 0.11 have no history.
    pub async fn build_record(&self, build_ref: &str) -> Result<Option<BuildRecord>, Error> {
        let call = "asking for the build's record";
        let request = control::BuildHistoryRequest {
            r#ref: build_ref.to_owned(),
            early_exit: true,
            ..Default::default()
        };
        let events = self.control().listen_build_history(request).await;
        let mut events = events.map_err(failed(call))?.into_inner();
        let mut found = None;
        while let Some(event) = events.next().await {
            if let Some(record) = event.map_err(failed(call))?.record {
                found = Some(BuildRecord::from_proto(record));
            }
        }
        Ok(found)
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

impl BuildRecord {
    fn from_proto(found: control::BuildHistoryRecord) -> Self {
        let one = found.result.map(|result| (String::new(), result));
        let several = found
            .results
            .into_iter()
            .map(|entry| (entry.key, entry.value.unwrap_or_default()));
        let mut results: Vec<_> = several.collect();
        if results.is_empty() {
            results.extend(one);
        }
        let attestations = results.into_iter().map(|(platform, result)| {
            let descriptors = result.attestations.into_iter().filter_map(descriptor);
            (platform, descriptors.collect())
        });
        Self {
            attestations: attestations.collect(),
        }
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
