//! Builds the list's JSON, byte for byte like docker.

use super::text::indent;
use crate::oci::{Descriptor, Platform, media_type};
use crate::template::{Json, Struct, Value};

/// The prefix of the annotations that a list keeps: an attestation names its subject by them.
const KEPT: &str = "vnd.docker.reference.";

/// Returns the media type and the JSON of a list: an OCI index if the first manifest is OCI, else
/// docker's list.
pub fn list_json<'a>(
    manifests: impl IntoIterator<Item = &'a Descriptor>,
) -> (&'static str, String) {
    let manifests: Vec<&Descriptor> = manifests.into_iter().collect();
    let kind = match manifests.first() {
        Some(first) if first.media_type == media_type::OCI_MANIFEST => media_type::OCI_INDEX,
        _ => media_type::DOCKER_MANIFEST_LIST,
    };
    let entries: Vec<Value> = manifests.into_iter().map(entry).collect();
    let list: Value = Struct::new()
        .field("SchemaVersion", "schemaVersion", 2)
        .field("MediaType", "mediaType", kind)
        .field("Manifests", "manifests", entries)
        .into();
    (kind, indent(&list.to_json(Json::Compact), "   "))
}

fn entry(descriptor: &Descriptor) -> Value {
    let annotations = descriptor.annotations.iter();
    let kept = annotations
        .filter(|(key, _)| key.starts_with(KEPT))
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    let platform = descriptor.platform.clone().unwrap_or_default();
    Struct::new()
        .optional("MediaType", "mediaType", descriptor.media_type.as_str())
        .optional(
            "Size",
            "size",
            i64::try_from(descriptor.size).unwrap_or_default(),
        )
        .optional("Digest", "digest", descriptor.digest.as_str())
        .optional("Annotations", "annotations", Value::Map(kept.collect()))
        .field("Platform", "platform", spec(platform))
        .into()
}

fn spec(platform: Platform) -> Struct {
    Struct::new()
        .field("Architecture", "architecture", platform.architecture)
        .field("OS", "os", platform.os)
        .optional("OSVersion", "os.version", platform.os_version)
        .optional("OSFeatures", "os.features", platform.os_features)
        .optional("Variant", "variant", platform.variant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_as_docker_writes_it() {
        let mut one = Descriptor::of(media_type::DOCKER_MANIFEST, b"x");
        one.platform = Some(Platform::parse("linux/arm/v7").unwrap());
        one.annotations = [("made".to_owned(), "here".to_owned())].into();
        let (kind, text) = list_json([&one]);
        assert_eq!(kind, media_type::DOCKER_MANIFEST_LIST);
        let expected = format!(
            "{{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"{kind}\",\n   \"manifests\": \
             [\n      {{\n         \
             \"mediaType\": \"{}\",\n         \"size\": \
             1,\n         \"digest\": \"{}\",\n         \"platform\": {{\n            \
             \"architecture\": \"arm\",\n            \"os\": \"linux\",\n            \
             \"variant\": \"v7\"\n         }}\n      }}\n   ]\n}}",
            one.media_type, one.digest
        );
        assert_eq!(text, expected);
        one.media_type = media_type::OCI_MANIFEST.to_owned();
        assert_eq!(list_json([&one]).0, media_type::OCI_INDEX);
    }
}
