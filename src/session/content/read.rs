//! Sends a blob or a part of it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use tokio::sync::mpsc;
use tonic::Status;

use super::{Call, Refused, Store, digest};
use crate::layout;
use crate::oci::Digest;
use crate::proto::containerd::services::content::v1 as api;

/// The size of one message's data, in bytes. A call holds at most two messages in memory.
const CHUNK: u64 = 256 << 10;

type Answers = mpsc::Sender<Result<api::ReadContentResponse, Status>>;

/// The requested part of a blob.
pub(super) struct Range {
    digest: Digest,
    offset: u64,
    /// The length in bytes; 0 means the rest.
    size: u64,
}

impl Range {
    pub(super) fn of(request: &api::ReadContentRequest) -> Result<Self, Status> {
        let offset = u64::try_from(request.offset)
            .map_err(|_| Status::invalid_argument("a read begins before the blob"))?;
        Ok(Self {
            digest: digest(&request.digest)?,
            offset,
            size: u64::try_from(request.size).unwrap_or_default(),
        })
    }
}

/// A part that is being sent.
struct Part {
    digest: Digest,
    file: File,
    offset: u64,
    left: u64,
}

pub(super) async fn send(call: &Call, range: Range, answers: &Answers) -> Result<(), Status> {
    let mut part = call.blocking(move |store| open(store, range)).await?;
    while part.left > 0 {
        let offset = part.offset;
        let (returned, data) = call.blocking(move |store| next(store, part)).await?;
        part = returned;
        let message = api::ReadContentResponse {
            offset: i64::try_from(offset).unwrap_or(i64::MAX),
            data,
        };
        if answers.send(Ok(message)).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn open(store: &Store, range: Range) -> Result<Part, Refused> {
    let blob = store.layout.blob(&range.digest)?;
    let mut blob = blob.ok_or_else(|| store.not_found(&range.digest))?;
    let Some(rest) = blob.size.checked_sub(range.offset) else {
        let message = format!("the blob has {} bytes only", blob.size);
        return Err(Status::out_of_range(message).into());
    };
    store.verify(&range.digest, blob.size)?;
    blob.file
        .seek(SeekFrom::Start(range.offset))
        .map_err(|error| failed(store, &range.digest, error))?;
    Ok(Part {
        digest: range.digest,
        file: blob.file,
        offset: range.offset,
        left: if range.size == 0 {
            rest
        } else {
            rest.min(range.size)
        },
    })
}

fn next(store: &Store, mut part: Part) -> Result<(Part, Bytes), Refused> {
    let length = part.left.min(CHUNK);
    // Smaller than the chunk size, so the cast is safe.
    let mut data = vec![0; length as usize];
    part.file
        .read_exact(&mut data)
        .map_err(|error| failed(store, &part.digest, error))?;
    part.offset += length;
    part.left -= length;
    Ok((part, data.into()))
}

fn failed(store: &Store, digest: &Digest, source: io::Error) -> Refused {
    layout::Error::File {
        action: "read",
        path: store.layout.blob_path(digest),
        source,
    }
    .into()
}
