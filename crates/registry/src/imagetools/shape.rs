//! The fields of OCI documents as Go prints them: their names and order, and whether they are
//! omitted when empty.

use serde_json::Value as Json;

use crate::oci::{Descriptor, Index};
use crate::template::{Struct, Value};

/// A field of a document.
struct Shape {
    name: &'static str,
    json: &'static str,
    optional: bool,
    kind: Kind,
}

/// The type of a field, which decides its value if it is missing.
enum Kind {
    Text,
    Number,
    Truth,
    /// A list of strings, a map, or any other value.
    Any,
    Time,
    Object(&'static [Shape]),
    /// A document; null if it is missing.
    Pointer(&'static [Shape]),
    Objects(&'static [Shape]),
}

const fn always(name: &'static str, json: &'static str, kind: Kind) -> Shape {
    Shape {
        name,
        json,
        optional: false,
        kind,
    }
}

const fn optional(name: &'static str, json: &'static str, kind: Kind) -> Shape {
    Shape {
        name,
        json,
        optional: true,
        kind,
    }
}

const PLATFORM: &[Shape] = &[
    always("Architecture", "architecture", Kind::Text),
    always("OS", "os", Kind::Text),
    optional("OSVersion", "os.version", Kind::Text),
    optional("OSFeatures", "os.features", Kind::Any),
    optional("Variant", "variant", Kind::Text),
];

const DESCRIPTOR: &[Shape] = &[
    always("MediaType", "mediaType", Kind::Text),
    always("Digest", "digest", Kind::Text),
    always("Size", "size", Kind::Number),
    optional("URLs", "urls", Kind::Any),
    optional("Annotations", "annotations", Kind::Any),
    optional("Data", "data", Kind::Text),
    optional("Platform", "platform", Kind::Pointer(PLATFORM)),
    optional("ArtifactType", "artifactType", Kind::Text),
];

const INDEX: &[Shape] = &[
    always("SchemaVersion", "schemaVersion", Kind::Number),
    optional("MediaType", "mediaType", Kind::Text),
    optional("ArtifactType", "artifactType", Kind::Text),
    always("Manifests", "manifests", Kind::Objects(DESCRIPTOR)),
    optional("Subject", "subject", Kind::Pointer(DESCRIPTOR)),
    optional("Annotations", "annotations", Kind::Any),
];

const CONFIG: &[Shape] = &[
    optional("User", "User", Kind::Text),
    optional("ExposedPorts", "ExposedPorts", Kind::Any),
    optional("Env", "Env", Kind::Any),
    optional("Entrypoint", "Entrypoint", Kind::Any),
    optional("Cmd", "Cmd", Kind::Any),
    optional("Volumes", "Volumes", Kind::Any),
    optional("WorkingDir", "WorkingDir", Kind::Text),
    optional("Labels", "Labels", Kind::Any),
    optional("StopSignal", "StopSignal", Kind::Text),
    optional("ArgsEscaped", "ArgsEscaped", Kind::Truth),
];

const ROOT_FS: &[Shape] = &[
    always("Type", "type", Kind::Text),
    always("DiffIDs", "diff_ids", Kind::Any),
];

const HISTORY: &[Shape] = &[
    optional("Created", "created", Kind::Time),
    optional("CreatedBy", "created_by", Kind::Text),
    optional("Author", "author", Kind::Text),
    optional("Comment", "comment", Kind::Text),
    optional("EmptyLayer", "empty_layer", Kind::Truth),
];

const IMAGE: &[Shape] = &[
    optional("Created", "created", Kind::Time),
    optional("Author", "author", Kind::Text),
    always("Architecture", "architecture", Kind::Text),
    always("OS", "os", Kind::Text),
    optional("OSVersion", "os.version", Kind::Text),
    optional("OSFeatures", "os.features", Kind::Any),
    optional("Variant", "variant", Kind::Text),
    always("Config", "config", Kind::Object(CONFIG)),
    always("RootFS", "rootfs", Kind::Object(ROOT_FS)),
    optional("History", "history", Kind::Objects(HISTORY)),
];

/// An image's config.
pub(super) fn image(config: &Json) -> Value {
    shaped(config, IMAGE).into()
}

/// A descriptor.
pub(super) fn descriptor(descriptor: &Descriptor) -> Value {
    let json = serde_json::to_value(descriptor).unwrap_or_default();
    shaped(&json, DESCRIPTOR).into()
}

/// An index.
pub(super) fn index(index: &Index) -> Value {
    let json = serde_json::to_value(index).unwrap_or_default();
    shaped(&json, INDEX).into()
}

fn shaped(json: &Json, shapes: &[Shape]) -> Struct {
    shapes.iter().fold(Struct::new(), |fields, shape| {
        let value = value(&json[shape.json], &shape.kind);
        match shape.optional {
            true => fields.optional(shape.name, shape.json, value),
            false => fields.field(shape.name, shape.json, value),
        }
    })
}

fn value(json: &Json, kind: &Kind) -> Value {
    match (kind, json) {
        (Kind::Object(shapes), json) => shaped(json, shapes).into(),
        (Kind::Text, Json::Null) => Value::from(""),
        (Kind::Number, Json::Null) => Value::Int(0),
        (Kind::Truth, Json::Null) => Value::Bool(false),
        (_, Json::Null) => Value::Null,
        (Kind::Pointer(shapes), json) => shaped(json, shapes).into(),
        (Kind::Objects(shapes), Json::Array(list)) => list
            .iter()
            .map(|item| shaped(item, shapes))
            .collect::<Vec<_>>()
            .into(),
        (Kind::Time, Json::String(text)) => Value::String(time(text)),
        (_, json) => json.clone().into(),
    }
}

/// Formats a time like Go: without trailing zeros in the fraction.
fn time(text: &str) -> String {
    let (text, zone) = match text
        .strip_suffix('Z')
        .or_else(|| text.strip_suffix("+00:00"))
    {
        Some(time) => (time, "Z"),
        None => (text, ""),
    };
    match text.split_once('.') {
        Some((seconds, fraction)) if !zone.is_empty() => {
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{seconds}{point}{fraction}{zone}")
        }
        _ => format!("{text}{zone}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Json as Form;

    #[test]
    fn documents_have_the_order_and_the_omissions_of_go() {
        let config = serde_json::json!({
            "os": "linux", "architecture": "arm64", "created": "2024-01-02T03:04:05.600Z",
            "config": {"Cmd": ["a", "<b>"], "ExposedPorts": {"80/tcp": {}}, "Healthcheck": {}},
            "rootfs": {"type": "layers", "diff_ids": []},
            "history": [{"created_by": "x", "empty_layer": true}], "author": ""
        });
        assert_eq!(
            image(&config).to_json(Form::Compact),
            r#"{"created":"2024-01-02T03:04:05.6Z","architecture":"arm64","os":"linux","config":{"ExposedPorts":{"80/tcp":{}},"Cmd":["a","\u003cb\u003e"]},"rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"x","empty_layer":true}]}"#
        );
        let bare = Descriptor::of("a/b", b"");
        assert_eq!(
            descriptor(&bare).to_json(Form::Compact),
            format!(
                r#"{{"mediaType":"a/b","digest":"{}","size":0}}"#,
                bare.digest
            )
        );
    }
}
