//! Blobs out of registries, as streams that go on where a connection broke off.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use http::header::{HeaderValue, RANGE};
use http::{Method, StatusCode};
use reqwest::Response;

use super::access::Access;
use super::answer::{LIMIT, header, is_web_page, next};
use super::client::deed;
use super::remote::{Ask, Target};
use super::retry::{Retries, Wait};
use super::verify::verified;
use super::{Client, Error};
use crate::oci::{Descriptor, Digest, Reference};

/// The bytes of a blob, piece by piece.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// With so many bytes more a download got on: its retries are counted from the beginning.
const PROGRESS: u64 = 64 << 10;

/// A blob on its way.
struct Download {
    client: Client,
    of: Reference,
    descriptor: Descriptor,
    offset: u64,
    answer: Option<Response>,
    /// What an answer that begins at the blob's start repeats.
    skip: u64,
    retries: Retries,
    /// Where it was when it broke off.
    broken_at: u64,
}

impl Client {
    /// The bytes of a blob of a repository; the reference's tag and digest do not count. A connection that breaks off is
    /// made anew for the rest. The stream ends with an error when the bytes are not those of the descriptor: the last piece
    /// is never given then.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not there or not to be read. The stream's errors are also [`Error::DigestMismatch`] and
    /// [`Error::SizeMismatch`].
    pub async fn blob(&self, of: &Reference, descriptor: &Descriptor) -> Result<BlobStream, Error> {
        let stream = self.blob_from(of, descriptor, 0).await?;
        let name = format!("{}@{}", of.name(), descriptor.digest);
        Ok(verified(stream, descriptor, name))
    }

    /// The bytes of a blob from an offset on, to go on with what is there in part. They are not checked: the digest is of
    /// the whole.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not there or not to be read.
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
            |mut download| async move { Ok(download.piece().await?.map(|piece| (piece, download))) },
        )))
    }

    /// The whole of a blob that is small, such as an image's config.
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

    /// Whether a repository has a blob.
    ///
    /// # Errors
    /// [`Error::Refused`] when the registry does not say.
    pub async fn has_blob(&self, of: &Reference, digest: &Digest) -> Result<bool, Error> {
        let path = format!("{}/blobs/{digest}", of.path());
        self.has(of, digest, path).await
    }
}

impl Download {
    /// The next piece, of another connection if need be.
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
                // Without a length, a broken connection looks like the end.
                Ok(None) => match self.got_on().after_cut() {
                    Some(wait) => self.pause(wait).await,
                    // Too short is for the check of the whole to say.
                    None => return Ok(None),
                },
                Err(error) => match self.got_on().after_error(&error) {
                    Some(wait) => self.pause(wait).await,
                    None => return Err(error),
                },
            }
        }
    }

    /// What comes after the last byte: nothing, or too much.
    async fn rest(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(answer) = &mut self.answer else {
            return Ok(None);
        };
        match next(self.of.domain(), answer).await {
            Ok(Some(piece)) => Ok(Some(piece)),
            // All that was wanted has come.
            Ok(None) | Err(_) => Ok(None),
        }
    }

    /// The retries that are left, all of them after progress.
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
            // It has no ranges of this blob: from the start, then.
            ask.headers.remove(RANGE);
            answer = remote.send_with(&ask, &mut self.retries).await?;
        }
        let deed = deed("give", &self.of, digest.as_str(), &ask.access);
        let answer = deed.succeeded(answer).await?;
        if is_web_page(&answer) {
            return Err(deed.not_a_registry(&answer));
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
                reason: format!("it begins at byte {start} and not at {}", self.offset),
            })?;
        self.answer = Some(answer);
        Ok(())
    }
}

/// Where the bytes of a part begin: some give all of them whatever they were asked for.
fn range_start(answer: &Response) -> Option<u64> {
    let range = header(answer, "content-range")?
        .trim()
        .strip_prefix("bytes")?;
    range.trim_start().split('-').next()?.parse().ok()
}
