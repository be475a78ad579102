//! The typed details of a failure, out of `google.protobuf.Any` values.
//!
//! BuildKit writes most of them as JSON and says so in the type's name (`…/errdefs.Source+json`); the JSON is that of Go's
//! `encoding/json` over the message, except for `Solve`, which is protojson. Both are read leniently: an error that cannot
//! be read fully is still an error to show.

use std::collections::BTreeMap;

use base64::Engine;
use prost::Message;
use prost_types::Any;
use serde_json::{Value, json};

use crate::{
    oci::Platform,
    progress::{SourceInfo, SourcePosition, SourceRange},
    proto::errdefs,
};

/// One thing that is known about a failure.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Detail {
    /// The lines that the failed step comes from.
    Source(SourceDetail),
    /// The operation that failed.
    Operation(Box<OperationDetail>),
    /// The step that failed, by the digest that progress knows.
    Vertex {
        /// The digest.
        digest: String,
    },
    /// The exit code of the process that failed.
    Exit {
        /// The code.
        code: i32,
    },
    /// A frontend that failed or cannot be used.
    Frontend {
        /// Its name, for example `gateway.v0`.
        name: String,
        /// Its image.
        source: String,
    },
    /// A capability that the frontend lacks.
    FrontendCap {
        /// The capability.
        name: String,
    },
    /// A subrequest that the frontend does not know.
    Subrequest {
        /// The request.
        name: String,
    },
    /// A feature that the asked compatibility version rules out.
    CompatibilityFeature {
        /// The version.
        version: i64,
        /// The feature.
        feature: String,
    },
    /// Why a policy denied a source.
    PolicyDenied {
        /// Its messages.
        messages: Vec<String>,
    },
    /// Something else.
    Other {
        /// The type's name.
        type_url: String,
    },
}

/// Lines of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceDetail {
    /// The file, with its text.
    pub info: SourceInfo,
    /// The lines.
    pub ranges: Vec<SourceRange>,
}

/// An operation that failed.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct OperationDetail {
    /// What kind it is, and what it was about.
    pub operation: Option<Operation>,
    /// The platform it ran for.
    pub platform: Option<Platform>,
    /// What the frontend said about it, for example `llb.customname`.
    pub description: BTreeMap<String, String>,
    /// Which action of a file operation failed, from 0.
    pub file_action: Option<i64>,
    /// Results in the daemon that were the inputs.
    pub input_ids: Vec<String>,
    /// Results in the daemon that were mounted.
    pub mount_ids: Vec<String>,
}

/// The kinds of operations.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// A process.
    Exec {
        /// Its arguments.
        args: Vec<String>,
        /// Its working directory.
        cwd: String,
        /// Its user; empty is root.
        user: String,
    },
    /// Something fetched.
    Source {
        /// What, for example `docker-image://docker.io/library/alpine:latest`.
        identifier: String,
    },
    /// File changes.
    File,
    /// A nested build.
    Build,
    /// Another kind.
    Other,
}

/// Reads one detail; `None` for stack traces.
pub(super) fn decode(any: &Any) -> Option<Detail> {
    let (path, json) = match any.type_url.strip_suffix("+json") {
        Some(path) => (path, true),
        None => (any.type_url.as_str(), false),
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "stack.Stack" {
        return None;
    }
    let decoded = match json {
        true => serde_json::from_slice(&any.value)
            .ok()
            .and_then(|value| from_json(name, Json(&value))),
        false => from_protobuf(name, &any.value),
    };
    Some(decoded.unwrap_or_else(|| Detail::Other {
        type_url: any.type_url.clone(),
    }))
}

/// A source detail as the reference writes it.
pub(super) fn source_to_any(source: &SourceDetail) -> Any {
    let position = |at: &SourcePosition| json!({ "line": at.line, "character": at.character });
    let ranges: Vec<_> = source
        .ranges
        .iter()
        .map(|range| json!({ "start": position(&range.start), "end": position(&range.end) }))
        .collect();
    let value = json!({
        "info": {
            "filename": source.info.filename,
            "data": base64::engine::general_purpose::STANDARD.encode(&source.info.data),
            "language": source.info.language,
        },
        "ranges": ranges,
    });
    Any {
        type_url: "github.com/moby/buildkit/errdefs.Source+json".to_owned(),
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

fn from_protobuf(name: &str, value: &[u8]) -> Option<Detail> {
    Some(match name {
        "errdefs.Source" => {
            let source = errdefs::Source::decode(value).ok()?;
            Detail::Source(SourceDetail {
                info: source.info.map(SourceInfo::from).unwrap_or_default(),
                ranges: source.ranges.into_iter().map(SourceRange::from).collect(),
            })
        }
        "errdefs.Vertex" => Detail::Vertex {
            digest: errdefs::Vertex::decode(value).ok()?.digest,
        },
        "errdefs.Frontend" => {
            let frontend = errdefs::Frontend::decode(value).ok()?;
            Detail::Frontend {
                name: frontend.name,
                source: frontend.source,
            }
        }
        "errdefs.FrontendCap" => Detail::FrontendCap {
            name: errdefs::FrontendCap::decode(value).ok()?.name,
        },
        "errdefs.Subrequest" => Detail::Subrequest {
            name: errdefs::Subrequest::decode(value).ok()?.name,
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

/// A JSON value whose keys are found in any case (Go's names and protojson's differ in it) and whose numbers may be texts
/// (protojson's 64-bit ones are).
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

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(name: &str, json: &str) -> Option<Detail> {
        decode(&Any {
            type_url: format!("github.com/moby/buildkit/{name}+json"),
            value: json.into(),
        })
    }

    #[test]
    fn the_lines_of_a_failure_are_read() {
        let json = r#"{"info":{"filename":"Dockerfile","data":"RlJPTSB4Cg==","language":"Dockerfile",
            "definition":{"def":["CgA="]}},"ranges":[{"start":{"line":3},"end":{"line":4,"character":2}}]}"#;
        let Some(Detail::Source(source)) = detail("errdefs.Source", json) else {
            panic!()
        };
        assert_eq!(source.info.filename, "Dockerfile");
        assert_eq!(&source.info.data[..], b"FROM x\n");
        assert_eq!(source.ranges[0].start.line, 3);
        assert_eq!(
            source.ranges[0].end,
            SourcePosition {
                line: 4,
                character: 2
            }
        );
    }

    #[test]
    fn the_operation_is_read_from_protojson_and_from_go_json() {
        let protojson = r#"{"inputIDs":["i"],"mountIDs":["m"],"op":{"inputs":[{"digest":"sha256:a","index":"0"}],
            "exec":{"meta":{"args":["/bin/sh","-c","false"],"cwd":"/src"}},"platform":{"Architecture":"arm64","OS":"linux"}},
            "description":{"llb.customname":"RUN false"}}"#;
        let go = r#"{"inputIDs":["i"],"mountIDs":["m"],"op":{"Op":{"Exec":{"meta":{"args":["/bin/sh","-c","false"],"cwd":"/src"}}},
            "platform":{"Architecture":"arm64","OS":"linux"}},"description":{"llb.customname":"RUN false"}}"#;
        assert_eq!(
            detail("errdefs.Solve", protojson),
            detail("errdefs.Solve", go)
        );
        let Some(Detail::Operation(operation)) = detail("errdefs.Solve", protojson) else {
            panic!()
        };
        assert_eq!(
            operation.platform.as_ref().unwrap().to_string(),
            "linux/arm64"
        );
        assert_eq!(operation.description["llb.customname"], "RUN false");
        let args = ["/bin/sh", "-c", "false"].map(str::to_owned).to_vec();
        assert_eq!(
            operation.operation,
            Some(Operation::Exec {
                args,
                cwd: "/src".into(),
                user: String::new()
            })
        );
    }

    #[test]
    fn exit_codes_come_as_a_detail_except_that_of_a_process_that_never_ran() {
        assert_eq!(
            detail("gatewayapi.ExitMessage", r#"{"Code":3}"#),
            Some(Detail::Exit { code: 3 })
        );
        assert!(matches!(
            detail("gatewayapi.ExitMessage", r#"{"Code":255}"#),
            Some(Detail::Other { .. })
        ));
    }

    #[test]
    fn stack_traces_are_left_out_and_what_is_unknown_is_named() {
        assert_eq!(detail("stack.Stack", r#"{"frames":[]}"#), None);
        assert!(matches!(
            detail("errdefs.New", "{}"),
            Some(Detail::Other { .. })
        ));
        assert!(matches!(
            detail("errdefs.Source", "{nonsense"),
            Some(Detail::Other { .. })
        ));
    }

    #[test]
    fn protobuf_details_are_read_too() {
        let value = errdefs::Vertex {
            digest: "sha256:a".into(),
        }
        .encode_to_vec();
        let any = Any {
            type_url: "type.googleapis.com/errdefs.Vertex".into(),
            value,
        };
        assert_eq!(
            decode(&any),
            Some(Detail::Vertex {
                digest: "sha256:a".into()
            })
        );
    }

    #[test]
    fn a_source_survives_the_way_to_the_daemon() {
        let source = SourceDetail {
            info: SourceInfo {
                filename: "Dockerfile".into(),
                data: (&b"FROM x"[..]).into(),
                language: "Dockerfile".into(),
            },
            ranges: vec![SourceRange::lines(1, 2)],
        };
        assert_eq!(
            decode(&source_to_any(&source)),
            Some(Detail::Source(source))
        );
    }
}
