//! The JSON forms of failure details: Go's `encoding/json` of the message, and protojson for
//! `Solve`.

use std::collections::BTreeMap;

use base64::Engine;
use prost_types::Any;
use serde_json::{Value, json};

use super::details::{Detail, Operation, OperationDetail, SourceDetail};
use crate::{
    oci::Platform,
    progress::{SourceInfo, SourcePosition, SourceRange},
};

/// Decodes a detail; `None` for unknown types and malformed JSON.
pub(super) fn read(name: &str, bytes: &[u8]) -> Option<Detail> {
    let value = serde_json::from_slice(bytes).ok()?;
    from_json(name, Json(&value))
}

/// Encodes a source detail like the reference: Go's JSON of the message, which omits empty fields.
pub(super) fn source_to_any(source: &SourceDetail) -> Any {
    any(
        "errdefs.Source",
        &json!({ "info": source.info, "ranges": source.ranges }),
    )
}

/// Encodes the details that a frontend creates itself.
pub(super) fn to_any(detail: &Detail) -> Option<Any> {
    match detail {
        Detail::FrontendCap { name } => Some(any("errdefs.FrontendCap", &json!({ "name": name }))),
        Detail::Subrequest { name } => Some(any("errdefs.Subrequest", &json!({ "name": name }))),
        _ => None,
    }
}

fn any(name: &str, value: &Value) -> Any {
    Any {
        type_url: format!("github.com/moby/buildkit/{name}+json"),
        value: value.to_string().into_bytes(),
    }
}

fn from_json(name: &str, json: Json<'_>) -> Option<Detail> {
    Some(match name {
        "errdefs.Source" => Detail::Source(source(json)),
        "errdefs.Solve" => Detail::Operation(Box::new(operation(json))),
        "errdefs.Vertex" => Detail::Vertex {
            digest: json.text("digest"),
        },
        "errdefs.Frontend" => Detail::Frontend {
            name: json.text("name"),
            source: json.text("source"),
        },
        "errdefs.FrontendCap" => Detail::FrontendCap {
            name: json.text("name"),
        },
        "errdefs.Subrequest" => Detail::Subrequest {
            name: json.text("name"),
        },
        "errdefs.CompatibilityFeature" => Detail::CompatibilityFeature {
            version: json.number("version").unwrap_or_default(),
            feature: json.text("feature"),
        },
        "gatewayapi.ExitMessage" => Detail::Exit {
            code: exit_code(json.number("code").unwrap_or_default())?,
        },
        "policysession.DecisionResponse" => Detail::PolicyDenied {
            messages: json
                .list("denyMessages")
                .map(|message| message.text("message"))
                .collect(),
        },
        _ => return None,
    })
}

/// 255 stands for a process that never ran.
fn exit_code(code: i64) -> Option<i32> {
    i32::try_from(code).ok().filter(|code| *code != 255)
}

fn source(json: Json<'_>) -> SourceDetail {
    let position = |at: Option<Json<'_>>| {
        let number = |name| {
            at.and_then(|at| at.number(name))
                .and_then(|n| n.try_into().ok())
                .unwrap_or_default()
        };
        SourcePosition {
            line: number("line"),
            character: number("character"),
        }
    };
    let info = json.get("info");
    SourceDetail {
        info: SourceInfo {
            filename: info.map(|info| info.text("filename")).unwrap_or_default(),
            data: info
                .map(|info| info.bytes("data"))
                .unwrap_or_default()
                .into(),
            language: info.map(|info| info.text("language")).unwrap_or_default(),
            ..SourceInfo::default()
        },
        ranges: json
            .list("ranges")
            .map(|range| SourceRange {
                start: position(range.get("start")),
                end: position(range.get("end")),
            })
            .collect(),
    }
}

fn operation(json: Json<'_>) -> OperationDetail {
    let op = json.get("op");
    OperationDetail {
        operation: op.map(kind),
        platform: op.and_then(|op| op.get("platform")).map(platform),
        description: json.map("description"),
        file_action: json
            .get("file")
            .map(|action| action.number("index").unwrap_or_default()),
        input_ids: json.texts("inputIDs"),
        mount_ids: json.texts("mountIDs"),
    }
}

/// In protojson the kind is a key of the op; in Go's JSON it is under `Op` or `op`.
fn kind(op: Json<'_>) -> Operation {
    let op = op.get("op").unwrap_or(op);
    if let Some(exec) = op.get("exec") {
        let meta = exec.get("meta");
        return Operation::Exec {
            args: meta.map(|meta| meta.texts("args")).unwrap_or_default(),
            cwd: meta.map(|meta| meta.text("cwd")).unwrap_or_default(),
            user: meta.map(|meta| meta.text("user")).unwrap_or_default(),
        };
    }
    if let Some(source) = op.get("source") {
        return Operation::Source {
            identifier: source.text("identifier"),
        };
    }
    match () {
        () if op.get("file").is_some() => Operation::File,
        () if op.get("build").is_some() => Operation::Build,
        () => Operation::Other,
    }
}

fn platform(json: Json<'_>) -> Platform {
    Platform {
        architecture: json.text("Architecture"),
        os: json.text("OS"),
        os_version: json.text("OSVersion"),
        os_features: json.texts("OSFeatures"),
        variant: json.text("Variant"),
    }
}

/// A JSON value with case-insensitive keys, because Go and protojson differ, and with numbers that
/// may be strings, as protojson writes 64-bit ones.
#[derive(Clone, Copy)]
struct Json<'a>(&'a Value);

impl<'a> Json<'a> {
    fn get(self, name: &str) -> Option<Json<'a>> {
        let object = self.0.as_object()?;
        let found = object.get(name).or_else(|| {
            let same = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
            object.iter().find(same).map(|(_, value)| value)
        });
        found.filter(|value| !value.is_null()).map(Json)
    }

    fn text(self, name: &str) -> String {
        self.get(name)
            .and_then(|found| found.0.as_str())
            .unwrap_or_default()
            .to_owned()
    }

    fn number(self, name: &str) -> Option<i64> {
        let found = self.get(name)?.0;
        found.as_i64().or_else(|| found.as_str()?.parse().ok())
    }

    fn bytes(self, name: &str) -> Vec<u8> {
        let found = self.get(name).and_then(|found| found.0.as_str());
        let decode = |text| base64::engine::general_purpose::STANDARD.decode(text).ok();
        found.and_then(decode).unwrap_or_default()
    }

    fn list(self, name: &str) -> impl Iterator<Item = Json<'a>> + use<'a> {
        let found = self.get(name).and_then(|found| found.0.as_array());
        found.into_iter().flatten().map(Json)
    }

    fn texts(self, name: &str) -> Vec<String> {
        self.list(name)
            .filter_map(|text| Some(text.0.as_str()?.to_owned()))
            .collect()
    }

    fn map(self, name: &str) -> BTreeMap<String, String> {
        let found = self.get(name).and_then(|found| found.0.as_object());
        let entries = found.into_iter().flatten();
        entries
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}
