//! The typed details of a failure, out of `google.protobuf.Any` values.
//!
//! BuildKit writes most of them as JSON and says so in the type's name (`…/errdefs.Source+json`); the JSON is that of Go's
//! `encoding/json` over the message, except for `Solve`, which is protojson. Both are read leniently: an error that cannot
//! be read fully is still an error to show.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::Any;

use super::details_json;
use crate::{
    oci::Platform,
    progress::{SourceInfo, SourceRange},
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
