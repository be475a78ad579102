//! Writes archives of images from a layout, for `docker load` or other tools. The same image gives
//! the same bytes.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::plan::{Plan, platforms};
use super::source::{Source, is_image};
use super::{Error, error, tar};
use crate::layout::{Layout, Name};
use crate::oci::{Descriptor, Manifest, Reference, media_type};

/// The size of one read from a file, in bytes.
const PIECE: usize = 256 << 10;

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// An OCI layout with an image, or an index of several.
    Oci,
    /// For any version of `docker load`: one image. It is an OCI layout as well.
    Docker,
}

/// An archive that is ready to write.
#[derive(Debug)]
pub struct Pack {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Bytes(Bytes),
    File(PathBuf, u64),
}

impl Pack {
    /// Prepares the archive of an image that [`super::fetch`] copied into a layout.
    ///
    /// # Errors
    /// [`Error::SeveralPlatforms`] if a docker archive would hold an index.
    pub async fn new(
        source: &Source,
        plan: &Plan,
        layout: &Layout,
        names: &[Name],
        kind: ArchiveKind,
    ) -> Result<Self, Error> {
        let mut pack = Self { parts: Vec::new() };
        for folder in ["blobs/", "blobs/sha256/"] {
            pack.head(folder, 0)?;
        }
        let manifests = plan.manifests.iter().map(|(descriptor, _)| descriptor);
        let mut blobs: Vec<&Descriptor> = plan.blobs.iter().chain(manifests).collect();
        blobs.sort_by(|a, b| a.digest.cmp(&b.digest));
        for blob in blobs {
            pack.head(&path(blob), blob.size)?;
            let file = layout.blob_path(&blob.digest);
            pack.parts.push(Part::File(file, blob.size));
            pack.pad(blob.size);
        }
        pack.file("index.json", &index(plan.root(), names))?;
        if kind == ArchiveKind::Docker {
            pack.file("manifest.json", &for_docker(source, plan, names).await?)?;
        }
        let version = json!({"imageLayoutVersion": "1.0.0"});
        pack.file("oci-layout", &version)?;
        pack.parts.push(Part::Bytes(vec![0; tar::END].into()));
        Ok(pack)
    }

    /// Returns the size of the archive in bytes.
    pub fn size(&self) -> u64 {
        let sizes = self.parts.iter().map(|part| match part {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::File(_, size) => *size,
        });
        sizes.sum()
    }

    /// Writes the archive. Blocking.
    ///
    /// # Errors
    /// If a blob cannot be read, or `to` cannot be written; the error's path is then `written`.
    pub fn write(&self, to: &mut dyn Write, written: &std::path::Path) -> Result<(), Error> {
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => to.write_all(bytes).map_err(error::file("write", written))?,
                Part::File(path, size) => {
                    let mut file = File::open(path).map_err(error::file("read", path))?;
                    let copied = io::copy(&mut file, to).map_err(error::file("write", written))?;
                    if copied != *size {
                        let changed = io::Error::other("it changes while it is read");
                        return Err(error::file("read", path)(changed));
                    }
                }
            }
        }
        to.flush().map_err(error::file("write", written))
    }

    /// Returns the archive's bytes as a stream.
    pub fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::iter(self.parts)
            .then(|part| async {
                match part {
                    Part::Bytes(bytes) => Ok(stream::iter([Ok(bytes)]).left_stream()),
                    Part::File(path, size) => {
                        let file = tokio::fs::File::open(path).await?;
                        let file = ReaderStream::with_capacity(file.take(size), PIECE);
                        Ok::<_, io::Error>(file.right_stream())
                    }
                }
            })
            .try_flatten()
    }

    fn head(&mut self, name: &str, size: u64) -> Result<(), Error> {
        let header = tar::header(name, size).map_err(error::file("name", name.as_ref()))?;
        self.parts.push(Part::Bytes(header.into()));
        Ok(())
    }

    fn pad(&mut self, size: u64) {
        let padding = vec![0; tar::padding(size)];
        self.parts.push(Part::Bytes(padding.into()));
    }

    fn file(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        let text = value.to_string();
        let size = text.len() as u64;
        self.head(name, size)?;
        self.parts.push(Part::Bytes(text.into()));
        self.pad(size);
        Ok(())
    }
}

fn path(blob: &Descriptor) -> String {
    format!("blobs/{}/{}", blob.digest.algorithm(), blob.digest.hex())
}

/// Builds `index.json`, with the name annotations of containerd and of the OCI specification.
fn index(root: &Descriptor, names: &[Name]) -> Value {
    let named = names.iter().map(|name| {
        let mut root = root.clone();
        let (whole, tag) = match name {
            Name::Tag(tag) => (None, Some(tag.as_str())),
            Name::Image(name) => (Some(name.to_string()), name.tag()),
        };
        let annotations = &mut root.annotations;
        if let Some(whole) = whole {
            annotations.insert("io.containerd.image.name".to_owned(), whole);
        }
        if let Some(tag) = tag {
            let key = "org.opencontainers.image.ref.name".to_owned();
            annotations.insert(key, tag.to_owned());
        }
        json!(root)
    });
    let mut entries: Vec<Value> = named.collect();
    if entries.is_empty() {
        entries.push(json!(root));
    }
    json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries})
}

/// Builds `manifest.json`.
async fn for_docker(source: &Source, plan: &Plan, names: &[Name]) -> Result<Value, Error> {
    let image = plan
        .manifests
        .last()
        .filter(|(root, _)| is_image(&root.media_type));
    let Some((root, bytes)) = image else {
        return Err(Error::SeveralPlatforms {
            place: source.place().to_string(),
            available: platforms(source).await?,
        });
    };
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| source.no_manifest(root, error.into()))?;
    let tagged = names.iter().filter_map(|name| match name {
        Name::Image(name) if name.tag().is_some() => Some(name.clone()),
        _ => None,
    });
    let names: Vec<String> = tagged.map(|name| familiar(&name)).collect();
    let layers: Vec<String> = manifest.layers.iter().map(path).collect();
    Ok(json!([{"Config": path(&manifest.config), "RepoTags": names, "Layers": layers}]))
}

/// Returns the name with its tag only: docker accepts no digests here.
fn familiar(name: &Reference) -> String {
    let tag = name.tag().unwrap_or_default();
    format!("{}:{tag}", name.clone().repository().familiar())
}
