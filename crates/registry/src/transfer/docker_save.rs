//! Archives of `docker save` without an OCI layout. A manifest is generated for their image; the
//! blobs stay unchanged.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::archive::Archive;
use super::untar::Span;
use super::{ArchiveProblem, Error, error};
use crate::oci::{Descriptor, Digest, Hasher, Reference, media_type};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An entry of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<Digest>,
}

/// Finds the image with a full name, or the only one, and generates its manifest.
pub(super) fn find(archive: &mut Archive, wanted: Option<&str>) -> Result<Descriptor, Error> {
    let images: Vec<Saved> = archive.json("manifest.json")?;
    let image = choose(archive, &images, wanted)?;
    let config = archive.read(&image.config)?;
    let parsed: Config =
        serde_json::from_slice(&config).map_err(|error| archive.not_json(&image.config, error))?;
    let ids = parsed.rootfs.diff_ids;
    if ids.len() != image.layers.len() {
        return Err(archive.broken(ArchiveProblem::Layers {
            found: image.layers.len(),
            named: ids.len(),
        }));
    }
    let descriptor = Descriptor::of(CONFIG, &config);
    let span = archive.files[&image.config];
    archive.named.insert(descriptor.digest.clone(), span);
    let mut layers = Vec::new();
    for (name, id) in image.layers.iter().zip(ids) {
        let span = archive.files.get(name).copied();
        let span = span.ok_or_else(|| archive.missing(name))?;
        let layer = layer(archive, span, id)?;
        archive.named.insert(layer.digest.clone(), span);
        layers.push(layer);
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": descriptor,
        "layers": layers,
    });
    let manifest = Bytes::from(manifest.to_string());
    let root = Descriptor::of(media_type::OCI_MANIFEST, &manifest);
    archive.made.insert(root.digest.clone(), manifest);
    Ok(root)
}

fn choose<'a>(
    archive: &Archive,
    images: &'a [Saved],
    wanted: Option<&str>,
) -> Result<&'a Saved, Error> {
    let names = |image: &Saved| image.repo_tags.clone().unwrap_or_default();
    let whole = |name: &String| Reference::parse(name).map(|name| name.to_string()).ok();
    let found = match wanted {
        Some(wanted) => images.iter().find(|image| {
            names(image)
                .iter()
                .any(|name| whole(name).as_deref() == Some(wanted))
        }),
        None => match images {
            [only] => Some(only),
            _ => None,
        },
    };
    found.ok_or_else(|| Error::NoImage {
        place: archive.path.display().to_string(),
        wanted: wanted.map(str::to_owned),
        available: images.iter().flat_map(names).take(10).collect(),
    })
}

/// Returns the descriptor of a layer in the archive: a plain tar, whose digest is in the config, or
/// a compressed one.
fn layer(archive: &Archive, span: Span, id: Digest) -> Result<Descriptor, Error> {
    let start = archive.read_span(Span {
        size: span.size.min(4),
        ..span
    })?;
    let suffix = match start.as_slice() {
        [0x1f, 0x8b, ..] => "+gzip",
        [0x28, 0xb5, 0x2f, 0xfd] => "+zstd",
        _ => return Ok(Descriptor::new(LAYER, id, span.size)),
    };
    let digest = hash(archive, span)?;
    Ok(Descriptor::new(
        format!("{LAYER}{suffix}"),
        digest,
        span.size,
    ))
}

fn hash(archive: &Archive, span: Span) -> Result<Digest, Error> {
    let failed = || error::file("read", &archive.path);
    let mut file = File::open(&archive.path).map_err(failed())?;
    file.seek(SeekFrom::Start(span.offset)).map_err(failed())?;
    let mut input = file.take(span.size);
    let mut hasher = Hasher::new("sha256");
    let mut buffer = vec![0; 64 << 10];
    loop {
        match input.read(&mut buffer).map_err(failed())? {
            0 => return Ok(hasher.digest()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
