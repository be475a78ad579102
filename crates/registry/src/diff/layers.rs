//! Streams layers of both images and compares their files.

use std::collections::{BTreeMap, HashMap};
use std::io;

use futures_util::TryStreamExt as _;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::files::{add_texts, between, wanted};
use super::listing::{Key, Listing, contents};
use super::{Error, FilesDiff, LayerDiff, LayerHow, Options};
use crate::oci::{Descriptor, media_type};
use crate::task::blocking;
use crate::transfer::Source;

/// The sources of both images.
pub(super) struct Sources<'a> {
    pub(super) left: &'a Source,
    pub(super) right: &'a Source,
}

/// Pairs the layers of two images, and returns those that differ, without their files.
pub(super) fn unequal(
    left: &[Descriptor],
    right: &[Descriptor],
    steps: [&[String]; 2],
) -> Vec<LayerDiff> {
    let digest = |layer: Option<&Descriptor>| layer.map(|layer| layer.digest.clone());
    let places = 0..left.len().max(right.len());
    let differ = places.filter(|at| digest(left.get(*at)) != digest(right.get(*at)));
    let differ = differ.map(|index| {
        let (a, b) = (left.get(index), right.get(index));
        let has_files = |layer: &Descriptor| {
            let kind = layer.media_type.as_str();
            kind.contains("tar")
                && !kind.contains("encrypted")
                && !media_type::is_foreign_layer(kind)
        };
        LayerDiff {
            index,
            left: a.cloned(),
            right: b.cloned(),
            steps: steps.map(|steps| steps.get(index).cloned()),
            how: match (a, b) {
                (Some(a), Some(b)) if has_files(a) && has_files(b) => LayerHow::NotCompared,
                (Some(_), Some(_)) => LayerHow::Opaque,
                _ => LayerHow::Missing,
            },
            files: FilesDiff::default(),
        }
    });
    differ.collect()
}

impl Sources<'_> {
    /// Looks into a layer of both images.
    pub(super) async fn look_into(
        &self,
        layer: &mut LayerDiff,
        options: &Options,
    ) -> Result<(), Error> {
        let (Some(left), Some(right)) = (&layer.left, &layer.right) else {
            return Ok(());
        };
        let listings = tokio::try_join!(
            read(self.left, left, Listing::read),
            read(self.right, right, Listing::read),
        );
        let (a, b) = listings?;
        let asked = options.clone();
        let compared = blocking(move || Ok::<_, Error>(between(&a, &b, &asked)));
        (layer.how, layer.files) = compared.await?;
        let [want_left, want_right] = wanted(&layer.files, options.texts);
        if want_left.is_empty() {
            return Ok(());
        }
        // Reading the layers a second time is cheaper than keeping all small files in memory.
        let (a, b) = tokio::try_join!(
            small_files(self.left, left, want_left),
            small_files(self.right, right, want_right),
        )?;
        add_texts(&mut layer.files, &[a, b]);
        Ok(())
    }
}

async fn small_files(
    source: &Source,
    layer: &Descriptor,
    wanted: BTreeMap<Key, u64>,
) -> Result<HashMap<Key, Vec<u8>>, Error> {
    read(source, layer, |blob| contents(blob, wanted)).await
}

/// A blob as a blocking reader.
type Blob = SyncIoBridge<StreamReader<Pieces, bytes::Bytes>>;
type Pieces = futures_util::stream::BoxStream<'static, io::Result<bytes::Bytes>>;

/// Reads a layer on a thread of its own. A layer that is read to the end is verified.
async fn read<T: Send + 'static>(
    source: &Source,
    layer: &Descriptor,
    work: impl FnOnce(Blob) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let stream = source.blob(layer)?.open(layer).await?;
    let pieces: Pieces = Box::pin(stream.map_err(io::Error::other));
    let reader = SyncIoBridge::new(StreamReader::new(pieces));
    let digest = layer.digest.clone();
    blocking(move || work(reader).map_err(|source| Error::Layer { digest, source })).await
}
