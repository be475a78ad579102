//! A record as JSON, with Go's field names and without the credentials of caches.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

use crate::proto::google::rpc;
use crate::proto::moby::buildkit::v1 as control;
use crate::text::redact;

/// The attribute with the build's caches, which may contain credentials.
const CACHE_IMPORTS: &str = "cache-imports";
/// The cache attributes that are exported.
const EXPORTED_ATTRIBUTES: [&str; 2] = ["ref", "scope"];

/// Returns the record's JSON; `trace` replaces its own trace.
pub(super) fn json(record: &control::BuildHistoryRecord, trace: Option<Value>) -> Value {
    let attributes = record.frontend_attrs.iter().map(|(name, value)| {
        let value = match name.as_str() {
            CACHE_IMPORTS => without_credentials(value),
            _ => redact(value).into_owned(),
        };
        (name.clone(), Value::from(value))
    });
    let exporters = record.exporters.iter().map(|exporter| {
        object([
            ("Type", exporter.r#type.as_str().into()),
            ("Attrs", texts(&exporter.attrs)),
        ])
    });
    let results = record.results.iter();
    let results =
        results.filter_map(|entry| Some((entry.key.clone(), result(entry.value.as_ref()?))));
    object([
        ("Ref", record.r#ref.as_str().into()),
        ("Frontend", record.frontend.as_str().into()),
        ("FrontendAttrs", Value::Object(attributes.collect())),
        ("Exporters", exporters.collect::<Vec<_>>().into()),
        ("error", record.error.as_ref().map_or(Value::Null, status)),
        (
            "CreatedAt",
            record.created_at.as_ref().map_or(Value::Null, time),
        ),
        (
            "CompletedAt",
            record.completed_at.as_ref().map_or(Value::Null, time),
        ),
        ("logs", record.logs.as_ref().map_or(Value::Null, descriptor)),
        ("ExporterResponse", texts(&record.exporter_response)),
        ("Result", record.result.as_ref().map_or(Value::Null, result)),
        ("Results", Value::Object(results.collect())),
        ("Generation", record.generation.into()),
        ("trace", trace.unwrap_or_default()),
        ("pinned", record.pinned.into()),
        ("numCachedSteps", record.num_cached_steps.into()),
        ("numTotalSteps", record.num_total_steps.into()),
        ("numCompletedSteps", record.num_completed_steps.into()),
        (
            "externalError",
            record
                .external_error
                .as_ref()
                .map_or(Value::Null, descriptor),
        ),
        ("numWarnings", record.num_warnings.into()),
    ])
}

/// Builds an object without the fields that Go omits: empty, zero or false ones.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    };
    let fields = fields.into_iter().filter(|(_, value)| !is_empty(value));
    let fields: Map<_, _> = fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Value::Object(fields)
}

fn texts(map: &BTreeMap<String, String>) -> Value {
    let shown = map.iter().map(|(key, value)| (key, redact(value)));
    json!(shown.collect::<BTreeMap<_, _>>())
}

fn time(at: &prost_types::Timestamp) -> Value {
    object([("seconds", at.seconds.into()), ("nanos", at.nanos.into())])
}

pub(super) fn descriptor(found: &control::Descriptor) -> Value {
    object([
        ("media_type", found.media_type.as_str().into()),
        ("digest", found.digest.as_str().into()),
        ("size", found.size.into()),
        ("annotations", texts(&found.annotations)),
    ])
}

fn result(info: &control::BuildResultInfo) -> Value {
    let results = info.results.iter();
    let results = results
        .filter_map(|entry| Some((entry.key.to_string(), descriptor(entry.value.as_ref()?))));
    let attestations = info.attestations.iter().map(descriptor);
    object([
        (
            "ResultDeprecated",
            info.result_deprecated
                .as_ref()
                .map_or(Value::Null, descriptor),
        ),
        ("Attestations", attestations.collect::<Vec<_>>().into()),
        ("Results", Value::Object(results.collect())),
    ])
}

fn status(found: &rpc::Status) -> Value {
    let details = found.details.iter().map(|any| {
        object([
            ("type_url", any.type_url.as_str().into()),
            ("value", BASE64.encode(&any.value).into()),
        ])
    });
    object([
        ("code", found.code.into()),
        ("message", redact(&found.message).into()),
        ("details", details.collect::<Vec<_>>().into()),
    ])
}

/// Reduces caches to their names; malformed ones are omitted.
fn without_credentials(text: &str) -> String {
    let Ok(Value::Array(mut caches)) = serde_json::from_str(text) else {
        return String::new();
    };
    for cache in &mut caches {
        if let Some(Value::Object(attributes)) = cache.get_mut("Attrs") {
            attributes.retain(|name, _| EXPORTED_ATTRIBUTES.contains(&name.as_str()));
        }
    }
    Value::Array(caches).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_caches_are_left_out() {
        let text = r#"[{"Type":"gha","Attrs":{"scope":"a","token":"secret"}}]"#;
        let exported = without_credentials(text);
        assert!(
            exported.contains("scope") && !exported.contains("secret"),
            "{exported}"
        );
        assert_eq!(without_credentials("token=secret"), "");
    }

    #[test]
    fn what_is_empty_is_omitted() {
        let mut record = control::BuildHistoryRecord {
            r#ref: "abc".to_owned(),
            num_total_steps: 3,
            ..Default::default()
        };
        record.created_at = Some(prost_types::Timestamp {
            seconds: 5,
            nanos: 0,
        });
        let expected = json!({"Ref": "abc", "CreatedAt": {"seconds": 5}, "numTotalSteps": 3});
        assert_eq!(json(&record, None), expected);
    }
}
