//! All that belongs to an image: the manifests of its index, their configs, and which of them are attestations of which.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{Error, Location};
use crate::oci::{Descriptor, Digest, Index, Manifest, Platform, media_type};
use crate::registry::{Client, Fetched};

/// How much is asked for at once.
const AT_ONCE: usize = 8;
/// How deep indexes may lie in indexes.
const DEPTH: usize = 8;
/// The annotations that name what an attestation is about, older one first.
const REFERENCES: [&str; 2] = ["com.docker.reference.digest", "vnd.docker.reference.digest"];

/// What belongs to an image.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// By platform.
    pub(super) images: BTreeMap<String, Image>,
    /// The manifests about a manifest.
    pub(super) attestations: BTreeMap<Digest, Vec<Manifest>>,
}

/// The image for a platform.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) digest: Digest,
    pub(super) config: Json,
}

impl Loaded {
    pub(super) async fn of(client: &Client, of: &Location, root: &Fetched) -> Result<Self, Error> {
        let mut loaded = Self::default();
        let mut level = vec![(root.descriptor.clone(), root.bytes.clone())];
        for _ in 0..DEPTH {
            let mut next: Vec<Descriptor> = Vec::new();
            let mut images = Vec::new();
            for (descriptor, bytes) in level {
                let name = of.at(&descriptor.digest);
                if media_type::is_index(&descriptor.media_type) {
                    let index: Index = parse(&name, "index", &bytes)?;
                    next.extend(index.manifests);
                } else if is_manifest(&descriptor.media_type) {
                    let manifest: Manifest = parse(&name, "manifest of an image", &bytes)?;
                    match about(&descriptor) {
                        Some(subject) => loaded
                            .attestations
                            .entry(subject)
                            .or_default()
                            .push(manifest),
                        None => images.push((descriptor, manifest)),
                    }
                }
            }
            loaded.add_images(client, of, images).await?;
            if next.is_empty() {
                return Ok(loaded);
            }
            level = stream::iter(next.into_iter().map(|descriptor| async move {
                let fetched = of.at(&descriptor.digest).manifest(client).await?;
                Ok::<_, Error>((descriptor, fetched.bytes))
            }))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        }
        Err(Error::Malformed {
            reference: of.to_string(),
            kind: "index",
            reason: format!("indexes lie in it more than {DEPTH} deep"),
        })
    }

    async fn add_images(
        &mut self,
        client: &Client,
        of: &Location,
        images: Vec<(Descriptor, Manifest)>,
    ) -> Result<(), Error> {
        let images: Vec<(String, Image)> =
            stream::iter(images.into_iter().map(|(descriptor, manifest)| async move {
                let config = of.blob(client, &manifest.config).await?;
                let name = of.at(&manifest.config.digest);
                let config: Json = parse(&name, "image config", &config)?;
                let platform = descriptor.platform.unwrap_or_else(|| platform_of(&config));
                let image = Image {
                    digest: descriptor.digest,
                    config,
                };
                Ok::<_, Error>((platform.normalized().to_string(), image))
            }))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        self.images.extend(images);
        Ok(())
    }
}

/// The platform that a config says.
pub(super) fn platform_of(config: &Json) -> Platform {
    let text = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
    Platform {
        os: text("os"),
        architecture: text("architecture"),
        variant: text("variant"),
        ..Platform::default()
    }
}

fn about(descriptor: &Descriptor) -> Option<Digest> {
    let named = REFERENCES
        .iter()
        .find_map(|name| descriptor.annotations.get(*name))?;
    Digest::parse(named).ok()
}

fn is_manifest(text: &str) -> bool {
    matches!(text, media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST)
}

pub(super) fn parse<T: DeserializeOwned>(
    name: &impl ToString,
    kind: &'static str,
    bytes: &[u8],
) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Malformed {
        reference: name.to_string(),
        kind,
        reason: error.to_string(),
    })
}
