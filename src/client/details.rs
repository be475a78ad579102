//! The typed details of a failure, decoded from `google.protobuf.Any` values.
//!
//! BuildKit writes most of them as JSON, marked in the type's name (`…/errdefs.Source+json`): Go's
//! `encoding/json` of the message, but protojson for `Solve`. Decoding is lenient, because a partly
//! decoded error is still worth showing.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::Any;

use super::details_json;
use crate::{
    oci::Platform,
    progress::{SourceInfo, SourceRange},
    proto::errdefs,
};

/// One detail of a failure.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Detail {
    /// The source lines of the failed step.
    Source(SourceDetail),
    /// The failed operation.
    Operation(Box<OperationDetail>),
    /// The failed step, by the digest that progress uses.
    Vertex {
        /// The digest.
        digest: String,
    },
    /// The exit code of the failed process.
    Exit {
        /// The code.
        code: i32,
    },
    /// A frontend that failed or is not usable.
    Frontend {
        /// The frontend's name, for example `gateway.v0`.
        name: String,
        /// The frontend's image.
        source: String,
    },
    /// A capability that the frontend does not support.
    FrontendCap {
        /// The capability.
        name: String,
    },
    /// A subrequest that the frontend does not support.
    Subrequest {
        /// The name of the request.
        name: String,
    },
    /// A feature that the requested compatibility version excludes.
    CompatibilityFeature {
        /// The version.
        version: i64,
        /// The feature.
        feature: String,
    },
    /// The policy that denied a source.
    PolicyDenied {
        /// The policy's messages.
        messages: Vec<String>,
    },
    /// Any other detail.
    Other {
        /// The type's name.
        type_url: String,
    },
}

/// Lines of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceDetail {
    /// The file and its text.
    pub info: SourceInfo,
    /// The lines.
    pub ranges: Vec<SourceRange>,
}

/// A failed operation.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct OperationDetail {
    /// The kind of operation and its subject.
    pub operation: Option<Operation>,
    /// The platform that it ran for.
    pub platform: Option<Platform>,
    /// The frontend's description, for example `llb.customname`.
    pub description: BTreeMap<String, String>,
    /// The index of the failed action of a file operation, from 0.
    pub file_action: Option<i64>,
    /// The ids of the input results in the daemon.
    pub input_ids: Vec<String>,
    /// The ids of the mounted results in the daemon.
    pub mount_ids: Vec<String>,
}

/// The kinds of operations.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// A process (`RUN`).
    Exec {
        /// The arguments.
        args: Vec<String>,
        /// The working directory.
        cwd: String,
        /// The user; empty is root.
        user: String,
    },
    /// A fetched source.
    Source {
        /// The identifier, for example `docker-image://docker.io/library/alpine:latest`.
        identifier: String,
    },
    /// File changes.
    File,
    /// A nested build.
    Build,
    /// Another kind.
    Other,
}

/// Decodes a detail; `None` for stack traces.
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
        true => details_json::read(name, &any.value),
        false => from_protobuf(name, &any.value),
    };
    Some(decoded.unwrap_or_else(|| Detail::Other {
        type_url: any.type_url.clone(),
    }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::SourcePosition;

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
                ..SourceInfo::default()
            },
            ranges: vec![SourceRange::lines(1, 2)],
        };
        assert_eq!(
            decode(&details_json::source_to_any(&source)),
            Some(Detail::Source(source))
        );
    }
}
