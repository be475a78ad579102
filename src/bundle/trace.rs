//! Traces: the spans of a build as daemons store them (concatenated JSON objects), and in Jaeger's
//! format.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Deserializer, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Error, TraceProblem};

/// Matches command words whose values are credentials.
static SECRETS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)(ghtoken|token|access_key_id|secret_access_key|session_token)=[^ ,]+";
    Regex::new(pattern).expect("the expression is correct")
});
/// Matches GitHub tokens anywhere.
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"gh[us]_[A-Za-z0-9]{36}|github_pat_\w{82}";
    Regex::new(pattern).expect("the expression is correct")
});

/// The spans of a build.
#[derive(Debug, Clone)]
pub struct Trace {
    spans: Vec<Value>,
}

/// A span, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The name of the operation.
    pub name: String,
    /// The span's id.
    pub id: String,
    /// The id of the parent span; for the first span it is empty, or belongs to another process.
    pub parent: String,
    /// The start in microseconds since 1970.
    pub start: u64,
    /// The duration in microseconds.
    pub duration: u64,
    /// True if the operation failed.
    pub failed: bool,
}

impl Trace {
    /// Parses a trace as daemons store it.
    ///
    /// # Errors
    /// [`Error::Trace`] if it is malformed or has no spans.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |reason| Error::Trace { reason };
        let spans = Deserializer::from_slice(bytes).into_iter::<Value>();
        let spans = spans.collect::<Result<Vec<_>, _>>();
        let spans = spans.map_err(|error| wrong(error.into()))?;
        if let Some(number) = spans.iter().position(|span| !span.is_object()) {
            return Err(wrong(TraceProblem::NotASpan { number }));
        }
        match spans.is_empty() {
            true => Err(wrong(TraceProblem::Empty)),
            false => Ok(Self { spans }),
        }
    }

    /// Returns the same spans in the daemons' format, with credentials in the attributes masked.
    pub fn without_credentials(&self) -> Vec<u8> {
        let mut text = String::new();
        for span in &self.spans {
            let mut span = span.clone();
            let attributes = span["Attributes"].as_array_mut();
            for attribute in attributes.into_iter().flatten() {
                if let Some(Value::String(value)) = attribute.pointer_mut("/Value/Value") {
                    let clean = SECRETS.replace_all(value, "$1=xxxxx");
                    *value = TOKENS.replace_all(&clean, "xxxxx").into_owned();
                }
            }
            text.push_str(&format!("{span:#}\n"));
        }
        text.into_bytes()
    }

    /// Returns several traces in the import format of Jaeger's viewer, which can compare two.
    pub fn to_jaeger(traces: &[Self]) -> Value {
        json!({"data": traces.iter().map(Self::jaeger).collect::<Vec<_>>()})
    }

    /// Returns the spans, sorted by their start.
    pub fn spans(&self) -> Vec<Span> {
        let spans = self.spans.iter().map(|span| Span {
            name: text(&span["Name"]).to_owned(),
            id: text(&span["SpanContext"]["SpanID"]).to_owned(),
            parent: text(&span["Parent"]["SpanID"]).to_owned(),
            start: start(span),
            duration: micros(&span["EndTime"]).saturating_sub(start(span)),
            failed: span["Status"]["Code"] == "Error" || span["Status"]["Code"] == 1,
        });
        let mut spans: Vec<Span> = spans.collect();
        spans.sort_by_key(|span| span.start);
        spans
    }

    fn jaeger(&self) -> Value {
        let spans = self.spans.iter().enumerate();
        let processes = spans.clone().map(|(index, span)| {
            let tags = tags(&span["Resource"]);
            let name = tags.iter().find(|tag| tag["key"] == "service.name");
            let name = name.map_or("", |tag| text(&tag["value"])).to_owned();
            let tags = tags.into_iter().filter(|tag| tag["key"] != "service.name");
            let process = json!({"serviceName": name, "tags": tags.collect::<Vec<_>>()});
            (format!("p{index}"), process)
        });
        let processes: serde_json::Map<_, _> = processes.collect();
        json!({
            "traceID": self.spans.first().map_or("", |span| text(&span["SpanContext"]["TraceID"])),
            "spans": spans.map(|(index, span)| jaeger_span(index, span)).collect::<Vec<_>>(),
            "processes": processes,
            "warnings": null,
        })
    }
}

fn jaeger_span(index: usize, span: &Value) -> Value {
    json!({
        "traceID": span["SpanContext"]["TraceID"],
        "spanID": span["SpanContext"]["SpanID"],
        "operationName": span["Name"],
        "references": references(span),
        "startTime": start(span),
        "duration": micros(&span["EndTime"]).saturating_sub(start(span)),
        "tags": span_tags(span),
        "logs": logs(span),
        "processID": format!("p{index}"),
        "warnings": null,
    })
}

/// The attributes of a span, and what Jaeger has as tags besides.
fn span_tags(span: &Value) -> Vec<Value> {
    const KINDS: [&str; 6] = [
        "unspecified",
        "internal",
        "server",
        "client",
        "producer",
        "consumer",
    ];
    let mut tags = tags(&span["Attributes"]);
    let mut tag = |key: &str, value: &Value| {
        if !text(value).is_empty() {
            tags.push(json!({"key": key, "type": "string", "value": value}));
        }
    };
    let library = &span["InstrumentationLibrary"];
    tag("otel.library.name", &library["Name"]);
    tag("otel.library.version", &library["Version"]);
    let kind = span["SpanKind"].as_u64();
    let kind = kind.and_then(|kind| usize::try_from(kind).ok());
    // Internal spans have no kind.
    let kind = kind.filter(|kind| *kind > 1);
    if let Some(kind) = kind.and_then(|kind| KINDS.get(kind)) {
        tag("span.kind", &Value::from(*kind));
    }
    let status = &span["Status"];
    let code = text(&status["Code"]);
    if matches!(code, "Ok" | "Error") {
        tag("otel.status_code", &Value::from(code.to_uppercase()));
        tag("otel.status_description", &status["Description"]);
    }
    if code == "Error" {
        tags.push(json!({"key": "error", "type": "bool", "value": true}));
    }
    tags
}

fn logs(span: &Value) -> Vec<Value> {
    let events = span["Events"].as_array().into_iter().flatten();
    let logs = events.map(|event| {
        let mut fields = tags(&event["Attributes"]);
        fields.insert(
            0,
            json!({"key": "event", "type": "string", "value": event["Name"]}),
        );
        json!({"timestamp": micros(&event["Time"]), "fields": fields})
    });
    logs.collect()
}

/// The links of a span, then its parent.
fn references(span: &Value) -> Vec<Value> {
    let reference = |kind: &str, context: &Value| {
        let (trace, span) = (&context["TraceID"], &context["SpanID"]);
        json!({"refType": kind, "traceID": trace, "spanID": span})
    };
    let links = span["Links"].as_array().into_iter().flatten();
    let links = links.map(|link| reference("FOLLOWS_FROM", &link["SpanContext"]));
    let parent = reference("CHILD_OF", &span["Parent"]);
    links.chain([parent]).collect()
}

/// Converts attributes to tags; lists become JSON text.
fn tags(attributes: &Value) -> Vec<Value> {
    let attributes = attributes.as_array().into_iter().flatten();
    let tags = attributes.map(|attribute| {
        let value = &attribute["Value"]["Value"];
        let (kind, value) = match text(&attribute["Value"]["Type"]) {
            "BOOL" => ("bool", value.clone()),
            "INT64" => ("int64", value.clone()),
            "FLOAT64" => ("float64", value.clone()),
            _ if value.is_string() => ("string", value.clone()),
            _ => ("string", value.to_string().into()),
        };
        json!({"key": attribute["Key"], "type": kind, "value": value})
    });
    tags.collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn start(span: &Value) -> u64 {
    micros(&span["StartTime"])
}

/// Converts a time to microseconds since 1970; 0 if there is none.
fn micros(time: &Value) -> u64 {
    let time = OffsetDateTime::parse(text(time), &Rfc3339);
    let nanos = time.map_or(0, OffsetDateTime::unix_timestamp_nanos);
    u64::try_from(nanos / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: &str = r#"{"Name":"run","SpanContext":{"TraceID":"aa","SpanID":"b1"},"Parent":{"TraceID":"aa","SpanID":"b0"},
        "SpanKind":3,"StartTime":"2024-01-12T14:57:40.147265775Z","EndTime":"2024-01-12T14:57:40.164529263Z",
        "Attributes":[{"Key":"command","Value":{"Type":"STRING","Value":"build --cache-to token=abc,x=1"}},
                      {"Key":"list","Value":{"Type":"INT64SLICE","Value":[1,2]}}],
        "Events":[{"Name":"sent","Attributes":null,"Time":"2024-01-12T14:57:40.147281524Z"}],"Links":null,
        "Status":{"Code":"Error","Description":"no"},
        "Resource":[{"Key":"service.name","Value":{"Type":"STRING","Value":"buildx"}}],
        "InstrumentationLibrary":{"Name":"lib","Version":"1"}}"#;

    #[test]
    fn spans_become_jaeger_s() {
        let trace = Trace::parse(SPAN.as_bytes()).unwrap();
        let jaeger = Trace::to_jaeger(&[trace]);
        let span = &jaeger["data"][0]["spans"][0];
        assert_eq!(span["startTime"], 1_705_071_460_147_265_u64);
        assert_eq!(span["duration"], 17_264);
        assert_eq!(span["references"][0]["spanID"], "b0");
        assert_eq!(span["tags"][1]["value"], "[1,2]");
        assert_eq!(span["logs"][0]["fields"][0]["value"], "sent");
        assert_eq!(
            jaeger["data"][0]["processes"]["p0"]["serviceName"],
            "buildx"
        );
        let tags = span["tags"].to_string();
        for part in [
            "span.kind",
            "client",
            "\"error\"",
            "otel.status_description",
        ] {
            assert!(tags.contains(part), "{tags}");
        }
    }

    #[test]
    fn credentials_are_made_unreadable() {
        let trace = Trace::parse(SPAN.as_bytes()).unwrap();
        let clean = String::from_utf8(trace.without_credentials()).unwrap();
        assert!(clean.contains("token=xxxxx,x=1"), "{clean}");
        assert!(!clean.contains("abc"), "{clean}");
        assert_eq!(
            Trace::parse(clean.as_bytes()).unwrap().spans(),
            trace.spans()
        );
    }

    #[test]
    fn what_is_no_trace_is_reported() {
        for text in ["", "[]", "1 2", "{\"Name\":", "garbage"] {
            assert!(Trace::parse(text.as_bytes()).is_err(), "{text}");
        }
        // Empty spans are still spans.
        assert_eq!(Trace::parse(b"{} {}").unwrap().spans().len(), 2);
    }
}
