//! Media types of manifests: those that are asked for, and the one of an answer.

use http::header::HeaderValue;
use serde::Deserialize;

use crate::oci::media_type;

/// The shape of a manifest, to guess a missing media type.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Form {
    schema_version: serde_json::Value,
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
}

pub(super) fn accept() -> HeaderValue {
    HeaderValue::from_static(
        "application/vnd.oci.image.index.v1+json, \
         application/vnd.docker.distribution.manifest.list.v2+json, \
         application/vnd.oci.image.manifest.v1+json, \
         application/vnd.docker.distribution.manifest.v2+json, */*",
    )
}

pub(super) fn is_supported(text: &str) -> bool {
    media_type::is_index(text)
        || matches!(text, media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST)
}

fn is_manifest_type(text: &str) -> bool {
    is_supported(text) || is_schema_1(text)
}

const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
pub(super) const SCHEMA_1_SIGNED: &str =
    "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// Returns the media type from the header, else from the text, else guessed from the shape: some
/// registries serve everything as plain JSON.
pub(super) fn media_type_of(named: &str, bytes: &[u8]) -> String {
    if is_manifest_type(named) {
        return named.to_owned();
    }
    let form: Form = serde_json::from_slice(bytes).unwrap_or_default();
    match (form.media_type, form.manifests) {
        (Some(own), _) if !own.is_empty() => own,
        _ if form.schema_version == 1 => SCHEMA_1.to_owned(),
        (_, Some(_)) => media_type::OCI_INDEX.to_owned(),
        (_, None) => media_type::OCI_MANIFEST.to_owned(),
    }
}

/// True for manifests of the first schema, which are not supported.
pub(super) fn is_schema_1(text: &str) -> bool {
    matches!(text, SCHEMA_1 | SCHEMA_1_SIGNED)
}
