//! Blobs into registries: those that are there already are not sent, those of another repository mounted.

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

use super::access::Access;
use super::answer::is_web_page;
use super::client::deed;
use super::download::BlobStream;
use super::origin::location;
use super::remote::{Ask, Target};
use super::retry::Retries;
use super::sending::Sending;
use super::verify::verified;
use super::{Client, Error, RetryPolicy};
use crate::oci::{Descriptor, Digest, Reference};

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
pub struct Progress(pub(super) Arc<dyn Fn(u64) + Send + Sync>);

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
    /// them is sent. An upload that breaks off resumes where the registry has it, or begins anew, as often as
    /// [`RetryPolicy`] has it.
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
                self.give_up(to, place).await;
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
        if let Some(place) = self.begin(to, &mut self.remote.waits.retries()).await? {
            self.give_up(to, place).await;
        }
        Ok(())
    }

    /// Ends an upload. The registry forgets it in time if it is not told.
    async fn give_up(&self, to: &Reference, place: Url) {
        let ask = Ask::new(Method::DELETE, Target::Url(place), Access::push(to));
        let mut once = Retries::new(&RetryPolicy::never());
        let _ = self.remote.send_with(&ask, &mut once).await;
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
        let mut retries = self.remote.waits.retries();
        match self.post(to, path, access, &mut retries).await {
            // Registries and token servers refuse the whole when the source may not be read, which
            // another account may do.
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
        let deed = deed("take", to, "a blob", &ask.access);
        let answer = deed.succeeded(answer).await?;
        if answer.status() == StatusCode::CREATED {
            return Ok(None);
        }
        let from = answer.url();
        match location(from, answer.headers()) {
            Some(place) => {
                self.remote.hosts.check_way(to.domain(), from, &place)?;
                Ok(Some(place))
            }
            None if is_web_page(&answer) => Err(deed.not_a_registry(&answer)),
            None => Err(Error::NoLocation {
                registry: to.domain().to_owned(),
                status: answer.status(),
            }),
        }
    }
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
