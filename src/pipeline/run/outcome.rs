//! The result of a build: digests, names, and the metadata file.

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
    /// The build's id on the daemon; `buildx.build.ref` ends with it.
    pub build_ref: String,
    /// The exporters' answer: `containerimage.digest`, `image.name` …
    pub exporter_response: BTreeMap<String, String>,
    /// The image's id is the digest of its manifest or index, as in an engine with containerd's
    /// image store.
    pub id_is_digest: bool,
    /// The provenance, by key of the metadata: `buildx.build.provenance`, with `/PLATFORM` if there
    /// are several.
    pub provenance: BTreeMap<String, Value>,
    /// Findings of the lint rules, in the order of the Dockerfile.
    pub warnings: Vec<Finding>,
    /// The platforms that were built; empty when another frontend made the result.
    pub built: Vec<Platform>,
    /// The platforms that failed and are missing from the export
    /// ([`OnFailure::Export`](crate::pipeline::OnFailure::Export)).
    pub failed: Vec<PlatformFailure>,
}

impl BuildOutcome {
    /// The digest of the exported image: an index for several platforms, else a manifest. `None`
    /// without an image output.
    pub fn digest(&self) -> Option<Digest> {
        self.response_digest("containerimage.digest")
    }

    /// The digest of the image's config, if there is only one image.
    pub fn config_digest(&self) -> Option<Digest> {
        self.response_digest("containerimage.config.digest")
    }

    /// The image's id in an engine: the digest of the config if there is one, else of the index.
    /// With containerd's image store it is [`digest`](Self::digest).
    pub fn image_id(&self) -> Option<Digest> {
        match self.id_is_digest {
            true => self.digest(),
            false => self.config_digest().or_else(|| self.digest()),
        }
    }

    /// The names of the image, with tags.
    pub fn names(&self) -> Vec<&str> {
        self.exporter_response
            .get("image.name")
            .map(|names| names.split(',').collect())
            .unwrap_or_default()
    }

    /// The content of `--metadata-file`: the exporters' answer with base64-encoded JSON decoded,
    /// `buildx.build.ref` as `BUILDER/NODE/REF`, and the provenance.
    pub fn metadata(&self, builder: &str, node: &str) -> Value {
        let mut metadata = metadata_fields(&self.exporter_response);
        if self.id_is_digest {
            // Programs use it as the image's id if it is present.
            metadata.remove("containerimage.config.digest");
        }
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

/// Decodes a value of the exporters' answer: JSON objects, and lists of them, are base64-encoded;
/// everything else is text.
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
        let metadata = kept.metadata("b", "n");
        assert_eq!(metadata["containerimage.digest"], index.as_str());
        assert_eq!(metadata.get("containerimage.config.digest"), None);
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
