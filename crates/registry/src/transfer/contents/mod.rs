//! Reads one file of an image: its layers are streamed from the top, without unpacking.
//!
//! Whiteouts hide entries of lower layers, symbolic links are followed within the image, and a hard
//! link refers to a file of the same layer or a lower one. Every layer that is read is verified.

mod error;
mod layer;
mod lookup;

use std::io::Write;

use futures_util::TryStreamExt as _;
use serde::Deserialize;
use tokio_util::io::{StreamReader, SyncIoBridge};

pub use error::ContentsError;
use layer::{Layer, ReadLayer};
use lookup::{Path, Verdict};

use super::plan::Plan;
use super::source::Source;
use crate::oci::{Descriptor, Platform, media_type, null_as_default};
use crate::task::blocking;

/// The most links that are followed, as in Linux.
const LINKS: usize = 40;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    #[serde(deserialize_with = "null_as_default")]
    layers: Vec<Descriptor>,
}

/// Writes the bytes of one file of an image to `to`, and returns their number.
///
/// # Errors
/// [`ContentsError::NotFound`] and similar variants if the image has no such file. If a layer is
/// found to be damaged, the bytes before the error are written already.
pub async fn read_file<W: Write + Send + 'static>(
    source: &Source,
    platform: Option<&Platform>,
    path: &str,
    to: W,
) -> Result<u64, ContentsError> {
    let mut reading = Reading {
        source,
        layers: layers(source, platform).await?,
        to: Some(to),
    };
    let mut wanted = Path::parse(path);
    let mut below = reading.layers.len();
    for _ in 0..LINKS {
        match reading.find(&wanted, below).await? {
            Found::Written(bytes) => return Ok(bytes),
            Found::Symlink(target) => (wanted, below) = (target, reading.layers.len()),
            // The target of a hard link is in the same layer or a lower one.
            Found::Hard(target, layer) => (wanted, below) = (target, layer + 1),
            Found::Folder => return Err(reading.failed(path, ContentsError::folder)),
            Found::Special => return Err(reading.failed(path, ContentsError::special)),
            Found::Nothing => return Err(reading.failed(path, ContentsError::not_found)),
        }
    }
    Err(reading.failed(path, ContentsError::links))
}

/// The layers of an image, the lowest first.
async fn layers(
    source: &Source,
    platform: Option<&Platform>,
) -> Result<Vec<(Descriptor, Option<Layer>)>, ContentsError> {
    let plan = Plan::of(source, platform).await?;
    let root = plan.root();
    let found = plan
        .manifests
        .iter()
        .find(|(it, _)| it.digest == root.digest);
    let invalid = || ContentsError::NotAnImage {
        place: source.place().to_string(),
        kind: root.media_type.clone(),
    };
    let (_, bytes) = found
        .filter(|_| !media_type::is_index(&root.media_type))
        .ok_or_else(invalid)?;
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|_| invalid())?;
    Ok(manifest
        .layers
        .into_iter()
        .map(|layer| (layer, None))
        .collect())
}

/// The result of looking for a path.
enum Found {
    /// The file was written; with its size in bytes.
    Written(u64),
    Symlink(Path),
    /// A hard link in this layer.
    Hard(Path, usize),
    Folder,
    Special,
    Nothing,
}

struct Reading<'a, W> {
    source: &'a Source,
    /// The layers, with their entries once they have been read.
    layers: Vec<(Descriptor, Option<Layer>)>,
    /// `None` while the reading thread uses it.
    to: Option<W>,
}

impl<W: Write + Send + 'static> Reading<'_, W> {
    /// Looks for a path in the layers below `below`, from the top, and writes the file if it is
    /// found.
    async fn find(&mut self, wanted: &Path, below: usize) -> Result<Found, ContentsError> {
        // Folders of upper layers: they replace a link or a file of that name in lower layers.
        let mut folders = lookup::Folders::default();
        for number in (0..below).rev() {
            let written = match &self.layers[number].1 {
                Some(layer) if !layer.has_file(wanted) => None,
                _ => self.read(number, wanted).await?,
            };
            if let Some(bytes) = written {
                return Ok(Found::Written(bytes));
            }
            let Some(layer) = &self.layers[number].1 else {
                continue;
            };
            match lookup::verdict(layer, wanted, &mut folders) {
                Verdict::Below => {}
                Verdict::Symlink(target) => return Ok(Found::Symlink(target)),
                Verdict::Hard(target) => return Ok(Found::Hard(target, number)),
                Verdict::Folder => return Ok(Found::Folder),
                Verdict::Special => return Ok(Found::Special),
                Verdict::Nothing => return Ok(Found::Nothing),
            }
        }
        Ok(match wanted.is_root() {
            true => Found::Folder,
            false => Found::Nothing,
        })
    }

    /// Reads a layer to its end, which verifies it, and writes the requested file if the layer has
    /// it.
    async fn read(&mut self, number: usize, wanted: &Path) -> Result<Option<u64>, ContentsError> {
        let descriptor = self.layers[number].0.clone();
        let stream = self.source.blob(&descriptor)?.open(&descriptor).await?;
        let reader = StreamReader::new(stream.map_err(std::io::Error::other));
        let reader = SyncIoBridge::new(reader);
        let (digest, wanted) = (descriptor.digest, wanted.clone());
        let mut to = self.to.take();
        let (read, to) = blocking(move || {
            let read = match &mut to {
                Some(to) => layer::read(reader, &wanted, to),
                None => layer::read(reader, &wanted, &mut std::io::sink()),
            };
            let read = read.map_err(|source| ContentsError::layer(digest, source))?;
            Ok::<_, ContentsError>((read, to))
        })
        .await?;
        self.to = to;
        let ReadLayer { layer, written } = read;
        self.layers[number].1 = Some(layer);
        Ok(written)
    }

    fn failed(
        &self,
        path: &str,
        kind: impl FnOnce(String, String) -> ContentsError,
    ) -> ContentsError {
        kind(self.source.place().to_string(), path.to_owned())
    }
}
