//! Lists the parts of an image: its manifests and their blobs.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use super::source::{Source, is_image};
use super::{Error, ManifestProblem};
use crate::oci::{Descriptor, Index, Platform, PlatformMatcher, media_type, null_as_default};
use crate::walk::Walk;

/// The number of manifests that are read concurrently.
const AT_ONCE: usize = 8;
/// The largest config that is read for its platform, in bytes.
const CONFIG: u64 = 8 << 20;

/// The parts of an image.
#[derive(Debug, Clone)]
pub struct Plan {
    root: Descriptor,
    pub(crate) manifests: Vec<(Descriptor, Bytes)>,
    pub(super) blobs: Vec<Descriptor>,
}

/// The manifests and blobs that a manifest refers to.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Links {
    config: Option<Descriptor>,
    #[serde(deserialize_with = "null_as_default")]
    layers: Vec<Descriptor>,
    #[serde(deserialize_with = "null_as_default")]
    manifests: Vec<Descriptor>,
}

impl Plan {
    /// Reads the manifests of an image: all of an index, or only the platform's, in containerd's
    /// order.
    ///
    /// # Errors
    /// [`Error::NotForPlatform`], which lists the platforms; others if a manifest is missing or
    /// cannot be read.
    pub async fn of(source: &Source, platform: Option<&Platform>) -> Result<Self, Error> {
        let root = match platform {
            None => source.root().clone(),
            Some(platform) => for_platform(source, platform).await?,
        };
        let mut plan = Self {
            root: root.clone(),
            manifests: Vec::new(),
            blobs: Vec::new(),
        };
        let too_much = |error| Error::TooMuch {
            place: source.place().to_string(),
            source: error,
        };
        let mut walk = Walk::default();
        let mut blobs = HashSet::new();
        walk.is_new(&root.digest).map_err(too_much)?;
        let mut level = vec![root];
        for depth in 0.. {
            if level.is_empty() {
                break;
            }
            Walk::check_depth(depth).map_err(too_much)?;
            let reads = std::mem::take(&mut level)
                .into_iter()
                .map(|descriptor| async {
                    let bytes = source.manifest(&descriptor).await?;
                    Ok::<_, Error>((descriptor, bytes))
                });
            let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
            for (descriptor, bytes) in read {
                walk.count(bytes.len()).map_err(too_much)?;
                for child in children(source, &descriptor, &bytes)? {
                    let kind = child.media_type.as_str();
                    if media_type::is_index(kind) || is_image(kind) {
                        if walk.is_new(&child.digest).map_err(too_much)? {
                            level.push(child);
                        }
                    // Layers that may not be distributed are downloaded from their URLs. Ordinary
                    // layers can have URLs too, but still belong to the image.
                    } else if !media_type::is_foreign_layer(kind)
                        && blobs.insert(child.digest.clone())
                    {
                        plan.blobs.push(child);
                    }
                }
                plan.manifests.push((descriptor, bytes));
            }
        }
        // A manifest must come after everything it refers to.
        plan.manifests.reverse();
        Ok(plan)
    }

    /// Returns the index or manifest of the whole image.
    pub fn root(&self) -> &Descriptor {
        &self.root
    }

    /// Returns the blobs without manifests, each once.
    pub fn blobs(&self) -> &[Descriptor] {
        &self.blobs
    }

    /// Returns the total size of all blobs in bytes.
    pub fn size(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.size).sum()
    }

    /// Checks for missing blobs before anything is copied.
    pub(super) fn check(&self, source: &Source) -> Result<(), Error> {
        self.blobs
            .iter()
            .try_for_each(|blob| source.blob(blob).map(drop))
    }
}

fn children(
    source: &Source,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<Vec<Descriptor>, Error> {
    let kind = descriptor.media_type.as_str();
    if !media_type::is_index(kind) && !is_image(kind) {
        let media_type = kind.to_owned();
        return Err(source.no_manifest(descriptor, ManifestProblem::MediaType { media_type }));
    }
    let links: Links = serde_json::from_slice(bytes)
        .map_err(|error| source.no_manifest(descriptor, error.into()))?;
    let config = links.config.into_iter();
    Ok(config.chain(links.layers).chain(links.manifests).collect())
}

/// Finds the manifest for a platform.
async fn for_platform(source: &Source, platform: &Platform) -> Result<Descriptor, Error> {
    let root = source.root();
    let bytes = source.manifest(root).await?;
    let offered = match media_type::is_index(&root.media_type) {
        true => of_index(source, root, &bytes)?,
        false => of_image(source, root, &bytes).await?,
    };
    let best = PlatformMatcher::only(platform).best(offered.iter().map(|(platform, _)| platform));
    match best.and_then(|best| offered.get(best)) {
        Some((_, manifest)) => Ok(manifest.clone()),
        None => Err(Error::NotForPlatform {
            place: source.place().to_string(),
            platform: platform.to_string(),
            available: names(&offered),
        }),
    }
}

fn names(offered: &[(Platform, Descriptor)]) -> Vec<String> {
    let names = offered.iter().map(|(platform, _)| platform.to_string());
    names.collect()
}

/// Returns the images of an index. Entries without a known platform are attestations.
fn of_index(
    source: &Source,
    root: &Descriptor,
    bytes: &[u8],
) -> Result<Vec<(Platform, Descriptor)>, Error> {
    let index: Index =
        serde_json::from_slice(bytes).map_err(|error| source.no_manifest(root, error.into()))?;
    let entries = index.manifests.into_iter().filter_map(|mut entry| {
        let platform = entry.platform.take()?;
        entry.annotations.clear();
        (platform.os != "unknown").then_some((platform, entry))
    });
    Ok(entries.collect())
}

/// Reads the platform from an image's config. An image without one matches every platform.
async fn of_image(
    source: &Source,
    root: &Descriptor,
    bytes: &[u8],
) -> Result<Vec<(Platform, Descriptor)>, Error> {
    #[derive(Deserialize)]
    #[serde(default)]
    struct Config {
        os: String,
        architecture: String,
        variant: String,
    }
    impl Default for Config {
        fn default() -> Self {
            let host = Platform::host();
            Self {
                os: host.os,
                architecture: host.architecture,
                variant: String::new(),
            }
        }
    }
    let links: Links =
        serde_json::from_slice(bytes).map_err(|error| source.no_manifest(root, error.into()))?;
    let config = match links.config.filter(|config| config.size <= CONFIG) {
        None => Config::default(),
        Some(config) => {
            let bytes = source.blob(&config)?.open(&config).await?;
            let bytes: Vec<Bytes> = bytes.try_collect().await?;
            serde_json::from_slice(&bytes.concat()).unwrap_or_default()
        }
    };
    let platform = Platform {
        os: config.os,
        architecture: config.architecture,
        variant: config.variant,
        ..Platform::host()
    };
    Ok(vec![(platform, root.clone())])
}

/// Returns the platforms of an image, for messages.
pub(super) async fn platforms(source: &Source) -> Result<Vec<String>, Error> {
    let root = source.root();
    let bytes = source.manifest(root).await?;
    Ok(names(&of_index(source, root, &bytes)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layout::{Layout, Name};
    use crate::oci::Digest;
    use crate::registry::{Client, ClientOptions, Credentials};
    use crate::transfer::Place;

    /// The media type decides if a layer is omitted; URLs do not.
    #[tokio::test]
    async fn an_ordinary_layer_with_urls_belongs_to_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let put = |kind: &str, bytes: &[u8]| {
            let mut upload = layout.upload("sha256").unwrap();
            upload.write(bytes).unwrap();
            upload.commit(None, None).unwrap();
            Descriptor::of(kind, bytes)
        };
        let config = put("application/vnd.oci.image.config.v1+json", b"{}");
        let with_urls = |descriptor: &Descriptor| {
            let mut value = serde_json::to_value(descriptor).unwrap();
            value["urls"] = json!(["https://elsewhere.example/layer"]);
            value
        };
        let ordinary = put("application/vnd.oci.image.layer.v1.tar+gzip", b"ordinary");
        // This layer is in no registry: only its owner may distribute it.
        let foreign = Descriptor::of(
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            b"foreign",
        );
        let manifest = json!({
            "schemaVersion": 2, "config": config,
            "layers": [with_urls(&ordinary), with_urls(&foreign)]
        });
        let manifest = put(media_type::OCI_MANIFEST, manifest.to_string().as_bytes());
        let tag = Name::Tag("latest".to_owned());
        layout.put(&manifest, &[tag]).unwrap();
        let place = Place::Layout {
            path: folder.path().to_owned(),
            tag: None,
            digest: None,
        };
        let client = Client::new(Credentials::none().into(), ClientOptions::default());
        let source = Source::open(&place, &client).await.unwrap();
        let plan = Plan::of(&source, None).await.unwrap();
        let blobs: Vec<&Digest> = plan.blobs().iter().map(|blob| &blob.digest).collect();
        assert_eq!(blobs, [&config.digest, &ordinary.digest]);
        plan.check(&source).unwrap();
    }
}
