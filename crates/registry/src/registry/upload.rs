//! Uploads blobs to registries. Existing blobs are not sent; those of another repository are
//! mounted.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::RefusedAction;
use super::access::Access;
use super::answer::is_web_page;
use super::client::operation;
use super::download::BlobStream;
use super::origin::location;
use super::remote::{Ask, Target};
use super::retry::Retries;
use super::sending::Sending;
use super::verify::verified;
use super::{Client, Error, RetryPolicy};
use crate::oci::{Descriptor, Digest, Reference};

/// The size of one read from a file, in bytes.
const PIECE: usize = 64 << 10;

/// The source of a blob's bytes. It can be read again if an upload restarts.
#[derive(Debug, Clone)]
pub enum BlobSource {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A part of a file: a blob of a layout, or of an uncompressed archive.
    File {
        /// The file.
        path: PathBuf,
        /// The offset in the file; the descriptor gives the length.
        offset: u64,
    },
    /// A repository of this or another registry.
    Repository(Box<Client>, Reference),
}

/// A callback that receives the number of sent bytes; the count restarts with the upload.
#[derive(Clone)]
pub struct Progress(pub(super) Arc<dyn Fn(u64) + Send + Sync>);

/// The way a blob got into a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pushed {
    /// The blob existed already.
    Existed,
    /// The registry mounted it from another of its repositories.
    Mounted,
    /// Its bytes were sent.
    Sent,
}

impl Progress {
    /// Wraps a function that is called with the number of bytes.
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
    /// Ensures that a repository has a blob. An existing blob is not sent, a blob of another
    /// repository of the same registry is mounted, and everything else is streamed. The bytes are
    /// verified before the last of them is sent. An interrupted upload resumes or restarts, as
    /// often as [`RetryPolicy`] allows.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] and [`Error::SizeMismatch`] if the source has other bytes;
    /// [`Error::ReadSource`]; [`Error::Refused`] with status and scope.
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
        let mut retries = self.remote.waits.retries();
        let begun = match from {
            Some(from) => self.mount(to, from, digest).await?,
            None => self.begin(to, &mut retries).await?,
        };
        let Some(place) = begun else {
            return Ok(Pushed::Mounted);
        };
        let sending = Sending {
            client: self,
            to,
            descriptor,
            source,
            progress,
        };
        sending.send(place, retries).await.map(|()| Pushed::Sent)
    }

    /// Mounts a blob from another repository of the same registry. Returns `false` if the registry
    /// does not, and the bytes must be sent.
    ///
    /// # Errors
    /// [`Error::Refused`] if write access is denied.
    pub async fn mount_blob(
        &self,
        to: &Reference,
        from: &Reference,
        digest: &Digest,
    ) -> Result<bool, Error> {
        match self.mount(to, from, digest).await? {
            None => Ok(true),
            Some(place) => {
                // The registry started an upload instead. It does not matter if cancelling it
                // fails.
                self.give_up(to, place).await;
                Ok(false)
            }
        }
    }

    /// Checks write access to a repository: starts an upload and cancels it.
    ///
    /// # Errors
    /// [`Error::Refused`] and [`Error::TokenRefused`] with status and scope if access is denied;
    /// others if the registry cannot be reached.
    pub async fn may_push(&self, to: &Reference) -> Result<(), Error> {
        if let Some(place) = self.begin(to, &mut self.remote.waits.retries()).await? {
            self.give_up(to, place).await;
        }
        Ok(())
    }

    /// Cancels an upload. If this fails, the registry expires it by itself.
    async fn give_up(&self, to: &Reference, place: Url) {
        let ask = Ask::new(Method::DELETE, Target::Url(place), Access::push(to));
        let mut once = Retries::new(&RetryPolicy::never());
        let _ = self.remote.send_with(&ask, &mut once).await;
    }

    /// Returns `None` if the blob was mounted, else the upload location.
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
        let mut retries = self.remote.waits.retries();
        match self.post(to, path, access, &mut retries).await {
            // Registries and token servers refuse the whole request if the source is not readable.
            // Another account may be able to read it.
            Err(Error::Refused(_) | Error::TokenRefused { .. } | Error::NoToken { .. }) => {
                self.begin(to, &mut retries).await
            }
            begun => begun,
        }
    }

    pub(super) async fn begin(
        &self,
        to: &Reference,
        retries: &mut Retries,
    ) -> Result<Option<Url>, Error> {
        let path = format!("{}/blobs/uploads/", to.path());
        self.post(to, path, Access::push(to), retries).await
    }

    async fn post(
        &self,
        to: &Reference,
        path: String,
        access: Access,
        retries: &mut Retries,
    ) -> Result<Option<Url>, Error> {
        let mut ask = Ask::new(Method::POST, Target::Path(path), access);
        ask.headers
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let answer = self.remote.send_with(&ask, retries).await?;
        let operation = operation(RefusedAction::Push, to, "a blob", &ask.access);
        let answer = operation.succeeded(answer).await?;
        if answer.status() == StatusCode::CREATED {
            return Ok(None);
        }
        let from = answer.url();
        match location(from, answer.headers()) {
            Some(place) => {
                self.remote.hosts.check_way(to.domain(), from, &place)?;
                Ok(Some(place))
            }
            None if is_web_page(&answer) => Err(operation.not_a_registry(&answer)),
            None => Err(Error::NoLocation {
                registry: to.domain().to_owned(),
                status: answer.status(),
            }),
        }
    }
}

impl BlobSource {
    /// Opens the bytes, verified against the descriptor.
    ///
    /// # Errors
    /// If the source cannot be opened. The stream can also return [`Error::DigestMismatch`] and
    /// [`Error::SizeMismatch`].
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
