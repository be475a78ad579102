//! Uploads the bytes of one blob. An interrupted upload resumes where the registry has it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::{Response, Url};

use super::RefusedAction;
use super::access::Access;
use super::answer::header;
use super::client::operation;
use super::download::BlobStream;
use super::origin::location;
use super::remote::{Ask, Opener, Payload, Target};
use super::retry::Retries;
use super::{BlobSource, Client, Error, Progress};
use crate::oci::{Descriptor, Reference};

/// A blob that is being uploaded to a repository.
pub(super) struct Sending<'a> {
    pub(super) client: &'a Client,
    pub(super) to: &'a Reference,
    pub(super) descriptor: &'a Descriptor,
    pub(super) source: &'a BlobSource,
    pub(super) progress: Option<&'a Progress>,
}

/// The source's error while it was sent: HTTP only reports that the body broke off.
type Slot = Arc<Mutex<Option<Error>>>;

impl Sending<'_> {
    /// Sends to the location of a started upload.
    pub(super) async fn send(&self, place: Url, mut retries: Retries) -> Result<(), Error> {
        let (mut place, mut offset) = (place, 0);
        loop {
            let Err(error) = self.rest(&place, offset).await else {
                return Ok(());
            };
            let Some(wait) = self.wait(&error, offset, &mut retries) else {
                return Err(error);
            };
            let waits = &self.client.remote.waits;
            waits.wait(self.to.domain(), &wait).await;
            (place, offset) = match self.position(&place, &mut retries).await? {
                Some(position) => position,
                // Perhaps only the answer was lost.
                None if self
                    .client
                    .has_blob(self.to, &self.descriptor.digest)
                    .await? =>
                {
                    return Ok(());
                }
                None => match self.client.begin(self.to, &mut retries).await? {
                    Some(place) => (place, 0),
                    None => return Ok(()),
                },
            };
        }
    }

    /// Returns the wait before the next attempt. An upload that cannot resume restarts.
    fn wait(
        &self,
        error: &Error,
        offset: u64,
        retries: &mut Retries,
    ) -> Option<super::retry::Wait> {
        match error {
            Error::Refused(refusal)
                if offset > 0 && matches!(refusal.status.as_u16(), 400 | 404 | 416) =>
            {
                retries.after_cut()
            }
            error => retries.after_error(error),
        }
    }

    /// Returns how many bytes the registry has, and where to send the rest. `None` if it has none
    /// or does not say.
    async fn position(
        &self,
        place: &Url,
        retries: &mut Retries,
    ) -> Result<Option<(Url, u64)>, Error> {
        let access = Access::push(self.to);
        let ask = Ask::new(Method::GET, Target::Url(place.clone()), access);
        let answer = match self.client.remote.send_with(&ask, retries).await {
            Ok(answer) if answer.status() == StatusCode::NO_CONTENT => answer,
            _ => return Ok(None),
        };
        let Some(next) = range_end(&answer).filter(|next| *next <= self.descriptor.size) else {
            return Ok(None);
        };
        let place = self.place_after(place, &answer)?;
        Ok(Some((place, next)))
    }

    /// Returns the upload's next location: each answer may name a new one.
    fn place_after(&self, place: &Url, answer: &Response) -> Result<Url, Error> {
        let Some(next) = location(answer.url(), answer.headers()) else {
            return Ok(place.clone());
        };
        let hosts = &self.client.remote.hosts;
        hosts.check_way(self.to.domain(), answer.url(), &next)?;
        Ok(next)
    }

    /// Sends everything from an offset in one chunk, as docker does.
    async fn rest(&self, place: &Url, offset: u64) -> Result<(), Error> {
        let size = self.descriptor.size;
        if offset == 0 {
            let put = Ask::new(Method::PUT, self.finished(place), Access::push(self.to));
            return self.stream(put, offset).await.map(drop);
        }
        let mut place = place.clone();
        if offset < size {
            let target = Target::Url(place.clone());
            let mut patch = Ask::new(Method::PATCH, target, Access::push(self.to));
            let range = HeaderValue::from_str(&format!("{offset}-{}", size - 1));
            patch
                .headers
                .extend(range.ok().map(|range| (CONTENT_RANGE, range)));
            let answer = self.stream(patch, offset).await?;
            place = self.place_after(&place, &answer)?;
        }
        let mut put = Ask::new(Method::PUT, self.finished(&place), Access::push(self.to));
        put.headers
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let answer = self.client.remote.send(&put).await?;
        self.accepted(&put, answer).await.map(drop)
    }

    /// Returns the location with the digest, which completes the upload.
    fn finished(&self, place: &Url) -> Target {
        let mut place = place.clone();
        place
            .query_pairs_mut()
            .append_pair("digest", self.descriptor.digest.as_str());
        Target::Url(place)
    }

    async fn stream(&self, mut ask: Ask, offset: u64) -> Result<Response, Error> {
        let failure = Slot::default();
        ask.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
        ask.payload = Payload::Stream(self.descriptor.size - offset, self.opener(offset, &failure));
        let sent = self.client.remote.send(&ask).await;
        if let Some(error) = failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            return Err(error);
        }
        self.accepted(&ask, sent?).await
    }

    async fn accepted(&self, ask: &Ask, answer: Response) -> Result<Response, Error> {
        let digest = self.descriptor.digest.as_str();
        let operation = operation(RefusedAction::Push, self.to, digest, &ask.access);
        operation.succeeded(answer).await
    }

    /// Returns a function that opens the source at the offset, and counts the bytes, for each
    /// attempt.
    fn opener(&self, offset: u64, failure: &Slot) -> Opener {
        let (source, descriptor) = (self.source.clone(), self.descriptor.clone());
        let (progress, failure) = (self.progress.cloned(), Arc::clone(failure));
        Box::new(move || {
            let (source, descriptor) = (source.clone(), descriptor.clone());
            let (progress, failure) = (progress.clone(), Arc::clone(&failure));
            Box::pin(async move {
                let bytes = open_from(&source, &descriptor, offset).await?;
                let mut sent = offset;
                let counted = bytes.map(move |piece| match piece {
                    Ok(piece) => {
                        sent += piece.len() as u64;
                        if let Some(progress) = &progress {
                            (progress.0)(sent);
                        }
                        Ok(piece)
                    }
                    Err(error) => {
                        let broken = Error::BrokenSource;
                        *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        Err(broken)
                    }
                });
                Ok(Box::pin(counted) as BlobStream)
            })
        })
    }
}

/// Opens a source without its beginning. A local source is read and verified as a whole; another
/// repository sends only the rest, which the target registry verifies.
async fn open_from(
    source: &BlobSource,
    descriptor: &Descriptor,
    offset: u64,
) -> Result<BlobStream, Error> {
    if let (BlobSource::Repository(client, from), true) = (source, offset > 0) {
        return client.blob_from(from, descriptor, offset).await;
    }
    let all = source.open(descriptor).await?;
    Ok(Box::pin(stream::try_unfold(
        (all, offset),
        |(mut all, mut skip)| async move {
            while let Some(piece) = all.try_next().await? {
                let skipped = skip.min(piece.len() as u64);
                skip -= skipped;
                let piece = piece.slice(skipped as usize..);
                if !piece.is_empty() {
                    return Ok(Some((piece, (all, skip))));
                }
            }
            Ok(None)
        },
    )))
}

/// Returns the number of bytes that a registry has: `Range: 0-LAST`. `0-0` can mean none or one.
fn range_end(answer: &Response) -> Option<u64> {
    let range = header(answer, "range")?.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let last: u64 = range.strip_prefix("0-")?.parse().ok()?;
    (last > 0).then_some(last + 1)
}
