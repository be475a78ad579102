//! Merges the caches of all parts into the requested one, so that an import finds all platforms.

use std::path::Path;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::cache_config::{self, Merged, Piece, config_of};
use super::{Error, JoinError, caches};
use crate::causes;
use crate::client::CacheEntry;
use crate::layout::{self, Layout, Name};
use crate::oci::{Descriptor, Digest, Platform, Reference};
use crate::pipeline::{BuildRequest, ON_FAILURE};
use crate::progress::Writer;
use crate::registry::{BlobSource, Client};
use crate::task::blocking;

/// Merges all mergeable caches of a build whose parts have these first platforms; returns the last
/// merged one.
pub(super) async fn caches(
    client: &Client,
    request: &BuildRequest,
    firsts: &[Platform],
    progress: &Writer,
) -> Result<Option<Descriptor>, Error> {
    let mut last = None;
    for entry in caches::merged(request) {
        last = cache(client, entry, firsts, progress).await?.or(last);
    }
    Ok(last)
}

/// Merges the caches of a failed build: its parts have exported their finished steps. An error is
/// shown, but does not change the failure.
pub(super) async fn caches_of_failure(
    client: &Client,
    request: &BuildRequest,
    firsts: &[Platform],
    progress: &Writer,
) {
    let wanted = caches::merged(request).filter(|entry| is_true(entry, ON_FAILURE));
    for entry in wanted {
        if let Err(error) = cache(client, entry, firsts, progress).await {
            progress.note(causes::in_one_line(&error));
        }
    }
}

async fn cache(
    client: &Client,
    entry: &CacheEntry,
    firsts: &[Platform],
    progress: &Writer,
) -> Result<Option<Descriptor>, Error> {
    let Some(name) = caches::name(entry) else {
        return Ok(None);
    };
    let names: Vec<String> = firsts
        .iter()
        .filter_map(|platform| caches::part_name(entry, platform))
        .collect();
    let step = format!("[internal] putting the caches of the nodes together as {name}");
    let work = async {
        match entry.kind.as_str() {
            "registry" => in_registry(client, name, &names).await,
            _ => in_folder(entry, name, names.clone()).await,
        }
    };
    match progress.track(step, work).await {
        Ok(made) => Ok(made),
        Err(_) if is_true(entry, "ignore-error") => Ok(None),
        Err(source) => Err(Error::Cache {
            name: name.to_owned(),
            parts: names,
            source: Box::new(source),
        }),
    }
}

fn is_true(entry: &CacheEntry, key: &str) -> bool {
    let value = entry.attrs.get(key);
    value.is_some_and(|value| value == "true" || value == "1")
}

async fn in_registry(
    client: &Client,
    name: &str,
    parts: &[String],
) -> Result<Option<Descriptor>, JoinError> {
    let parse = |name: &str| Reference::parse(name).map(Reference::with_default_tag);
    let mut pieces = Vec::new();
    for part in parts {
        let part = parse(part)?;
        let fetched = match client.manifest(&part).await {
            // A part without layers exports no cache.
            Err(error) if error.is_not_found() => continue,
            fetched => fetched?,
        };
        let manifest = object(&fetched.bytes)?;
        let config = config_of(&manifest).ok_or_else(|| no_cache(&part.to_string()))?;
        pieces.push(Piece {
            media_type: fetched.descriptor.media_type,
            manifest,
            config: client.small_blob(&part, &config).await?.to_vec(),
        });
    }
    if pieces.is_empty() {
        return Ok(None);
    }
    let merged = cache_config::merge(&pieces)?;
    let to = parse(name)?;
    let config = BlobSource::Bytes(Bytes::from(merged.config));
    client
        .push_blob(&to, &merged.config_descriptor, &config, None)
        .await?;
    let image = Descriptor::of(&*merged.media_type, &merged.manifest);
    client
        .put_manifest(&to, &merged.media_type, Bytes::from(merged.manifest))
        .await?;
    Ok(Some(image))
}

async fn in_folder(
    entry: &CacheEntry,
    tag: &str,
    parts: Vec<String>,
) -> Result<Option<Descriptor>, JoinError> {
    let folder = entry.attrs.get("dest").cloned().unwrap_or_default();
    let (tag, reset) = (tag.to_owned(), is_true(entry, "reset"));
    let work = move || -> Result<_, JoinError> {
        let merged = in_layout(Path::new(&folder), &tag, &parts)?;
        if merged.is_some() && reset {
            Layout::new(&folder).sweep()?;
        }
        Ok(merged)
    };
    blocking(work).await
}

/// Returns `None` if there was nothing to merge.
fn in_layout(folder: &Path, tag: &str, parts: &[String]) -> Result<Option<Descriptor>, JoinError> {
    let layout = Layout::new(folder);
    let mut pieces = Vec::new();
    for part in parts {
        let digest = match layout.find(part) {
            Err(layout::Error::NoImage { .. } | layout::Error::NoIndex { .. }) => continue,
            found => found?,
        };
        let manifest = object(&read(&layout, &digest)?)?;
        let config = config_of(&manifest).ok_or_else(|| no_cache(part))?;
        let media_type = manifest.get("mediaType").and_then(Value::as_str);
        pieces.push(Piece {
            media_type: media_type.unwrap_or_default().to_owned(),
            config: read(&layout, &config.digest)?,
            manifest,
        });
    }
    if pieces.is_empty() {
        return Ok(None);
    }
    let Merged {
        media_type,
        manifest,
        config,
        ..
    } = cache_config::merge(&pieces)?;
    write(&layout, &config)?;
    write(&layout, &manifest)?;
    let image = Descriptor::of(media_type, &manifest);
    layout.put(&image, &[Name::Tag(tag.to_owned())])?;
    Ok(Some(image))
}

fn read(layout: &Layout, digest: &Digest) -> Result<Vec<u8>, JoinError> {
    let bytes = layout.read(digest, 4 * cache_config::LIMIT as u64);
    bytes?.ok_or_else(|| JoinError::Missing {
        path: layout.blob_path(digest),
    })
}

pub(super) fn write(layout: &Layout, bytes: &[u8]) -> Result<(), JoinError> {
    let digest = Digest::sha256(bytes);
    let mut upload = layout.upload(digest.algorithm())?;
    upload.write(bytes)?;
    upload.commit(Some(bytes.len() as u64), Some(&digest))?;
    Ok(())
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, JoinError> {
    Ok(serde_json::from_slice(bytes)?)
}

fn no_cache(name: &str) -> JoinError {
    JoinError::NoCache {
        name: name.to_owned(),
    }
}
