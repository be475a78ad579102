//! Cache mounts in a registry: an artifact with one layer, a compressed tar archive.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use solvekit_host::files::with_permissions;
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::entry::Item;
use super::{Error, archive};
use crate::files::random_name;
use crate::oci::{Descriptor, Digest, Manifest, Reference, media_type};
use crate::registry::{BlobSource, Client};

/// The media type of the artifact's config, which identifies it.
pub const MEDIA_TYPE: &str = "application/vnd.solvekit.cache-mount.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The config is empty: the layer has everything.
const CONFIG: &[u8] = b"{}";

/// An archive that will be pushed to a registry. Its digest must be known before the push. The file
/// is removed when this is dropped.
pub(super) struct Spool {
    path: PathBuf,
    digest: Digest,
    size: u64,
}

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A writer that counts and hashes its data.
struct Hashed {
    file: BufWriter<File>,
    hash: Sha256,
    size: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes the received items to a compressed archive in this folder.
pub(super) fn spool(folder: &Path, items: &mut mpsc::Receiver<Item>) -> Result<Spool, Error> {
    let failed = |source| Error::Local {
        action: "write a temporary file in",
        path: folder.to_owned(),
        source,
    };
    let name = random_name("solvekit-cache-mount".as_ref()).map_err(failed)?;
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    let options = with_permissions(options.write(true).create_new(true), 0o600);
    let file = options.open(&path);
    let file = file.map_err(failed)?;
    let mut spool = Spool {
        path,
        digest: Digest::sha256(&[]),
        size: 0,
    };
    let hashed = Hashed {
        file: BufWriter::with_capacity(1 << 20, file),
        hash: Sha256::new(),
        size: 0,
    };
    let mut encoder = GzEncoder::new(hashed, Compression::fast());
    archive::write(&mut encoder, items)?;
    let mut hashed = encoder.finish().map_err(failed)?;
    hashed.flush().map_err(failed)?;
    spool.digest = Digest::from_sha256(hashed.hash.finalize().into());
    spool.size = hashed.size;
    Ok(spool)
}

/// Pushes an archive. The same content has the same digest, and is sent only once.
pub(super) async fn push(
    client: &Client,
    reference: &Reference,
    spool: &Spool,
) -> Result<Digest, Error> {
    let config = Descriptor::of(MEDIA_TYPE, CONFIG);
    let source = BlobSource::Bytes(Bytes::from_static(CONFIG));
    client.push_blob(reference, &config, &source, None).await?;
    let layer = Descriptor::new(LAYER, spool.digest.clone(), spool.size);
    let source = BlobSource::File {
        path: spool.path.clone(),
        offset: 0,
    };
    client.push_blob(reference, &layer, &source, None).await?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST.to_owned(),
        config,
        layers: vec![layer],
        annotations: BTreeMap::new(),
    };
    let bytes = serde_json::to_vec(&manifest).map_err(|error| Error::Local {
        action: "write",
        path: "the manifest".into(),
        source: error.into(),
    })?;
    let kind = media_type::OCI_MANIFEST;
    Ok(client.put_manifest(reference, kind, bytes.into()).await?)
}

/// Sends the entries of an artifact. Its digest is verified before the end is sent.
pub(super) async fn pull(
    client: &Client,
    reference: &Reference,
    items: mpsc::Sender<Item>,
) -> Result<(), Error> {
    let fetched = client.manifest(reference).await?;
    let other = |found: String| Error::NotAnExport {
        reference: reference.clone(),
        found,
    };
    let manifest: Manifest = serde_json::from_slice(&fetched.bytes)
        .map_err(|_| other("it has no manifest with layers".to_owned()))?;
    if manifest.config.media_type != MEDIA_TYPE {
        let found = manifest.config.media_type;
        return Err(other(format!("its config is of the type {found:?}")));
    }
    let [layer] = manifest.layers.as_slice() else {
        let count = manifest.layers.len();
        return Err(other(format!("it has {count} layers")));
    };
    let blob = client.blob(reference, layer).await?;
    let stream = SyncIoBridge::new(StreamReader::new(blob.map_err(io::Error::other)));
    let read = tokio::task::spawn_blocking(move || archive::read(stream, &items)).await;
    read.unwrap_or(Err(Error::BrokenOff))
}
