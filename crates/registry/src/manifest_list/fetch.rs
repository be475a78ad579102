//! Fetches manifests from registries, with the platforms in their configs.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Entry, Error};
use crate::imagetools;
use crate::oci::{Descriptor, Index, Manifest, Platform, Reference, media_type};
use crate::registry::Client;
use crate::walk::Walk;

/// Fetches the manifest of a name, with the platform of its config. For an index, which docker
/// refuses, it returns all manifests with the index's platforms.
///
/// # Errors
/// If the registry refuses a part, or a part is malformed.
pub async fn fetch(client: &Client, name: &Reference) -> Result<Vec<Entry>, Error> {
    let root = client.manifest(name).await?;
    let mut entries = Vec::new();
    if !media_type::is_index(&root.descriptor.media_type) {
        entries.push(entry(client, name.clone(), root.descriptor, root.bytes).await?);
        return Ok(entries);
    }
    let mut level = vec![parse::<Index>(name, "index", &root.bytes)?];
    let too_much = |source| Error::Image(imagetools::too_much(name, source));
    let mut walk = Walk::default();
    walk.is_new(&root.descriptor.digest).map_err(too_much)?;
    for depth in 0.. {
        Walk::check_depth(depth).map_err(too_much)?;
        let mut next = Vec::new();
        for descriptor in level.into_iter().flat_map(|index| index.manifests) {
            if !walk.is_new(&descriptor.digest).map_err(too_much)? {
                continue;
            }
            let name = name.clone().with_digest(descriptor.digest.clone());
            let fetched = client.manifest(&name).await?;
            walk.count(fetched.bytes.len()).map_err(too_much)?;
            if media_type::is_index(&fetched.descriptor.media_type) {
                next.push(parse::<Index>(&name, "index", &fetched.bytes)?);
                continue;
            }
            let descriptor = Descriptor {
                size: fetched.bytes.len() as u64,
                ..descriptor
            };
            entries.push(entry(client, name, descriptor, fetched.bytes).await?);
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    Ok(entries)
}

async fn entry(
    client: &Client,
    name: Reference,
    mut descriptor: Descriptor,
    raw: bytes::Bytes,
) -> Result<Entry, Error> {
    if descriptor.platform.is_none() {
        let manifest: Manifest = parse(&name, "manifest of an image", &raw)?;
        let config = client.small_blob(&name, &manifest.config).await?;
        let config: Value = parse(&name, "image config", &config)?;
        let text = |field: &str| config[field].as_str().unwrap_or_default().to_owned();
        let features = config["os.features"].as_array();
        descriptor.platform = Some(Platform {
            os: text("os"),
            architecture: text("architecture"),
            variant: text("variant"),
            os_version: text("os.version"),
            os_features: features
                .into_iter()
                .flatten()
                .filter_map(|feature| feature.as_str().map(str::to_owned))
                .collect(),
        });
    }
    Ok(Entry::new(name, descriptor, raw))
}

fn parse<T: DeserializeOwned>(
    name: &Reference,
    kind: &'static str,
    bytes: &[u8],
) -> Result<T, Error> {
    let parsed = serde_json::from_slice(bytes);
    parsed.map_err(|error| {
        Error::Image(imagetools::Error::Malformed {
            reference: name.to_string(),
            kind,
            reason: error.into(),
        })
    })
}
