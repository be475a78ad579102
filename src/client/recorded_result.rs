//! The result of a recorded build that the daemon still has: images and provenance.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::Method;
use serde_json::Value;

use super::{BuildRecord, Client, Engine, Error};
use crate::oci::{Descriptor, Digest, Image, Index, Manifest, Platform, media_type};

/// The size limit of a manifest or config in bytes.
const DOCUMENT: usize = 16 << 20;
/// The size limit of a provenance in bytes; it includes the Dockerfile and the graph.
const PROVENANCE: usize = 64 << 20;
/// The most images of a build.
const MOST_IMAGES: usize = 100;
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
const SLSA: &str = "https://slsa.dev/provenance/";

/// An image of one platform that a build exported.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedImage {
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its config, with its platform and history.
    pub config: Image,
}

/// The provenance of a build, for one platform.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedProvenance {
    /// The platform, as the daemon names it; may be empty.
    pub platform: String,
    /// The digest of the document.
    pub digest: Digest,
    /// The version of the provenance, for example `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// The document.
    pub predicate: Value,
}

impl Client {
    /// Returns the images that a build exported, each once. There are none if the build exported no
    /// image, or exported to another store than the daemon's. Manifests of attestations are
    /// omitted.
    ///
    /// # Errors
    /// If a call fails; the daemon may have removed a blob meanwhile.
    pub async fn recorded_images(&self, record: &BuildRecord) -> Result<Vec<RecordedImage>, Error> {
        let mut left: Vec<Descriptor> = record.results.values().flatten().cloned().collect();
        if left.is_empty() {
            // A Docker Engine does not record pushed images, but its response contains them.
            left.extend(answered(&record.exporter_response));
        }
        left.reverse();
        let mut found: Vec<RecordedImage> = Vec::new();
        let mut read = 0;
        while let Some(descriptor) = left.pop() {
            let is_index = media_type::is_index(&descriptor.media_type);
            let is_known = found.iter().any(|image| image.digest == descriptor.digest);
            let is_manifest = matches!(
                &*descriptor.media_type,
                media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST
            );
            if is_known || !(is_index || is_manifest) || is_attestation(&descriptor) {
                continue;
            }
            read += 1;
            if read > MOST_IMAGES {
                break;
            }
            let bytes = self.read_blob(descriptor.digest.as_str(), DOCUMENT).await?;
            if is_index {
                // Blobs that the daemon made are not damaged; others contain no images.
                let index: Option<Index> = serde_json::from_slice(&bytes).ok();
                let inner = index.map(|index| index.manifests).unwrap_or_default();
                left.extend(inner.into_iter().rev());
                continue;
            }
            let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else {
                continue;
            };
            let digest = manifest.config.digest.as_str();
            let config = self.read_blob(digest, DOCUMENT).await?;
            found.extend(
                serde_json::from_slice(&config)
                    .ok()
                    .map(|config| RecordedImage {
                        digest: descriptor.digest,
                        manifest,
                        config,
                    }),
            );
        }
        Ok(found)
    }

    /// Returns the provenance of a build, for each platform. The daemon records it even for builds
    /// whose image has none.
    ///
    /// # Errors
    /// If a call fails; the daemon may have removed a blob meanwhile.
    pub async fn recorded_provenance(
        &self,
        record: &BuildRecord,
    ) -> Result<Vec<RecordedProvenance>, Error> {
        let mut found = Vec::new();
        for (platform, attestations) in &record.attestations {
            for descriptor in attestations {
                let kind = descriptor.annotations.get(PREDICATE_TYPE);
                let Some(kind) = kind.filter(|kind| kind.starts_with(SLSA)) else {
                    continue;
                };
                let digest = descriptor.digest.as_str();
                let bytes = self.read_blob(digest, PROVENANCE).await?;
                found.extend(serde_json::from_slice(&bytes).ok().map(|predicate| {
                    RecordedProvenance {
                        platform: platform.clone(),
                        digest: descriptor.digest.clone(),
                        predicate_type: kind.clone(),
                        predicate,
                    }
                }));
            }
        }
        Ok(found)
    }
}

/// An image in an engine's older store, which has no manifests.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineImage {
    /// Its id: the digest of its config.
    pub id: String,
    /// Its platform.
    pub platform: Platform,
    /// Its layers, lowest first.
    pub layers: Vec<EngineLayer>,
}

/// A layer of an [`EngineImage`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineLayer {
    /// The instruction that made it.
    pub created_by: String,
    /// The size of its files in bytes, not compressed.
    pub size: u64,
}

impl Client {
    /// Returns the image that a build left in the older image store of a Docker Engine. `None` if
    /// the daemon is not an engine, or if there is no such image.
    ///
    /// # Errors
    /// If a call fails; the engine may have removed the image meanwhile.
    pub async fn engine_image(&self, record: &BuildRecord) -> Result<Option<EngineImage>, Error> {
        let id = record.exporter_response.get("containerimage.config.digest");
        let id = id.and_then(|id| Digest::parse(id).ok());
        let (Some(id), Some(engine)) = (id, Engine::of(self)) else {
            return Ok(None);
        };
        let call = async |path: String| -> Result<Value, Error> {
            let answer = engine.call("look at the image", Method::GET, &path, None);
            Ok(answer.await?.json())
        };
        let known = call(format!("/images/{id}/json")).await?;
        let history = call(format!("/images/{id}/history")).await?;
        let text = |field: &str| known[field].as_str().unwrap_or_default().to_owned();
        let platform = Platform {
            os: text("Os"),
            architecture: text("Architecture"),
            variant: text("Variant"),
            ..Platform::default()
        };
        let entries = history.as_array().into_iter().flatten().rev();
        let layers = entries.map(|entry| EngineLayer {
            created_by: entry["CreatedBy"].as_str().unwrap_or_default().to_owned(),
            size: entry["Size"].as_u64().unwrap_or_default(),
        });
        Ok(Some(EngineImage {
            id: id.to_string(),
            platform,
            layers: layers.filter(EngineLayer::is_layer).collect(),
        }))
    }
}

impl EngineLayer {
    /// True if the entry has a layer. The history also contains instructions without one; their
    /// size is 0.
    fn is_layer(&self) -> bool {
        let keyword = self
            .created_by
            .split_whitespace()
            .next()
            .unwrap_or_default();
        self.size > 0 || matches!(keyword, "RUN" | "COPY" | "ADD" | "WORKDIR")
    }
}

/// The image in the response of an exporter.
fn answered(response: &BTreeMap<String, String>) -> Option<Descriptor> {
    let known = response.get("containerimage.descriptor");
    let known = known.and_then(|text| BASE64.decode(text).ok());
    serde_json::from_slice(&known?).ok()
}

fn is_attestation(descriptor: &Descriptor) -> bool {
    let kind = descriptor.annotations.get("vnd.docker.reference.type");
    kind.is_some_and(|kind| kind == "attestation-manifest")
}
