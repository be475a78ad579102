//! Loads all parts of an image: the manifests of its index, their configs, and their attestations.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{Error, Location};
use crate::oci::{Descriptor, Digest, Index, Manifest, Platform, media_type};
use crate::registry::{Client, Fetched};
use crate::walk::{Walk, WalkError};

/// The number of concurrent requests.
const AT_ONCE: usize = 8;
/// The annotations by which an attestation names its subject, the older one first.
const REFERENCES: [&str; 2] = ["com.docker.reference.digest", "vnd.docker.reference.digest"];

/// The parts of an image.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// The images by platform.
    pub(super) images: BTreeMap<String, Image>,
    /// The attestations of each manifest.
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
        let too_much = |source| too_much(of, source);
        let mut walk = Walk::default();
        walk.is_new(&root.descriptor.digest).map_err(too_much)?;
        let mut read = HashMap::from([(root.descriptor.digest.clone(), root.bytes.clone())]);
        let mut indexes = HashSet::new();
        let mut level = vec![root.descriptor.clone()];
        for depth in 0.. {
            Walk::check_depth(depth).map_err(too_much)?;
            let mut next: Vec<Descriptor> = Vec::new();
            let mut images = Vec::new();
            for descriptor in level {
                let name = of.at(&descriptor.digest);
                let Some(bytes) = read.get(&descriptor.digest) else {
                    continue;
                };
                if media_type::is_index(&descriptor.media_type) {
                    if indexes.insert(descriptor.digest.clone()) {
                        let index: Index = parse(&name, "index", bytes)?;
                        next.extend(index.manifests);
                    }
                } else if is_manifest(&descriptor.media_type) {
                    let manifest: Manifest = parse(&name, "manifest of an image", bytes)?;
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
                break;
            }
            let mut wanted = Vec::new();
            for descriptor in &next {
                if walk.is_new(&descriptor.digest).map_err(too_much)? {
                    wanted.push(descriptor.digest.clone());
                }
            }
            for (digest, bytes) in fetch_all(client, of, wanted).await? {
                walk.count(bytes.len()).map_err(too_much)?;
                read.insert(digest, bytes);
            }
            level = next;
        }
        Ok(loaded)
    }

    async fn add_images(
        &mut self,
        client: &Client,
        of: &Location,
        images: Vec<(Descriptor, Manifest)>,
    ) -> Result<(), Error> {
        // Several entries can share a config, which is read once.
        let mut configs = BTreeMap::new();
        for (_, manifest) in &images {
            configs.insert(manifest.config.digest.clone(), manifest.config.clone());
        }
        let reads = configs.into_values().map(|config| async move {
            let bytes = of.blob(client, &config).await?;
            let name = of.at(&config.digest);
            let parsed: Json = parse(&name, "image config", &bytes)?;
            Ok::<_, Error>((config.digest, parsed))
        });
        let configs: HashMap<Digest, Json> =
            stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        for (descriptor, manifest) in images {
            let Some(config) = configs.get(&manifest.config.digest) else {
                continue;
            };
            let platform = descriptor.platform.unwrap_or_else(|| platform_of(config));
            let image = Image {
                digest: descriptor.digest,
                config: config.clone(),
            };
            self.images.insert(platform.normalized().to_string(), image);
        }
        Ok(())
    }
}

async fn fetch_all(
    client: &Client,
    of: &Location,
    digests: Vec<Digest>,
) -> Result<Vec<(Digest, Bytes)>, Error> {
    let reads = digests.into_iter().map(|digest| async move {
        let fetched = of.at(&digest).manifest(client).await?;
        Ok((digest, fetched.bytes))
    });
    stream::iter(reads).buffered(AT_ONCE).try_collect().await
}

/// The error for an image that exceeds a limit.
pub(crate) fn too_much(of: &impl ToString, source: WalkError) -> Error {
    Error::TooMuch {
        reference: of.to_string(),
        source,
    }
}

/// Returns the platform in a config.
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
        reason: error.into(),
    })
}
