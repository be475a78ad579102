//! An image at its source: its root, manifests and blobs.

use std::path::Path;

use bytes::Bytes;

use super::archive::Archive;
use super::entries::choose;
use super::{Error, ManifestProblem, Place};
use crate::layout::{self, CommitError, Layout};
use crate::oci::{Descriptor, Digest, Index, Reference, media_type};
use crate::registry::{BlobSource, Client};
use crate::task;

/// The largest manifest that is read, in bytes; registries have the same limit.
const MANIFEST: u64 = 8 << 20;

/// An image at a place.
#[derive(Debug)]
pub struct Source {
    place: Place,
    root: Descriptor,
    store: Store,
    /// A repository with blobs that the store lacks.
    completing: Option<(Client, Reference)>,
}

#[derive(Debug)]
enum Store {
    Registry(Client, Reference),
    Layout(Layout),
    Archive(Archive),
}

impl Source {
    /// Finds the image of a place.
    ///
    /// # Errors
    /// [`Error::NoImage`], which lists the existing names; [`Error::Direction`] for an engine;
    /// others if the place cannot be read or has another format.
    pub async fn open(place: &Place, client: &Client) -> Result<Self, Error> {
        let (root, store) = match place {
            Place::Registry(name) => {
                let root = client.head(name).await?;
                // From here on the digest is used, even if the tag moves.
                let name = name.clone().with_digest(root.digest.clone());
                (root, Store::Registry(client.clone(), name))
            }
            Place::Layout { path, tag, digest } => {
                let (path, tag, digest) = (path.clone(), tag.clone(), digest.clone());
                blocking(move || of_layout(&path, tag.as_deref(), digest.as_ref())).await?
            }
            Place::OciArchive { path, tag } => {
                let (path, tag) = (path.clone(), tag.clone());
                let (archive, root) =
                    blocking(move || Archive::open(&path, tag.as_deref())).await?;
                (root, Store::Archive(archive))
            }
            Place::DockerArchive { path, name } => {
                let (path, name) = (path.clone(), name.as_ref().map(Reference::to_string));
                let (archive, root) =
                    blocking(move || Archive::open(&path, name.as_deref())).await?;
                (root, Store::Archive(archive))
            }
            Place::Engine(_) => {
                return Err(Error::Direction {
                    place: place.to_string(),
                    action: "read",
                });
            }
        };
        Ok(Self {
            place: place.clone(),
            root,
            store,
            completing: None,
        })
    }

    /// Reads blobs that a layout lacks from a repository, which must have them.
    #[must_use]
    pub fn completed_by(mut self, client: &Client, repository: &Reference) -> Self {
        self.completing = Some((client.clone(), repository.clone()));
        self
    }

    /// Returns the place of the image.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the image's root: an index or a manifest.
    pub fn root(&self) -> &Descriptor {
        &self.root
    }

    /// Reads a manifest and verifies it.
    pub(crate) async fn manifest(&self, descriptor: &Descriptor) -> Result<Bytes, Error> {
        if descriptor.size > MANIFEST {
            return Err(self.no_manifest(descriptor, ManifestProblem::TooLarge));
        }
        let digest = descriptor.digest.clone();
        let bytes = match &self.store {
            Store::Registry(client, name) => {
                let name = name.clone().with_digest(digest);
                return Ok(client.manifest(&name).await?.bytes);
            }
            Store::Layout(layout) => {
                let layout = layout.clone();
                blocking(move || Ok(layout.read(&digest, MANIFEST)?)).await?
            }
            Store::Archive(archive) => match (archive.made.get(&digest), archive.blob(&digest)) {
                (Some(made), _) => return Ok(made.clone()),
                (None, Some(span)) => Some(archive.read_small(digest.as_str(), span)?),
                (None, None) => None,
            },
        };
        let bytes = bytes.ok_or_else(|| self.missing(descriptor))?;
        match self.is(&descriptor.digest, &bytes) {
            true => Ok(bytes.into()),
            false => Err(Error::Damaged {
                place: self.place.to_string(),
                digest: descriptor.digest.clone(),
                reason: Box::new(CommitError::Digest {
                    expected: descriptor.digest.clone(),
                    actual: Digest::sha256(&bytes),
                }),
            }),
        }
    }

    fn is(&self, digest: &Digest, bytes: &[u8]) -> bool {
        let mut hasher = crate::oci::Hasher::new(digest.algorithm());
        hasher.update(bytes);
        hasher.digest() == *digest
    }

    /// Returns the source of a blob.
    pub(crate) fn blob(&self, descriptor: &Descriptor) -> Result<BlobSource, Error> {
        let digest = &descriptor.digest;
        let (path, offset, size) = match &self.store {
            Store::Registry(client, name) => {
                let client = Box::new(client.clone());
                return Ok(BlobSource::Repository(client, name.clone()));
            }
            Store::Layout(layout) => {
                let blob = layout.blob(digest)?;
                let Some(blob) = blob else {
                    return self.elsewhere(descriptor);
                };
                (layout.blob_path(digest), 0, blob.size)
            }
            Store::Archive(archive) => {
                let span = archive.blob(digest);
                let span = span.ok_or_else(|| self.missing(descriptor))?;
                (archive.path.clone(), span.offset, span.size)
            }
        };
        if size != descriptor.size {
            let expected = descriptor.size;
            return Err(self.incomplete(descriptor, format!("has {size} of {expected} bytes")));
        }
        Ok(BlobSource::File { path, offset })
    }

    /// Returns the image's registry, if any, to resume partial blobs.
    pub(super) fn registry(&self) -> Option<(&Client, &Reference)> {
        match &self.store {
            Store::Registry(client, name) => Some((client, name)),
            _ => None,
        }
    }

    fn elsewhere(&self, descriptor: &Descriptor) -> Result<BlobSource, Error> {
        let (client, name) = self
            .completing
            .as_ref()
            .ok_or_else(|| self.missing(descriptor))?;
        Ok(BlobSource::Repository(
            Box::new(client.clone()),
            name.clone(),
        ))
    }

    fn missing(&self, descriptor: &Descriptor) -> Error {
        self.incomplete(descriptor, "is missing".to_owned())
    }

    fn incomplete(&self, descriptor: &Descriptor, problem: String) -> Error {
        Error::Incomplete {
            place: self.place.to_string(),
            digest: descriptor.digest.clone(),
            problem,
        }
    }

    pub(crate) fn no_manifest(&self, descriptor: &Descriptor, reason: ManifestProblem) -> Error {
        Error::Manifest {
            place: self.place.to_string(),
            digest: descriptor.digest.clone(),
            reason,
        }
    }
}

fn of_layout(
    path: &Path,
    tag: Option<&str>,
    digest: Option<&Digest>,
) -> Result<(Descriptor, Store), Error> {
    let layout = Layout::new(path);
    let place = format!("oci:{}", path.display());
    let text = layout.index_text()?.ok_or_else(|| layout::Error::NoIndex {
        path: path.to_owned(),
    })?;
    let index: Index = serde_json::from_slice(&text).map_err(|error| layout::Error::Index {
        path: layout.index_path(),
        reason: error.into(),
    })?;
    let root = match digest {
        None => choose(&place, &index, tag)?,
        Some(digest) => layout.descriptor(digest)?.ok_or(Error::Incomplete {
            place,
            digest: digest.clone(),
            problem: "is missing".to_owned(),
        })?,
    };
    Ok((root, Store::Layout(layout)))
}

/// Runs blocking work and converts its errors.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    task::blocking(work).await
}

/// True if the media type is that of a single image's manifest.
pub(crate) fn is_image(kind: &str) -> bool {
    matches!(kind, media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST)
}
