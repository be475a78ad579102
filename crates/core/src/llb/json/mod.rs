//! A definition as JSON, for people and tools: ops in protobuf's JSON mapping, metadata, source
//! lines.

mod convert;
mod fields;
mod file_op;
mod op;

use serde_json::{Map, Value, json};

use self::op::op_json;
use super::definition::{DefinedVertex, Definition};
use super::metadata::{LinuxResources, Metadata};
use super::{Cap, CapSet};

impl Definition {
    /// Returns `{"head", "terminal": {"digest", "op", "metadata"}, "vertices": [{"digest", "op",
    /// "metadata", "loc"}]}` in the definition's order. Ops are in the canonical JSON mapping of
    /// protobuf. `loc` has, for each location, its ranges as `[start line, start character, end
    /// line, end character]`. Progress groups are numbered `pg0`, `pg1` … by appearance.
    pub fn to_json(&self) -> Value {
        let mut groups = Vec::new();
        let vertices: Vec<Value> = self
            .vertices()
            .iter()
            .map(|vertex| vertex_json(vertex, &mut groups))
            .collect();
        let mut all = Map::new();
        all.insert("head".into(), self.head_str().unwrap_or_default().into());
        if let Some(terminal) = self.terminal() {
            let terminal = json!({
                "digest": terminal.digest.as_str(),
                "op": op_json(&terminal.op),
                "metadata": metadata_json(&Metadata::default(), terminal.caps, &mut groups),
            });
            all.insert("terminal".into(), terminal);
        }
        all.insert("vertices".into(), vertices.into());
        Value::Object(all)
    }
}

fn vertex_json(vertex: &DefinedVertex, groups: &mut Vec<String>) -> Value {
    let mut all = Map::new();
    all.insert("digest".into(), vertex.digest_str().into());
    all.insert("op".into(), op_json(vertex.op()));
    all.insert(
        "metadata".into(),
        metadata_json(vertex.metadata(), vertex.caps(), groups),
    );
    if !vertex.locations().is_empty() {
        let locations = vertex.locations().iter().map(|location| {
            let ranges = location.ranges.iter().map(|range| {
                json!([
                    range.start.line,
                    range.start.character,
                    range.end.line,
                    range.end.character
                ])
            });
            ranges.collect::<Value>()
        });
        all.insert("loc".into(), locations.collect());
    }
    Value::Object(all)
}

fn metadata_json(metadata: &Metadata, caps: CapSet, groups: &mut Vec<String>) -> Value {
    let mut all = Map::new();
    let description: Map<String, Value> = metadata
        .description()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    if !description.is_empty() {
        all.insert("description".into(), description.into());
    }
    let mut names: Vec<&str> = caps.iter().map(Cap::as_str).collect();
    names.sort_unstable();
    if !names.is_empty() {
        all.insert("caps".into(), names.into());
    }
    if metadata.ignore_cache {
        all.insert("ignore_cache".into(), true.into());
    }
    if let Some(export) = metadata.export_cache {
        all.insert("export_cache".into(), export.into());
    }
    if let Some(group) = &metadata.progress_group {
        let at = groups
            .iter()
            .position(|known| **known == *group.id)
            .unwrap_or_else(|| {
                groups.push(group.id.to_string());
                groups.len() - 1
            });
        let mut shown = json!({"id": format!("pg{at}"), "name": &*group.name});
        if group.weak {
            shown["weak"] = true.into();
        }
        all.insert("progress_group".into(), shown);
    }
    if let Some(limits) = &metadata.linux_resources {
        all.insert("linux_resources".into(), limits_json(limits));
    }
    Value::Object(all)
}

fn limits_json(limits: &LinuxResources) -> Value {
    let mut all = json!({
        "memory": limits.memory, "memorySwap": limits.memory_swap, "cpuShares": limits.cpu_shares,
        "cpuPeriod": limits.cpu_period, "cpuQuota": limits.cpu_quota,
        "cpusetCpus": limits.cpuset_cpus, "cpusetMems": limits.cpuset_mems,
    });
    if let Some(fields) = all.as_object_mut() {
        fields.retain(|_, value| *value != json!(0) && *value != json!(""));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn ops_are_in_protobuf_s_json_mapping() {
        let state = State::scratch().file(
            File::new().make_file("/a", 0o644, "hi"),
            Constraints::new().named("make"),
        );
        let json = state.marshal(&MarshalOptions::default()).unwrap().to_json();
        assert_eq!(
            json["vertices"][0]["op"].to_string(),
            r#"{"constraints":{},"file":{"actions":[{"input":"-1","mkfile":{"data":"aGk=","mode":420,"path":"/a","timestamp":"-1"},"secondaryInput":"-1"}]}}"#
        );
        assert_eq!(
            json["vertices"][0]["metadata"]["description"]["llb.customname"],
            "make"
        );
        assert_eq!(json["head"], json["vertices"][0]["digest"]);
        let empty = State::scratch()
            .marshal(&MarshalOptions::default())
            .unwrap()
            .to_json();
        assert_eq!(empty.to_string(), r#"{"head":"","vertices":[]}"#);
    }
}
