//! Blobs out of registries, as streams that go on where a connection broke off.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use http::header::{HeaderValue, RANGE};
use http::{Method, StatusCode};
use reqwest::Response;

use super::access::Access;
use super::answer::{LIMIT, is_web_page, next};
use super::client::deed;
use super::remote::{Ask, Target};
use super::verify::verified;
use super::{Client, Error};
use crate::oci::{Descriptor, Digest, Reference};

/// The bytes of a blob, piece by piece.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// How often in a row a broken connection is made anew without a byte in between.
const ATTEMPTS: u32 = 4;
/// The wait before the first further attempt.
const PAUSE: Duration = Duration::from_millis(250);

/// A blob on its way.
struct Download {
    client: Client,
    of: Reference,
    descriptor: Descriptor,
    offset: u64,
    answer: Option<Response>,
    /// What an answer that begins at the blob's start repeats.
    skip: u64,
    failures: u32,
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
            failures: 0,
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
    /// As [`Client::blob`]; [`Error::BadContent`] for more than 8 MiB.
    pub async fn small_blob(
        &self,
        of: &Reference,
        descriptor: &Descriptor,
    ) -> Result<Bytes, Error> {
        if descriptor.size > LIMIT as u64 {
            return Err(Error::BadContent {
                reference: format!("{}@{}", of.name(), descriptor.digest),
                reason: format!("it is larger than {} MiB", LIMIT >> 20),
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
        // Asked in order to write it most of the time: one token for both.
        self.has_blob_with(of, digest, Access::push(of)).await
    }

    async fn has_blob_with(
        &self,
        of: &Reference,
        digest: &Digest,
        access: Access,
    ) -> Result<bool, Error> {
        let path = format!("{}/blobs/{digest}", of.path());
        let ask = Ask::new(Method::HEAD, Target::Path(path), access);
        let answer = self.remote.send(&ask).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let deed = deed("give", of, digest.as_str(), &ask.access);
        deed.succeeded(answer).await.map(|_| true)
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
                match self.ask().await {
                    Ok(()) => continue,
                    Err(error) => self.pause(error).await?,
                }
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
                    self.failures = 0;
                    return Ok(Some(piece));
                }
                // Too short is for the check of the whole to say.
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.answer = None;
                    self.pause(error).await?;
                }
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

    /// Gives up, or waits before the next attempt.
    async fn pause(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        let again = matches!(error, Error::Unreachable { .. } | Error::Silent { .. });
        if !again || self.failures >= ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.failures)).await;
        Ok(())
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
        let answer = self.client.remote.send(&ask).await?;
        let deed = deed("give", &self.of, digest.as_str(), &ask.access);
        let answer = deed.succeeded(answer).await?;
        if is_web_page(&answer) {
            return Err(deed.not_a_registry(&answer));
        }
        self.skip = match answer.status() {
            StatusCode::PARTIAL_CONTENT => 0,
            _ => self.offset,
        };
        self.answer = Some(answer);
        Ok(())
    }
}
