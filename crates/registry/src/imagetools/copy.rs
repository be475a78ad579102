//! Copies manifests with all their blobs and manifests, byte for byte, between repositories and
//! layouts.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use std::sync::{Mutex, PoisonError};

use super::load::{parse, too_much};
use super::{Error, Location};
use crate::oci::{Descriptor, Digest, Index, media_type, null_as_default};
use crate::registry::Client;
use crate::steps::Step;
use crate::walk::{Walk, WalkError};

/// The number of blobs that are copied concurrently.
const AT_ONCE: usize = 4;
/// The referrers of a manifest that are copied with it.
const REFERRERS: [&str; 3] = [
    "application/vnd.docker.attestation.manifest.v1+json",
    "application/vnd.dev.cosign.artifact.sig.v1+json",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
];

/// The parts of a manifest of any kind.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default")]
    layers: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default")]
    blobs: Vec<Descriptor>,
}

/// The content that a repository must have.
#[derive(Default)]
struct Plan {
    blobs: BTreeMap<Digest, (Descriptor, Location)>,
    /// The manifests, written from last to first: an index comes before its manifests.
    manifests: Vec<(Descriptor, Bytes)>,
    /// The manifests that refer to another manifest, with that manifest's digest.
    referrers: Vec<(Digest, Descriptor)>,
}

/// Copies these manifests with all their blobs and manifests. Existing content is not sent again.
pub(crate) async fn copy(
    client: &Client,
    manifests: &[(Descriptor, Location)],
    to: &Location,
    step: &dyn Step,
) -> Result<(), Error> {
    let foreign: Vec<_> = manifests
        .iter()
        .filter(|(_, from)| from.name() != to.name())
        .cloned()
        .collect();
    let plan = Plan::of(client, foreign, to).await?;
    stream::iter(plan.blobs.into_values().map(|(descriptor, from)| async move {
        send(client, &descriptor, &from, to, step).await
    }))
    .buffer_unordered(AT_ONCE)
    .try_collect::<()>()
    .await?;
    for (descriptor, bytes) in plan.manifests.into_iter().rev() {
        to.put_manifest(client, &descriptor, bytes).await?;
    }
    for (subject, referrer) in &plan.referrers {
        to.put_referrer(subject, referrer).await?;
    }
    Ok(())
}

impl Plan {
    async fn of(
        client: &Client,
        manifests: Vec<(Descriptor, Location)>,
        to: &Location,
    ) -> Result<Self, Error> {
        let mut plan = Self::default();
        let too_much = |source| too_much(to, source);
        let mut walk = Walk::default();
        let mut level = unseen(&mut walk, manifests).map_err(too_much)?;
        for depth in 0.. {
            if level.is_empty() {
                break;
            }
            Walk::check_depth(depth).map_err(too_much)?;
            let fetched: Vec<_> =
                stream::iter(level.into_iter().map(|(descriptor, from)| async move {
                    fetch(client, descriptor, from, to).await
                }))
                .buffered(2 * AT_ONCE)
                .try_collect()
                .await?;
            let mut next = Vec::new();
            for (descriptor, from, bytes, referrers) in fetched {
                for entry in referrers {
                    plan.referrers
                        .push((descriptor.digest.clone(), entry.clone()));
                    next.push((entry, from.clone()));
                }
                let Some(bytes) = bytes else {
                    continue;
                };
                walk.count(bytes.len()).map_err(too_much)?;
                next.extend(plan.add(&descriptor, &from, &bytes)?);
                plan.manifests.push((descriptor, bytes));
            }
            level = unseen(&mut walk, next).map_err(too_much)?;
        }
        Ok(plan)
    }

    /// Adds a manifest's blobs, and returns the manifests of an index.
    fn add(
        &mut self,
        descriptor: &Descriptor,
        from: &Location,
        bytes: &[u8],
    ) -> Result<Vec<(Descriptor, Location)>, Error> {
        let name = from.at(&descriptor.digest);
        if media_type::is_index(&descriptor.media_type) {
            let index: Index = parse(&name, "index", bytes)?;
            let entries = index.manifests.into_iter();
            return Ok(entries.map(|entry| (entry, from.clone())).collect());
        }
        let parts: Parts = parse(&name, "manifest", bytes)?;
        for blob in parts
            .config
            .into_iter()
            .chain(parts.layers)
            .chain(parts.blobs)
        {
            // Foreign layers may not be distributed; clients fetch them from their own URLs.
            if !media_type::is_foreign_layer(&blob.media_type) {
                self.blobs.insert(blob.digest.clone(), (blob, from.clone()));
            }
        }
        Ok(Vec::new())
    }
}

/// Returns the descriptors that are seen for the first time.
fn unseen(
    walk: &mut Walk,
    manifests: Vec<(Descriptor, Location)>,
) -> Result<Vec<(Descriptor, Location)>, WalkError> {
    let mut unseen = Vec::new();
    for (descriptor, from) in manifests {
        if walk.is_new(&descriptor.digest)? {
            unseen.push((descriptor, from));
        }
    }
    Ok(unseen)
}

/// Fetches a manifest and its referrers. Returns no bytes if the repository has the manifest,
/// because it then has everything below it too.
async fn fetch(
    client: &Client,
    descriptor: Descriptor,
    from: Location,
    to: &Location,
) -> Result<(Descriptor, Location, Option<Bytes>, Vec<Descriptor>), Error> {
    let referrers = from.referrers(client, &descriptor.digest).await?;
    let referrers = referrers
        .into_iter()
        .filter(|entry| REFERRERS.contains(&entry.artifact_type.as_str()))
        .collect();
    let there = to.has_manifest(client, &descriptor.digest).await?;
    let bytes = match there {
        true => None,
        false => {
            let place = from.at(&descriptor.digest);
            Some(place.manifest(client).await?.bytes)
        }
    };
    Ok((descriptor, from, bytes, referrers))
}

async fn send(
    client: &Client,
    descriptor: &Descriptor,
    from: &Location,
    to: &Location,
    step: &dyn Step,
) -> Result<(), Error> {
    let shown = step.copies(format!("copying {}", descriptor.digest), descriptor.size);
    let shown = Mutex::new(shown);
    let tell = move |sent| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown(sent);
    };
    let source = from.source(client, &descriptor.digest);
    to.put_blob(client, descriptor, &source, tell).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The media type decides if a layer is omitted; URLs do not.
    #[test]
    fn an_ordinary_layer_with_urls_is_copied() {
        let layer = |kind: &str, content: &str| {
            let descriptor = Descriptor::of(kind, content.as_bytes());
            let mut value = serde_json::to_value(&descriptor).unwrap();
            value["urls"] = json!(["https://elsewhere.example/layer"]);
            (descriptor.digest, value)
        };
        let (ordinary, first) = layer("application/vnd.oci.image.layer.v1.tar+gzip", "ordinary");
        let (foreign, second) = layer(
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "foreign",
        );
        let text = json!({"schemaVersion": 2, "layers": [first, second]}).to_string();
        let manifest = Descriptor::of(media_type::OCI_MANIFEST, text.as_bytes());
        let from = Location::parse("r.example/a").unwrap();
        let mut plan = Plan::default();
        let more = plan.add(&manifest, &from, text.as_bytes()).unwrap();
        assert!(more.is_empty());
        assert!(plan.blobs.contains_key(&ordinary));
        assert!(!plan.blobs.contains_key(&foreign));
    }
}
