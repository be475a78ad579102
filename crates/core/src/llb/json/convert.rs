//! The answer to BuildKit's request `frontend.convertllb` for a definition.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::super::definition::Definition;
use super::fields::Fields;
use super::op::op_json;
use crate::oci::Digest;
use crate::proto::pb;

impl Definition {
    /// Returns `{"def": {digest: op}, "metadata": {digest: metadata}, "source": …}`: ops and source
    /// map in the JSON mapping of protobuf, the metadata as Go's `encoding/json` writes it.
    pub fn to_converted_json(&self) -> Value {
        let message = self.to_proto();
        let ops = message.def.iter();
        let ops: Map<String, Value> = ops
            .map(|op| (Digest::sha256(op).to_string(), op_json(op)))
            .collect();
        let metadata: Map<String, Value> = message
            .metadata
            .into_iter()
            .map(|entry| (entry.key, metadata_json(entry.value.unwrap_or_default())))
            .collect();
        let source = source_json(message.source.unwrap_or_default());
        json!({ "def": ops, "metadata": metadata, "source": source })
    }
}

fn metadata_json(metadata: pb::OpMetadata) -> Value {
    let mut fields = Fields::default();
    fields.flag("ignore_cache", metadata.ignore_cache);
    if !metadata.description.is_empty() {
        fields.set("description", json!(metadata.description));
    }
    fields.option(
        "export_cache",
        metadata.export_cache.map(|export| {
            let mut value = Fields::default();
            value.flag("Value", export.value).done()
        }),
    );
    if !metadata.caps.is_empty() {
        fields.set("caps", json!(metadata.caps));
    }
    fields.option(
        "progress_group",
        metadata.progress_group.map(|group| {
            let mut shown = Fields::default();
            shown.text("id", &group.id).text("name", &group.name);
            shown.flag("weak", group.weak).done()
        }),
    );
    fields.option(
        "linux_resources",
        metadata.linux_resources.map(|limits| {
            let unsigned = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let mut shown = Fields::default();
            shown
                .int("memory", limits.memory)
                .int("memorySwap", limits.memory_swap)
                .int("cpuShares", unsigned(limits.cpu_shares))
                .int("cpuPeriod", unsigned(limits.cpu_period))
                .int("cpuQuota", limits.cpu_quota)
                .text("cpusetCpus", &limits.cpuset_cpus)
                .text("cpusetMems", &limits.cpuset_mems);
            shown.done()
        }),
    );
    fields.done()
}

fn source_json(source: pb::Source) -> Value {
    let mut fields = Fields::default();
    let locations: Map<String, Value> = source
        .locations
        .into_iter()
        .map(|entry| {
            let mut shown = Fields::default();
            let locations = entry.value.unwrap_or_default().locations;
            shown.list("locations", locations, location_json);
            (entry.key, shown.done())
        })
        .collect();
    if !locations.is_empty() {
        fields.set("locations", locations.into());
    }
    fields.list("infos", source.infos, info_json);
    fields.done()
}

fn location_json(location: pb::Location) -> Value {
    let mut fields = Fields::default();
    fields.int("sourceIndex", location.source_index);
    fields.list("ranges", location.ranges, |range| {
        let position = |at: pb::Position| {
            let mut shown = Fields::default();
            shown.int("line", at.line).int("character", at.character);
            shown.done()
        };
        let mut shown = Fields::default();
        shown.option("start", range.start.map(position));
        shown.option("end", range.end.map(position));
        shown.done()
    });
    fields.done()
}

fn info_json(info: pb::SourceInfo) -> Value {
    let mut fields = Fields::default();
    fields
        .text("filename", &info.filename)
        .text("data", &BASE64.encode(&info.data))
        .text("language", &info.language);
    fields.option("definition", info.definition.map(definition_json));
    fields.done()
}

fn definition_json(definition: pb::Definition) -> Value {
    let mut fields = Fields::default();
    fields.list("def", definition.def, |op| BASE64.encode(op).into());
    let metadata: Map<String, Value> = definition
        .metadata
        .into_iter()
        .map(|entry| {
            (
                entry.key,
                protojson(metadata_json(entry.value.unwrap_or_default())),
            )
        })
        .collect();
    if !metadata.is_empty() {
        fields.set("metadata", metadata.into());
    }
    fields.option("Source", definition.source.map(source_json));
    fields.done()
}

/// Renames the fields of the metadata to those of protobuf's JSON mapping.
fn protojson(metadata: Value) -> Value {
    const NAMES: [(&str, &str); 4] = [
        ("ignore_cache", "ignoreCache"),
        ("export_cache", "exportCache"),
        ("progress_group", "progressGroup"),
        ("linux_resources", "linuxResources"),
    ];
    let Value::Object(fields) = metadata else {
        return metadata;
    };
    let renamed = fields.into_iter().map(|(name, value)| {
        let found = NAMES.iter().find(|(go, _)| *go == name);
        (
            found.map_or(name.clone(), |(_, new)| (*new).to_owned()),
            value,
        )
    });
    Value::Object(renamed.collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::*;

    #[test]
    fn ops_metadata_and_source_are_by_digest() {
        let file = std::sync::Arc::new(SourceFile {
            filename: "Dockerfile".into(),
            ..SourceFile::default()
        });
        let range = Range {
            start: Position {
                line: 2,
                character: 0,
            },
            end: Position {
                line: 2,
                character: 0,
            },
        };
        let at = Location {
            file,
            ranges: [range].into(),
        };
        let state = image(
            "docker.io/library/a:1",
            ResolveMode::Default,
            Constraints::new().named("n").at(at),
        );
        let definition = state.marshal(&MarshalOptions::default()).unwrap();
        let json = definition.to_converted_json();
        let head = definition.head_str().unwrap();
        assert_eq!(json["def"].as_object().unwrap().len(), 2);
        assert_eq!(
            json["def"][head]["source"]["identifier"],
            "docker-image://docker.io/library/a:1"
        );
        assert_eq!(json["metadata"][head]["description"]["llb.customname"], "n");
        assert_eq!(json["metadata"][head]["caps"]["source.image"], true);
        assert_eq!(
            json["source"]["locations"][head].to_string(),
            r#"{"locations":[{"ranges":[{"end":{"line":2},"start":{"line":2}}]}]}"#
        );
        assert_eq!(json["source"]["infos"][0]["filename"], "Dockerfile");
    }
}
