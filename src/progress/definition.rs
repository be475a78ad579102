//! The JSON form of the graph that a source file was read through, as Go writes it.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use serde::{Serialize, Serializer};

use super::event::{ProgressGroup, SourceInfo, SourceRange};
use super::json;
use crate::proto::pb;

/// Serializes an encoded `pb.Definition` as JSON; `null` if it is malformed.
pub(super) fn serialize<S: Serializer>(encoded: &Bytes, out: S) -> Result<S::Ok, S::Error> {
    let decoded = pb::Definition::decode(encoded.clone()).ok();
    decoded.map(Definition::from).serialize(out)
}

#[derive(Serialize)]
struct Definition {
    #[serde(with = "json::base64_list", skip_serializing_if = "Vec::is_empty")]
    def: Vec<Bytes>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, Metadata>,
    #[serde(rename = "Source", skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ignore_cache: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    description: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_cache: Option<ExportCache>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    caps: BTreeMap<String, bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress_group: Option<ProgressGroup>,
}

#[derive(Serialize)]
struct ExportCache {
    #[serde(rename = "Value", skip_serializing_if = "std::ops::Not::not")]
    value: bool,
}

#[derive(Serialize)]
struct Source {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    locations: BTreeMap<String, Locations>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infos: Vec<SourceInfo>,
}

#[derive(Serialize)]
struct Locations {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Serialize)]
struct Location {
    #[serde(rename = "sourceIndex", skip_serializing_if = "json::is_zero_i32")]
    source_index: i32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<SourceRange>,
}

impl From<pb::Definition> for Definition {
    fn from(definition: pb::Definition) -> Self {
        let metadata = definition.metadata.into_iter();
        Self {
            def: definition.def,
            metadata: metadata
                .map(|entry| (entry.key, entry.value.unwrap_or_default().into()))
                .collect(),
            source: definition.source.map(Source::from),
        }
    }
}

impl From<pb::OpMetadata> for Metadata {
    fn from(metadata: pb::OpMetadata) -> Self {
        Self {
            ignore_cache: metadata.ignore_cache,
            description: metadata.description,
            export_cache: metadata
                .export_cache
                .map(|cache| ExportCache { value: cache.value }),
            caps: metadata.caps,
            progress_group: metadata.progress_group.map(ProgressGroup::from),
        }
    }
}

impl From<pb::Source> for Source {
    fn from(source: pb::Source) -> Self {
        let locations = source.locations.into_iter();
        Self {
            locations: locations
                .map(|entry| (entry.key, entry.value.unwrap_or_default().into()))
                .collect(),
            infos: source.infos.into_iter().map(SourceInfo::from).collect(),
        }
    }
}

impl From<pb::Locations> for Locations {
    fn from(locations: pb::Locations) -> Self {
        let location = |location: pb::Location| Location {
            source_index: location.source_index,
            ranges: location.ranges.into_iter().map(SourceRange::from).collect(),
        };
        Self {
            locations: locations.locations.into_iter().map(location).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_written_as_go_writes_it() {
        let metadata = pb::OpMetadata {
            description: [("llb.customname".to_string(), "a".to_string())].into(),
            caps: [("source.local".to_string(), true)].into(),
            export_cache: Some(pb::ExportCache { value: false }),
            ..Default::default()
        };
        let location = pb::Location {
            source_index: 0,
            ranges: vec![pb::Range {
                start: Some(pb::Position {
                    line: 1,
                    character: 0,
                }),
                end: None,
            }],
        };
        let definition = pb::Definition {
            def: vec![Bytes::from_static(b"\x01")],
            metadata: vec![("sha256:a".to_string(), metadata).into()],
            source: Some(pb::Source {
                locations: vec![
                    (
                        "sha256:a".to_string(),
                        pb::Locations {
                            locations: vec![location],
                        },
                    )
                        .into(),
                ],
                infos: Vec::new(),
            }),
        };
        let file = SourceInfo {
            definition: definition.encode_to_vec().into(),
            ..Default::default()
        };
        let expected = r#"{"definition":{"def":["AQ=="],"metadata":{"sha256:a":{"description":{"llb.customname":"a"},"export_cache":{},"caps":{"source.local":true}}},"Source":{"locations":{"sha256:a":{"locations":[{"ranges":[{"start":{"line":1},"end":{}}]}]}}}}}"#;
        assert_eq!(serde_json::to_string(&file).unwrap(), expected);
    }

    #[test]
    fn what_is_no_definition_is_null() {
        let file = SourceInfo {
            definition: Bytes::from_static(b"\xff"),
            ..Default::default()
        };
        assert_eq!(
            serde_json::to_string(&file).unwrap(),
            r#"{"definition":null}"#
        );
    }
}
