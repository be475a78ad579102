//! The destination of a new image: a repository, or a layout's folder.

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::{Error, Location};
use crate::layout::{CommitError, Layout, LayoutReference, Name};
use crate::oci::{Descriptor, Digest};
use crate::registry::{BlobSource, BlobStream, Client, Progress};
use crate::task::blocking;

impl Location {
    /// Returns true if a repository has a manifest, and so everything below it. In a folder, parts
    /// may be missing.
    pub(super) async fn has_manifest(
        &self,
        client: &Client,
        digest: &Digest,
    ) -> Result<bool, Error> {
        match self {
            Self::Registry(name) => Ok(client.has_manifest(name, digest).await?),
            Self::Layout(_) => Ok(false),
        }
    }

    /// Writes a manifest by its digest, without a tag.
    pub(super) async fn put_manifest(
        &self,
        client: &Client,
        descriptor: &Descriptor,
        bytes: Bytes,
    ) -> Result<(), Error> {
        match self {
            Self::Registry(name) => {
                let name = name.without_tag().with_digest(descriptor.digest.clone());
                client
                    .put_manifest(&name, &descriptor.media_type, bytes)
                    .await?;
                Ok(())
            }
            Self::Layout(_) => {
                self.put_blob(client, descriptor, &BlobSource::Bytes(bytes), |_| {})
                    .await
            }
        }
    }

    /// Writes a blob; `tell` receives the number of bytes so far.
    pub(super) async fn put_blob(
        &self,
        client: &Client,
        descriptor: &Descriptor,
        source: &BlobSource,
        tell: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        match self {
            Self::Registry(name) => {
                let progress = Progress::new(tell);
                client
                    .push_blob(name, descriptor, source, Some(&progress))
                    .await?;
                Ok(())
            }
            Self::Layout(to) => {
                let layout = Layout::new(&to.path);
                if is_intact(&layout, &descriptor.digest).await? {
                    return Ok(());
                }
                let bytes = source.open(descriptor).await?;
                store(layout, descriptor, bytes, tell).await
            }
        }
    }

    /// Writes an index or manifest under this location's tag.
    pub(super) async fn put_image(
        &self,
        client: &Client,
        descriptor: &Descriptor,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let to = match self {
            Self::Registry(name) => {
                client
                    .put_manifest(name, &descriptor.media_type, bytes)
                    .await?;
                return Ok(());
            }
            Self::Layout(to) => to,
        };
        self.put_manifest(client, descriptor, bytes).await?;
        let (layout, name) = (Layout::new(&to.path), name_of(to));
        let root = Descriptor {
            platform: None,
            ..descriptor.clone()
        };
        blocking(move || Ok(layout.put(&root, &[name])?)).await
    }

    /// Records a copied manifest as a referrer. Registries do that themselves.
    pub(super) async fn put_referrer(
        &self,
        subject: &Digest,
        referrer: &Descriptor,
    ) -> Result<(), Error> {
        let Self::Layout(to) = self else {
            return Ok(());
        };
        let layout = Layout::new(&to.path);
        let (subject, referrer) = (subject.clone(), referrer.clone());
        blocking(move || Ok(layout.put_referrer(&subject, &referrer)?)).await
    }
}

fn name_of(to: &LayoutReference) -> Name {
    Name::Tag(to.tag.clone().unwrap_or_else(|| "latest".to_owned()))
}

async fn is_intact(layout: &Layout, digest: &Digest) -> Result<bool, Error> {
    let (layout, digest) = (layout.clone(), digest.clone());
    let intact = blocking(move || Ok::<_, Error>(layout.is_intact(&digest)?));
    Ok(intact.await? == Some(true))
}

async fn store(
    layout: Layout,
    descriptor: &Descriptor,
    mut bytes: BlobStream,
    tell: impl Fn(u64),
) -> Result<(), Error> {
    let algorithm = descriptor.digest.algorithm().to_owned();
    let mut upload = blocking(move || Ok::<_, Error>(layout.upload(&algorithm)?)).await?;
    while let Some(piece) = bytes.try_next().await? {
        upload = blocking(move || {
            upload.write(&piece)?;
            Ok::<_, Error>(upload)
        })
        .await?;
        tell(upload.size());
    }
    let (size, digest) = (descriptor.size, descriptor.digest.clone());
    blocking(move || {
        let stored = upload.commit(Some(size), Some(&digest));
        stored.map(drop).map_err(|error| match error {
            CommitError::Layout(error) => error.into(),
            source => Error::Store { digest, source },
        })
    })
    .await
}
