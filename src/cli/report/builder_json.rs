//! Nodes of builders as JSON, with buildx's field names.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};
use solvekit::builder::{Error, Node, Report};
use solvekit::client::GcRule;
use solvekit::oci::Platform;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::builder_platforms::united;
use super::builders::message;
use crate::cli::identity::Identity;

/// Empty fields are omitted.
pub(crate) fn node(node: &Node, report: &Result<Report, Error>, identity: Identity) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        let is_empty = match &value {
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            other => other.is_null(),
        };
        if !is_empty {
            fields.insert(name.to_owned(), value);
        }
    };
    put("Name", json!(node.name));
    put("Endpoint", json!(node.endpoint));
    put("Flags", json!(node.buildkitd_flags));
    put("DriverOpts", json!(node.driver_opts));
    let files = node
        .files
        .iter()
        .map(|(path, bytes)| (path.clone(), json!(BASE64.encode(bytes))));
    put("Files", Value::Object(files.collect()));
    match report {
        Err(error) => {
            put("Status", json!("error"));
            put("Err", json!(message(error, identity)));
            put("Platforms", platforms(&node.platforms, &[]));
        }
        Ok(report) => {
            put("Status", json!(report.status.to_string()));
            put("Version", json!(report.version));
            put("IDs", json!(report.ids));
            put("Platforms", platforms(&node.platforms, &report.platforms));
            put("GCPolicy", report.gc_policy.iter().map(rule).collect());
            put("Labels", json!(report.labels));
        }
    }
    Value::Object(fields)
}

/// An unknown time becomes Go's zero time.
pub(crate) fn time(at: Option<OffsetDateTime>) -> String {
    let text = at.and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned())
}

fn platforms(given: &[Platform], reported: &[Platform]) -> Value {
    united(given, reported)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn rule(rule: &GcRule) -> Value {
    json!({
        "all": rule.all,
        // Go encodes a nil slice as `null`.
        "filter": (!rule.filters.is_empty()).then_some(&rule.filters),
        "keepDuration": u64::try_from(rule.keep_duration.as_nanos()).unwrap_or(u64::MAX),
        "reservedSpace": rule.reserved_space,
        "maxUsedSpace": rule.max_used_space,
        "minFreeSpace": rule.min_free_space,
    })
}
