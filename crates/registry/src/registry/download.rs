//! Downloads blobs from registries as streams. An interrupted download resumes.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use http::header::{HeaderValue, RANGE};
use http::{Method, StatusCode};
use reqwest::Response;

use super::RefusedAction;
use super::access::Access;
use super::answer::{LIMIT, header, is_web_page, next};
use super::client::operation;
use super::remote::{Ask, Target};
use super::retry::{Retries, Wait};
use super::verify::verified;
use super::{Client, ContentProblem, Error};
use crate::oci::{Descriptor, Digest, Reference};

/// The bytes of a blob as a stream.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// After this many new bytes, retries are counted from zero again.
const PROGRESS: u64 = 64 << 10;

/// A blob that is being downloaded.
struct Download {
    client: Client,
    of: Reference,
    descriptor: Descriptor,
    offset: u64,
    answer: Option<Response>,
    /// The number of bytes to skip if an answer starts at the blob's beginning again.
    skip: u64,
    retries: Retries,
    /// The position of the last interruption.
    broken_at: u64,
}

impl Client {
    /// Downloads a blob of a repository; the reference's tag and digest are ignored. An interrupted
    /// download resumes. If the bytes do not match the descriptor, the stream ends with an error in
    /// place of the last piece.
    ///
    /// # Errors
    /// [`Error::Refused`] if the blob does not exist or access is denied. The stream can also
    /// return [`Error::DigestMismatch`] and [`Error::SizeMismatch`].
    pub async fn blob(&self, of: &Reference, descriptor: &Descriptor) -> Result<BlobStream, Error> {
        let stream = self.blob_from(of, descriptor, 0).await?;
        let name = format!("{}@{}", of.name(), descriptor.digest);
        Ok(verified(stream, descriptor, name))
    }

    /// Downloads a blob from an offset, to complete a partial one. The bytes are not verified,
    /// because the digest covers the whole blob.
    ///
    /// # Errors
    /// [`Error::Refused`] if the blob does not exist or access is denied.
    pub async fn blob_from(
        &self,
        of: &Reference,
        descriptor: &Descriptor,
        offset: u64,
    ) -> Result<BlobStream, Error> {
        let mut download = Download {
            client: self.clone(),
            of: of.clone(),
            descriptor: descriptor.clone(),
            offset,
            answer: None,
            skip: 0,
            retries: self.remote.waits.retries(),
            broken_at: offset,
        };
        if offset < descriptor.size || descriptor.size == 0 {
            download.ask().await?;
        }
        Ok(Box::pin(stream::try_unfold(
            download,
            |mut download| async move {
                let piece = download.piece().await?;
                Ok(piece.map(|piece| (piece, download)))
            },
        )))
    }

    /// Downloads a small blob, such as an image's config, into memory.
    ///
    /// # Errors
    /// As [`Client::blob`]; [`Error::TooLarge`] for more than 8 MiB.
    pub async fn small_blob(
        &self,
        of: &Reference,
        descriptor: &Descriptor,
    ) -> Result<Bytes, Error> {
        if descriptor.size > LIMIT as u64 {
            return Err(Error::TooLarge {
                of: format!("{}@{}", of.name(), descriptor.digest),
                limit: LIMIT as u64,
            });
        }
        let pieces: Vec<Bytes> = self.blob(of, descriptor).await?.try_collect().await?;
        Ok(match <[Bytes; 1]>::try_from(pieces) {
            Ok([only]) => only,
            Err(pieces) => Bytes::from(pieces.concat()),
        })
    }

    /// Returns true if a repository has the blob.
    ///
    /// # Errors
    /// [`Error::Refused`] if the registry does not answer the question.
    pub async fn has_blob(&self, of: &Reference, digest: &Digest) -> Result<bool, Error> {
        let path = format!("{}/blobs/{digest}", of.path());
        self.has(of, digest, path).await
    }
}

impl Download {
    /// Returns the next piece, over a new connection if necessary.
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.offset >= self.descriptor.size && self.descriptor.size > 0 {
                return self.rest().await;
            }
            let Some(answer) = &mut self.answer else {
                self.ask().await?;
                continue;
            };
            match next(self.of.domain(), answer).await {
                Ok(Some(piece)) => {
                    let skipped = self.skip.min(piece.len() as u64);
                    self.skip -= skipped;
                    let piece = piece.slice(skipped as usize..);
                    if piece.is_empty() {
                        continue;
                    }
                    self.offset += piece.len() as u64;
                    return Ok(Some(piece));
                }
                // Without a length, a broken connection looks like the end of the blob.
                Ok(None) => match self.got_on().after_cut() {
                    Some(wait) => self.pause(wait).await,
                    // The check of the whole blob reports that it is too short.
                    None => return Ok(None),
                },
                Err(error) => match self.got_on().after_error(&error) {
                    Some(wait) => self.pause(wait).await,
                    None => return Err(error),
                },
            }
        }
    }

    /// Reads past the last byte, to detect a blob that is too long.
    async fn rest(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(answer) = &mut self.answer else {
            return Ok(None);
        };
        match next(self.of.domain(), answer).await {
            Ok(Some(piece)) => Ok(Some(piece)),
            // All bytes have arrived.
            Ok(None) | Err(_) => Ok(None),
        }
    }

    /// Returns the remaining retries. Progress resets them.
    fn got_on(&mut self) -> &mut Retries {
        if self.offset - self.broken_at >= PROGRESS {
            self.retries.reset();
        }
        self.broken_at = self.offset;
        &mut self.retries
    }

    async fn pause(&mut self, wait: Wait) {
        self.answer = None;
        self.client.remote.waits.wait(self.of.domain(), &wait).await;
    }

    async fn ask(&mut self) -> Result<(), Error> {
        let digest = &self.descriptor.digest;
        let path = format!("{}/blobs/{digest}", self.of.path());
        let mut ask = Ask::new(Method::GET, Target::Path(path), Access::pull(&self.of));
        if self.offset > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.offset))
        {
            ask.headers.insert(RANGE, range);
        }
        let remote = &self.client.remote;
        let mut answer = remote.send_with(&ask, &mut self.retries).await?;
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE && self.offset > 0 {
            // The registry has no ranges of this blob: start from the beginning.
            ask.headers.remove(RANGE);
            answer = remote.send_with(&ask, &mut self.retries).await?;
        }
        let operation = operation(RefusedAction::Pull, &self.of, digest.as_str(), &ask.access);
        let answer = operation.succeeded(answer).await?;
        if is_web_page(&answer) {
            return Err(operation.not_a_registry(&answer));
        }
        let start = match answer.status() {
            StatusCode::PARTIAL_CONTENT => range_start(&answer).unwrap_or(self.offset),
            _ => 0,
        };
        self.skip = self
            .offset
            .checked_sub(start)
            .ok_or_else(|| Error::BadContent {
                reference: format!("{}@{digest}", self.of.name()),
                reason: ContentProblem::Range {
                    start,
                    wanted: self.offset,
                },
            })?;
        self.answer = Some(answer);
        Ok(())
    }
}

/// Returns the first byte's position. Some registries send the whole blob whatever range was
/// requested.
fn range_start(answer: &Response) -> Option<u64> {
    let range = header(answer, "content-range")?
        .trim()
        .strip_prefix("bytes")?;
    range.trim_start().split('-').next()?.parse().ok()
}
