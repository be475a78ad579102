//! Copies images into layouts. Existing blobs are kept, and partial ones resume.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Error;
use super::event::{Event, How, Options};
use super::plan::Plan;
use super::source::{Source, blocking};
use crate::layout::{CommitError, Layout, Name, Upload};
use crate::oci::Descriptor;
use crate::registry::BlobStream;

/// Copies an image into a layout under these names. Intact blobs are not read again. A partial blob
/// from a registry resumes, if the registry supports ranges. The names are written last.
///
/// # Errors
/// [`Error::Incomplete`] if the source lacks a blob; [`Error::Damaged`] if it sends other bytes;
/// others if the source cannot be read or the layout not written.
pub async fn fetch(
    source: &Source,
    plan: &Plan,
    layout: &Layout,
    names: &[Name],
    options: &Options,
) -> Result<(), Error> {
    plan.check(source)?;
    let fetching = Fetching {
        source,
        layout,
        options,
    };
    // Boxed: otherwise rustc cannot infer that the caller's future is `Send`.
    let blobs = stream::iter(&plan.blobs).map(|blob| fetching.blob(blob));
    let blobs = blobs.buffer_unordered(options.jobs()).boxed();
    blobs.try_collect::<()>().await?;
    for (descriptor, bytes) in &plan.manifests {
        fetching.manifest(descriptor, bytes).await?;
    }
    let (layout, names, root) = (layout.clone(), names.to_vec(), plan.root().clone());
    blocking(move || Ok(layout.put(&root, &names)?)).await
}

struct Fetching<'a> {
    source: &'a Source,
    layout: &'a Layout,
    options: &'a Options,
}

impl Fetching<'_> {
    async fn blob(&self, blob: &Descriptor) -> Result<(), Error> {
        let how = self.copied(blob).await?;
        let descriptor = blob.clone();
        self.options.tell(&Event::Blob { descriptor, how });
        Ok(())
    }

    async fn copied(&self, blob: &Descriptor) -> Result<How, Error> {
        let (layout, digest) = (self.layout.clone(), blob.digest.clone());
        if blocking(move || Ok(layout.is_intact(&digest)?)).await? == Some(true) {
            return Ok(How::Existed);
        }
        let (layout, wanted) = (self.layout.clone(), blob.clone());
        let resumable = self.source.registry().is_some();
        let upload = blocking(move || match resumable {
            true => Ok(layout.resume(&wanted)?),
            false => Ok(layout.upload(wanted.digest.algorithm())?),
        });
        let upload = upload.await?;
        let offset = upload.size();
        if offset == 0 {
            self.stream_into(upload, blob).await?;
            return Ok(How::Copied);
        }
        match self.stream_into(upload, blob).await {
            // The existing part belonged to another blob.
            Err(Error::Damaged { .. }) => {
                let layout = self.layout.clone();
                let algorithm = blob.digest.algorithm().to_owned();
                let upload = blocking(move || Ok(layout.upload(&algorithm)?)).await?;
                self.stream_into(upload, blob).await.map(|()| How::Copied)
            }
            done => done.map(|()| How::Resumed),
        }
    }

    async fn stream_into(&self, mut upload: Upload, blob: &Descriptor) -> Result<(), Error> {
        let mut bytes = self.bytes(blob, upload.size()).await?;
        while let Some(piece) = bytes.try_next().await? {
            // One blocking task per piece: the file system usually caches the write at once.
            upload = blocking(move || {
                upload.write(&piece)?;
                Ok(upload)
            })
            .await?;
            self.options.tell(&Event::Progress {
                digest: blob.digest.clone(),
                bytes: upload.size(),
            });
        }
        self.commit(upload, blob).await
    }

    async fn bytes(&self, blob: &Descriptor, offset: u64) -> Result<BlobStream, Error> {
        match self.source.registry() {
            Some((client, name)) => Ok(client.blob_from(name, blob, offset).await?),
            None => Ok(self.source.blob(blob)?.open(blob).await?),
        }
    }

    async fn manifest(&self, descriptor: &Descriptor, bytes: &Bytes) -> Result<(), Error> {
        let (layout, bytes) = (self.layout.clone(), bytes.clone());
        let algorithm = descriptor.digest.algorithm().to_owned();
        let upload = blocking(move || {
            let mut upload = layout.upload(&algorithm)?;
            upload.write(&bytes)?;
            Ok(upload)
        });
        self.commit(upload.await?, descriptor).await?;
        self.options.tell(&Event::Manifest {
            descriptor: descriptor.clone(),
            name: None,
        });
        Ok(())
    }

    async fn commit(&self, upload: Upload, blob: &Descriptor) -> Result<(), Error> {
        let place = self.source.place().to_string();
        let blob = blob.clone();
        blocking(move || {
            let done = upload.commit(Some(blob.size), Some(&blob.digest));
            done.map(drop).map_err(|error| match error {
                CommitError::Layout(error) => error.into(),
                wrong => Error::Damaged {
                    place,
                    digest: blob.digest,
                    reason: Box::new(wrong),
                },
            })
        })
        .await
    }
}
