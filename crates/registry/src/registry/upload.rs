//! Blobs into registries: those that are there already are not sent, those of another repository mounted.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::access::Access;
use super::client::deed;
use super::download::BlobStream;
use super::remote::{Ask, Opener, Payload, Target, location};
use super::verify::verified;
use super::{Client, Error};
use crate::oci::{Descriptor, Digest, Reference};

/// How often the upload of one blob is begun.
const ATTEMPTS: u32 = 3;
/// What is read of a file at once.
const PIECE: usize = 64 << 10;

/// Where the bytes of a blob come from. They can be had again when an upload has to begin anew.
#[derive(Debug, Clone)]
pub enum BlobSource {
    /// They are here.
    Bytes(Bytes),
    /// A part of a file: a blob of a layout, or of an archive that is not compressed.
    File {
        /// The file.
        path: PathBuf,
        /// Where in the file it begins; it is as long as its descriptor says.
        offset: u64,
    },
    /// Another repository, of this or another registry.
    Repository(Box<Client>, Reference),
}

/// Is told how many bytes of a blob were sent; begins anew when the upload does.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(u64) + Send + Sync>);

/// How a blob came to be in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was there.
    Existed,
    /// The registry took it from another of its repositories.
    Mounted,
    /// Its bytes were sent.
    Sent,
}

impl Progress {
    /// Calls this with the number of bytes.
    pub fn new(tell: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

impl Client {
    /// Sees to it that a repository has a blob: nothing is sent when it is there; a blob of another repository of the same
    /// registry is mounted; everything else is streamed. The bytes are checked against the descriptor before the last of
    /// them is sent. A connection that breaks off is tried again from the start, twice.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] and [`Error::SizeMismatch`] when the source has other bytes; [`Error::ReadSource`];
    /// [`Error::Refused`] with the status and the scope.
    pub async fn push_blob(
        &self,
        to: &Reference,
        descriptor: &Descriptor,
        source: &BlobSource,
        progress: Option<&Progress>,
    ) -> Result<Pushed, Error> {
        let digest = &descriptor.digest;
        if self.has_blob(to, digest).await? {
            return Ok(Pushed::Existed);
        }
        let from = match source {
            BlobSource::Repository(_, from) if from.domain() == to.domain() => Some(from),
            _ => None,
        };
        let mut attempt = 1;
        loop {
            let begun = match from {
                Some(from) => self.mount(to, from, digest).await?,
                None => self.begin(to).await?,
            };
            let Some(place) = begun else {
                return Ok(Pushed::Mounted);
            };
            match self
                .send_blob(to, descriptor, source, progress, place)
                .await
            {
                Err(Error::Unreachable { .. } | Error::Silent { .. }) if attempt < ATTEMPTS => {
                    attempt += 1;
                }
                sent => return sent.map(|()| Pushed::Sent),
            }
        }
    }

    /// Has a registry take a blob from another of its repositories. `false` when it does not: the bytes must be sent then.
    ///
    /// # Errors
    /// [`Error::Refused`] when one may not write there.
    pub async fn mount_blob(
        &self,
        to: &Reference,
        from: &Reference,
        digest: &Digest,
    ) -> Result<bool, Error> {
        match self.mount(to, from, digest).await? {
            None => Ok(true),
            Some(place) => {
                // The registry has begun an upload in its place. Whether it is given up does not matter.
                let ask = Ask::new(Method::DELETE, Target::Url(place), Access::push(to));
                let _ = self.remote.send(&ask).await;
                Ok(false)
            }
        }
    }

    /// Whether one may write to a repository: an upload is begun there and given up.
    ///
    /// # Errors
    /// [`Error::Refused`] and [`Error::TokenRefused`] with the status and the scope when one may not; others when the registry
    /// cannot be asked.
    pub async fn may_push(&self, to: &Reference) -> Result<(), Error> {
        if let Some(place) = self.begin(to).await? {
            // The registry forgets it in time if it is not told.
            let ask = Ask::new(Method::DELETE, Target::Url(place), Access::push(to));
            let _ = self.remote.send(&ask).await;
        }
        Ok(())
    }

    /// `None` when it is mounted, else where to send the bytes.
    async fn mount(
        &self,
        to: &Reference,
        from: &Reference,
        digest: &Digest,
    ) -> Result<Option<Url>, Error> {
        let path = format!(
            "{}/blobs/uploads/?mount={digest}&from={}",
            to.path(),
            from.path()
        );
        let access = Access::mount(to, from);
        match self.post(to, path, access).await {
            // Some refuse the whole when the source may not be read.
            Err(Error::Refused(_)) => self.begin(to).await,
            begun => begun,
        }
    }

    async fn begin(&self, to: &Reference) -> Result<Option<Url>, Error> {
        let path = format!("{}/blobs/uploads/", to.path());
        self.post(to, path, Access::push(to)).await
    }

    async fn post(
        &self,
        to: &Reference,
        path: String,
        access: Access,
    ) -> Result<Option<Url>, Error> {
        let mut ask = Ask::new(Method::POST, Target::Path(path), access);
        ask.headers
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let answer = self.remote.send(&ask).await?;
        let deed = deed("take", to, "a blob", &ask.access);
        let answer = deed.succeeded(answer).await?;
        if answer.status() == StatusCode::CREATED {
            return Ok(None);
        }
        match location(&answer) {
            Some(place) => Ok(Some(place)),
            None => Err(deed.not_a_registry(&answer)),
        }
    }

    async fn send_blob(
        &self,
        to: &Reference,
        descriptor: &Descriptor,
        source: &BlobSource,
        progress: Option<&Progress>,
        mut place: Url,
    ) -> Result<(), Error> {
        place
            .query_pairs_mut()
            .append_pair("digest", descriptor.digest.as_str());
        let failure = Arc::new(Mutex::new(None));
        let mut ask = Ask::new(Method::PUT, Target::Url(place), Access::push(to));
        ask.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
        let open = opener(source, descriptor, progress, &failure);
        ask.payload = Payload::Stream(descriptor.size, open);
        let sent = self.remote.send(&ask).await;
        if let Some(error) = failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            return Err(error);
        }
        let deed = deed("take", to, descriptor.digest.as_str(), &ask.access);
        deed.succeeded(sent?).await.map(|_| ())
    }
}

/// What was wrong with the source while it was sent: HTTP knows only that the body broke off.
type Slot = Arc<Mutex<Option<Error>>>;

/// Opens the source, counted and checked, for each time that it is sent.
fn opener(
    source: &BlobSource,
    descriptor: &Descriptor,
    progress: Option<&Progress>,
    failure: &Slot,
) -> Opener {
    let (source, descriptor) = (source.clone(), descriptor.clone());
    let (progress, failure) = (progress.cloned(), Arc::clone(failure));
    Box::new(move || {
        let (source, descriptor) = (source.clone(), descriptor.clone());
        let (progress, failure) = (progress.clone(), Arc::clone(&failure));
        Box::pin(async move {
            let bytes = source.open(&descriptor).await?;
            let mut sent = 0;
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

impl BlobSource {
    /// The bytes, checked against the descriptor.
    ///
    /// # Errors
    /// When they cannot be had. The stream's errors are also [`Error::DigestMismatch`] and [`Error::SizeMismatch`].
    pub async fn open(&self, descriptor: &Descriptor) -> Result<BlobStream, Error> {
        match self {
            Self::Bytes(bytes) => {
                let bytes = stream::iter([Ok(bytes.clone())]);
                let name = descriptor.digest.to_string();
                Ok(verified(Box::pin(bytes), descriptor, name))
            }
            Self::File { path, offset } => {
                let failed = |source| Error::ReadSource {
                    path: path.clone(),
                    source,
                };
                let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
                file.seek(std::io::SeekFrom::Start(*offset))
                    .await
                    .map_err(failed)?;
                let path = path.clone();
                let name = path.display().to_string();
                let bytes = ReaderStream::with_capacity(file.take(descriptor.size), PIECE).map_err(
                    move |source| Error::ReadSource {
                        path: path.clone(),
                        source,
                    },
                );
                Ok(verified(Box::pin(bytes), descriptor, name))
            }
            Self::Repository(client, from) => client.blob(from, descriptor).await,
        }
    }
}
