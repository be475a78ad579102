//! Inspects an image: raw, as text, or as the value of a template.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::attestation::{Kind, predicates};
use super::load::{Image, Loaded, parse};
use super::{Error, Location, shape, text};
use crate::oci::{Index, media_type, null_as_default};
use crate::registry::{Client, Fetched};
use crate::template::{Struct, Template, Value};

/// An inspected image. Its manifests, configs and attestations are read on demand.
#[derive(Debug)]
pub struct Inspection {
    client: Client,
    name: String,
    location: Location,
    root: Fetched,
    index: Option<Index>,
}

/// The annotations of an index or a manifest.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotated {
    #[serde(deserialize_with = "null_as_default")]
    annotations: BTreeMap<String, String>,
}

impl Inspection {
    /// Fetches the image's index or manifest. For a layout the client is not used.
    ///
    /// # Errors
    /// If the registry refuses, the layout does not have the name, or the content is malformed.
    pub async fn of(client: Client, location: &Location) -> Result<Self, Error> {
        let root = location.manifest(&client).await?;
        let index = match media_type::is_index(&root.descriptor.media_type) {
            true => Some(parse(location, "index", &root.bytes)?),
            false => None,
        };
        Ok(Self {
            client,
            name: location.familiar(),
            location: location.clone(),
            root,
            index,
        })
    }

    /// Sets the image's name for templates; the default is the short form of its location.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the manifest or index, byte for byte.
    pub fn raw(&self) -> &Bytes {
        &self.root.bytes
    }

    /// True if the name points to an index.
    pub fn is_index(&self) -> bool {
        self.index.is_some()
    }

    /// Returns name, type, digest, and the manifests of an index, as buildx shows them, with the
    /// annotations of the index or manifest.
    pub fn text(&self) -> String {
        // Malformed annotations are ignored; the rest is still shown.
        let own: Annotated = serde_json::from_slice(&self.root.bytes).unwrap_or_default();
        let (root, index) = (&self.root.descriptor, self.index.as_ref());
        text::text(&self.location, root, &own.annotations, index)
    }

    /// Returns the value for a template: `Name`, `Manifest`, `Image`, `SBOM` and `Provenance`. For
    /// a multi-platform image the last three have a field per platform: `{{json (index .Image
    /// "linux/amd64")}}`. Attestations are only read if the template mentions them.
    ///
    /// # Errors
    /// If the registry refuses a part, or a part is malformed.
    pub async fn value(&self, template: &Template) -> Result<Value, Error> {
        let loaded = Loaded::of(&self.client, &self.location, &self.root).await?;
        let mut value = Struct::new()
            .optional("Name", "name", self.name.as_str())
            .optional("Manifest", "manifest", self.manifest());
        let images = |image: &Image| shape::image(&image.config);
        value = value.optional("Image", "image", by_platform(&loaded, images));
        for (name, kind) in [("SBOM", Kind::Sbom), ("Provenance", Kind::Provenance)] {
            let found = match template.mentions(name) {
                true => self.attested(&loaded, kind).await?,
                false => Value::Null,
            };
            value = value.hidden(name, found);
        }
        Ok(value.into())
    }

    fn manifest(&self) -> Value {
        let root = &self.root.descriptor;
        let Some(index) = &self.index else {
            return shape::descriptor(root);
        };
        let manifests: Vec<Value> = index.manifests.iter().map(shape::descriptor).collect();
        Struct::new()
            .field(
                "SchemaVersion",
                "schemaVersion",
                i64::from(index.schema_version),
            )
            .optional("MediaType", "mediaType", index.media_type.as_str())
            .field("Digest", "digest", root.digest.as_str())
            .field("Size", "size", i64::try_from(root.size).unwrap_or_default())
            .field("Manifests", "manifests", manifests)
            .optional("Annotations", "annotations", index.annotations.clone())
            .into()
    }

    async fn attested(&self, loaded: &Loaded, kind: Kind) -> Result<Value, Error> {
        let mut all = Struct::new().as_map();
        for (platform, image) in &loaded.images {
            let found = predicates(&self.client, &self.location, loaded, &image.digest, kind);
            let mut found = found.await?.into_iter();
            let first = found.next();
            if first.is_none() && loaded.images.len() > 1 {
                continue;
            }
            let first = first.map(Value::from);
            let one = match kind {
                Kind::Sbom => Struct::new().optional("SPDX", "SPDX", first).optional(
                    "AdditionalSPDXs",
                    "AdditionalSPDXs",
                    found.map(Value::from).collect::<Vec<_>>(),
                ),
                Kind::Provenance => Struct::new().optional("SLSA", "SLSA", first),
            };
            if loaded.images.len() == 1 {
                return Ok(one.into());
            }
            all = all.field(platform, platform, one);
        }
        Ok(all.into())
    }
}

/// Returns the value of the only image, or one field per platform.
fn by_platform(loaded: &Loaded, value: impl Fn(&Image) -> Value) -> Value {
    match loaded.images.len() {
        0 => Value::Null,
        1 => loaded
            .images
            .values()
            .next()
            .map(&value)
            .unwrap_or_default(),
        _ => loaded
            .images
            .iter()
            .fold(Struct::new().as_map(), |all, (platform, image)| {
                all.field(platform, platform, value(image))
            })
            .into(),
    }
}
