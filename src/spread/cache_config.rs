//! BuildKit's cache format in registries and folders: a manifest that lists blobs, and a config
//! that maps them to steps. Merges several caches into one. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::JoinError;
use crate::oci::Descriptor;

/// The media type of the config.
const CONFIG: &str = "application/vnd.buildkit.cacheconfig.v0";
/// The largest config that BuildKit reads, in bytes.
pub(super) const LIMIT: usize = 1 << 20;

/// The cache of one part.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) media_type: String,
    pub(super) manifest: Map<String, Value>,
    pub(super) config: Vec<u8>,
}

/// A cache merged from several.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) media_type: String,
    pub(super) manifest: Vec<u8>,
    pub(super) config: Vec<u8>,
    pub(super) config_descriptor: Descriptor,
}

/// Layers and records refer to each other by index.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Layer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<Record>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Layer {
    blob: String,
    /// -1 for none; 0 is omitted.
    #[serde(skip_serializing_if = "is_zero")]
    parent: i64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chains: Vec<ChainResult>,
    digest: String,
    /// For each input of the step, the records that it may come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<Vec<Link>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct LayerResult {
    layer: i64,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct ChainResult {
    layers: Vec<i64>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
struct Link {
    #[serde(skip_serializing_if = "String::is_empty")]
    selector: String,
    link: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Returns the descriptor of a cache's config; `None` if the manifest is not such a cache.
pub(super) fn config_of(manifest: &Map<String, Value>) -> Option<Descriptor> {
    let entries = manifest.get("manifests").and_then(Value::as_array);
    let mut all = entries.into_iter().flatten().chain(manifest.get("config"));
    let config = all.find(|entry| entry["mediaType"] == CONFIG)?;
    serde_json::from_value(config.clone()).ok()
}

/// Merges caches into one.
///
/// # Errors
/// [`JoinError`], with the problem of the cache.
pub(super) fn merge(pieces: &[Piece]) -> Result<Merged, JoinError> {
    let first = pieces.first().ok_or(JoinError::NothingToMerge)?;
    let mut all = Union::default();
    for piece in pieces {
        let config: Config = serde_json::from_slice(&piece.config)?;
        all.add(config)?;
    }
    // The value is plain data, so serializing it cannot fail.
    let config = serde_json::to_vec(&all.config)?;
    if config.len() > LIMIT {
        return Err(JoinError::TooLarge {
            size: config.len(),
            limit: LIMIT,
        });
    }
    let config_descriptor = Descriptor::of(CONFIG, &config);
    let manifest = manifest(first, pieces, &config_descriptor);
    Ok(Merged {
        media_type: first.media_type.clone(),
        manifest: Value::Object(manifest).to_string().into_bytes(),
        config,
        config_descriptor,
    })
}

/// Builds the manifest in the first one's format: an index whose entries are the layers and the
/// config, or a manifest.
fn manifest(first: &Piece, pieces: &[Piece], config: &Descriptor) -> Map<String, Value> {
    let mut seen = BTreeSet::new();
    let mut layers = Vec::new();
    for piece in pieces {
        let lists = ["manifests", "layers"].map(|key| piece.manifest.get(key));
        let entries = lists.into_iter().flatten().filter_map(Value::as_array);
        for entry in entries.flatten().filter(|it| it["mediaType"] != CONFIG) {
            if seen.insert(entry["digest"].to_string()) {
                layers.push(entry.clone());
            }
        }
    }
    let mut manifest = first.manifest.clone();
    match manifest.contains_key("manifests") {
        true => {
            layers.push(json!(config));
            manifest.insert("manifests".to_owned(), layers.into());
        }
        false => {
            manifest.insert("layers".to_owned(), layers.into());
            manifest.insert("config".to_owned(), json!(config));
        }
    }
    manifest
}

/// The content of several configs, without duplicates.
#[derive(Default)]
struct Union {
    config: Config,
    layers: BTreeMap<(String, i64), i64>,
    records: BTreeMap<(String, Vec<Vec<Link>>), usize>,
}

impl Union {
    fn add(&mut self, config: Config) -> Result<(), JoinError> {
        let layers = in_order(&config.layers, |layer, known| {
            let parent = match layer.parent {
                -1 => -1,
                parent => place(known, parent)?,
            };
            Some(self.layer(layer, parent))
        });
        let layers = layers.ok_or(JoinError::Layers)?;
        let mut wrong = false;
        let records = in_order(&config.records, |record, known| {
            let moved = moved(record, &layers, known)?;
            wrong |= moved.is_none();
            Some(moved.map_or(-1, |moved| self.record(moved)))
        });
        match (records, wrong) {
            (Some(_), false) => Ok(()),
            (Some(_), true) => Err(JoinError::RecordLayer),
            (None, _) => Err(JoinError::Records),
        }
    }

    fn layer(&mut self, layer: &Layer, parent: i64) -> i64 {
        let all = &mut self.config.layers;
        let key = (layer.blob.clone(), parent);
        *self.layers.entry(key).or_insert_with(|| {
            all.push(Layer {
                parent,
                ..layer.clone()
            });
            index(all.len() - 1)
        })
    }

    fn record(&mut self, record: Record) -> i64 {
        let key = (record.digest.clone(), record.inputs.clone());
        let all = &mut self.config.records;
        let at = *self.records.entry(key).or_insert_with(|| {
            all.push(Record {
                layers: Vec::new(),
                chains: Vec::new(),
                ..record.clone()
            });
            all.len() - 1
        });
        let known = &mut all[at];
        for result in record.layers {
            if !known.layers.iter().any(|it| it.layer == result.layer) {
                known.layers.push(result);
            }
        }
        for chain in record.chains {
            if !known.chains.iter().any(|it| it.layers == chain.layers) {
                known.chains.push(chain);
            }
        }
        index(at)
    }
}

/// Maps a record's indexes to those of the union. `None` while a record that it depends on is
/// missing; `Some(None)` if a layer is missing.
fn moved(record: &Record, layers: &[i64], known: &[Option<i64>]) -> Option<Option<Record>> {
    let mut moved = record.clone();
    for link in moved.inputs.iter_mut().flatten() {
        link.link = place(known, link.link)?;
    }
    for alternatives in &mut moved.inputs {
        alternatives.sort();
        alternatives.dedup();
    }
    let results = moved.layers.iter_mut().map(|result| &mut result.layer);
    let chains = moved.chains.iter_mut().flat_map(|chain| &mut chain.layers);
    for layer in results.chain(chains) {
        match usize::try_from(*layer).ok().and_then(|at| layers.get(at)) {
            Some(place) => *layer = *place,
            None => return Some(None),
        }
    }
    Some(Some(moved))
}

fn place(known: &[Option<i64>], at: i64) -> Option<i64> {
    *known.get(usize::try_from(at).ok()?)?
}

fn index(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

/// Maps each item after its dependencies. Returns `None` if some cannot be mapped.
fn in_order<T>(
    items: &[T],
    mut map: impl FnMut(&T, &[Option<i64>]) -> Option<i64>,
) -> Option<Vec<i64>> {
    let mut known: Vec<Option<i64>> = vec![None; items.len()];
    let mut left: Vec<usize> = (0..items.len()).collect();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|at| {
            known[*at] = map(&items[*at], &known);
            known[*at].is_none()
        });
        if left.len() == before {
            return None;
        }
    }
    known.into_iter().collect()
}

#[cfg(test)]
mod tests;
