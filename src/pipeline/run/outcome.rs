//! What a build gives back: digests, names, and the metadata file.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::dockerfile::Finding;
use crate::frontend::PlatformFailure;
use crate::oci::{Digest, Platform};

/// A finished build.
#[derive(Debug)]
#[non_exhaustive]
pub struct BuildOutcome {
    /// The daemon's name of this build; `buildx.build.ref` ends with it.
    pub build_ref: String,
    /// The exporters' answer: `containerimage.digest`, `image.name` …
    pub exporter_response: BTreeMap<String, String>,
    /// The image's id is the digest of its manifest or index: so an engine with containerd's image
    /// store has it.
    pub id_is_digest: bool,
    /// How the build was made, by key of the metadata: `buildx.build.provenance`, with `/PLATFORM`
    /// for several.
    pub provenance: BTreeMap<String, Value>,
    /// What the lint rules found in the Dockerfile, in its order.
    pub warnings: Vec<Finding>,
    /// The platforms that were built; empty when another frontend made the result.
    pub built: Vec<Platform>,
    /// The platforms that failed and are not in what was exported
    /// ([`OnFailure::Export`](crate::pipeline::OnFailure::Export)).
    pub failed: Vec<PlatformFailure>,
}

impl BuildOutcome {
    /// The digest of what was exported: an index for several platforms, else a manifest. `None`
    /// without an image output.
    pub fn digest(&self) -> Option<Digest> {
        self.response_digest("containerimage.digest")
    }

    /// The digest of the image's config, when there is one image only.
    pub fn config_digest(&self) -> Option<Digest> {
        self.response_digest("containerimage.config.digest")
    }

    /// The id by which an engine knows the image: the config's digest if there is one, else the
    /// index's; with containerd's image store what [`digest`](Self::digest) gives.
    pub fn image_id(&self) -> Option<Digest> {
        match self.id_is_digest {
            true => self.digest(),
            false => self.config_digest().or_else(|| self.digest()),
        }
    }

    /// The names that the image was given, with tags.
    pub fn names(&self) -> Vec<&str> {
        self.exporter_response
            .get("image.name")
            .map(|names| names.split(',').collect())
            .unwrap_or_default()
    }

    /// The object of `--metadata-file`: the exporters' answer, base64-encoded JSON decoded,
    /// `buildx.build.ref` as `BUILDER/NODE/REF`, and the provenance.
    pub fn metadata(&self, builder: &str, node: &str) -> Value {
        let mut metadata = metadata_fields(&self.exporter_response);
        metadata.extend(self.provenance.clone());
        let build_ref = format!("{builder}/{node}/{}", self.build_ref);
        metadata.insert("buildx.build.ref".to_owned(), build_ref.into());
        Value::Object(metadata)
    }

    fn response_digest(&self, key: &str) -> Option<Digest> {
        Digest::parse(self.exporter_response.get(key)?).ok()
    }
}

/// The exporters' answer as JSON.
pub(super) fn metadata_fields(exporter_response: &BTreeMap<String, String>) -> Map<String, Value> {
    let fields = exporter_response.iter();
    fields
        .map(|(key, value)| (key.clone(), decoded(value)))
        .collect()
}

/// JSON objects and lists of them travel base64-encoded in the exporters' answer; everything else
/// is text.
fn decoded(value: &str) -> Value {
    let bytes = BASE64.decode(value).ok();
    let found: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match found {
        Some(Value::Object(fields)) if !fields.is_empty() => Value::Object(fields),
        Some(Value::Array(list)) if list.first().is_some_and(Value::is_object) => {
            Value::Array(list)
        }
        _ => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(response: &[(&str, &str)]) -> BuildOutcome {
        BuildOutcome {
            build_ref: "abc".into(),
            exporter_response: response
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            id_is_digest: false,
            provenance: BTreeMap::new(),
            warnings: Vec::new(),
            built: Vec::new(),
            failed: Vec::new(),
        }
    }

    #[test]
    fn the_image_id_is_the_config_s_digest_if_there_is_one() {
        let index = Digest::sha256(b"index");
        let config = Digest::sha256(b"config");
        let both = outcome(&[
            ("containerimage.digest", index.as_str()),
            ("containerimage.config.digest", config.as_str()),
        ]);
        assert_eq!(both.image_id(), Some(config));
        let kept = BuildOutcome {
            id_is_digest: true,
            ..both
        };
        assert_eq!(kept.image_id(), Some(index.clone()));
        let index_only = outcome(&[("containerimage.digest", index.as_str())]);
        assert_eq!(index_only.image_id(), Some(index));
        assert_eq!(outcome(&[]).image_id(), None);
    }

    #[test]
    fn metadata_decodes_descriptors_and_names_the_build() {
        let descriptor = BASE64.encode(r#"{"size":3}"#);
        let metadata = outcome(&[
            ("containerimage.descriptor", &descriptor),
            ("image.name", "a,b"),
        ])
        .metadata("default", "default");
        assert_eq!(metadata["containerimage.descriptor"]["size"], 3);
        assert_eq!(metadata["image.name"], "a,b");
        assert_eq!(metadata["buildx.build.ref"], "default/default/abc");
    }
}
