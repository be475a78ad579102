//! The parts of an image: its manifests for each platform, and their configs.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use super::Error;
use crate::oci::{Descriptor, Digest, Index, Platform, media_type, null_as_default};
use crate::transfer::{Plan, Source};

/// The annotation of a manifest that refers to another one.
const REFERENCE: &str = "vnd.docker.reference.type";
/// The largest config that is read, in bytes.
const CONFIG: u64 = 8 << 20;

/// An image with all its platforms.
pub(super) struct Images {
    pub(super) root: Descriptor,
    /// The index as JSON, if it is one.
    pub(super) index: Option<Value>,
    pub(super) images: Vec<Image>,
    pub(super) attestations: usize,
}

/// The image for one platform.
pub(super) struct Image {
    pub(super) descriptor: Descriptor,
    pub(super) platform: Platform,
    pub(super) manifest: Manifest,
    /// The manifest as JSON.
    pub(super) json: Value,
}

/// The config and the layers of a manifest.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    pub(super) config: Option<Descriptor>,
    #[serde(deserialize_with = "null_as_default")]
    pub(super) layers: Vec<Descriptor>,
}

impl Images {
    /// Reads the manifests of an image, for one platform or all. Their number and size are limited.
    pub(super) async fn of(source: &Source, platform: Option<&Platform>) -> Result<Self, Error> {
        let plan = Plan::of(source, platform).await?;
        let manifests = plan.manifests.iter();
        let manifests: HashMap<&Digest, &Bytes> = manifests
            .map(|(descriptor, bytes)| (&descriptor.digest, bytes))
            .collect();
        let mut images = Self {
            root: plan.root().clone(),
            index: None,
            images: Vec::new(),
            attestations: 0,
        };
        let mut level = vec![plan.root().clone()];
        // The plan has rejected indexes that are nested too deeply.
        while let Some(descriptor) = level.pop() {
            let Some(bytes) = manifests.get(&descriptor.digest) else {
                continue;
            };
            if !media_type::is_index(&descriptor.media_type) {
                images.add(source, descriptor, bytes).await?;
                continue;
            }
            if descriptor.digest == images.root.digest {
                images.index = serde_json::from_slice(bytes).ok();
            }
            let index: Index = serde_json::from_slice(bytes)
                .map_err(|error| source.no_manifest(&descriptor, error.into()))?;
            for entry in index.manifests.into_iter().rev() {
                match is_attestation(&entry) {
                    true => images.attestations += 1,
                    false => level.push(entry),
                }
            }
        }
        Ok(images)
    }

    async fn add(
        &mut self,
        source: &Source,
        descriptor: Descriptor,
        bytes: &Bytes,
    ) -> Result<(), Error> {
        let parsed = serde_json::from_slice(bytes);
        let manifest: Manifest =
            parsed.map_err(|error| source.no_manifest(&descriptor, error.into()))?;
        let platform = match descriptor.platform.clone() {
            Some(platform) => platform,
            None => {
                let config = config(source, manifest.config.as_ref()).await?;
                serde_json::from_value(config).unwrap_or_default()
            }
        };
        self.images.push(Image {
            descriptor,
            platform,
            manifest,
            json: serde_json::from_slice(bytes).unwrap_or_default(),
        });
        Ok(())
    }
}

fn is_attestation(entry: &Descriptor) -> bool {
    let platform = entry.platform.as_ref();
    entry.annotations.contains_key(REFERENCE) || platform.is_some_and(|it| it.os == "unknown")
}

/// Reads a config; returns `null` if it is not JSON or too large.
pub(super) async fn config(
    source: &Source,
    descriptor: Option<&Descriptor>,
) -> Result<Value, Error> {
    let Some(descriptor) = descriptor.filter(|config| config.size <= CONFIG) else {
        return Ok(Value::Null);
    };
    let bytes = source.blob(descriptor)?.open(descriptor).await?;
    let bytes: Vec<Bytes> = bytes.try_collect().await?;
    Ok(serde_json::from_slice(&bytes.concat()).unwrap_or_default())
}
