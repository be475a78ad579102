//! Encodes spans as OpenTelemetry's messages.

use std::time::{SystemTime, UNIX_EPOCH};

use super::recorder::{Ended, Value};
use super::{Settings, TraceContext};
use crate::proto::opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::proto::opentelemetry::proto::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value,
};
use crate::proto::opentelemetry::proto::resource::v1::Resource;
use crate::proto::opentelemetry::proto::trace::v1::span::SpanKind;
use crate::proto::opentelemetry::proto::trace::v1::status::StatusCode;
use crate::proto::opentelemetry::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

/// The version of this library, as the instrumentation scope.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The spans of a trace in one request.
pub(super) fn request(
    root: &TraceContext,
    settings: &Settings,
    spans: &[Ended],
) -> ExportTraceServiceRequest {
    let attributes = settings.resource.iter();
    let attributes = attributes.map(|(key, value)| text(key, value)).collect();
    let scope = InstrumentationScope {
        name: "solvekit".to_owned(),
        version: VERSION.to_owned(),
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes }),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: spans.iter().map(|span| message(root, span)).collect(),
            }],
        }],
    }
}

fn message(root: &TraceContext, span: &Ended) -> Span {
    let details = &span.details;
    let attributes = details.attributes.iter();
    let attributes = attributes.map(|(key, value)| pair(key, convert(value)));
    let parent = span.parent.to_vec();
    Span {
        trace_id: root.trace_id.to_vec(),
        span_id: span.id.to_vec(),
        trace_state: root.state.clone(),
        parent_span_id: if span.parent == [0; 8] {
            Vec::new()
        } else {
            parent
        },
        name: details.name.clone(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: nanoseconds(span.began),
        end_time_unix_nano: nanoseconds(span.ended),
        attributes: attributes.collect(),
        status: details.error.as_ref().map(|message| Status {
            message: message.clone(),
            code: StatusCode::Error.into(),
        }),
        flags: u32::from(root.flags),
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn convert(value: &Value) -> any_value::Value {
    match value {
        Value::Text(text) => any_value::Value::StringValue(text.clone()),
        Value::Bool(bool) => any_value::Value::BoolValue(*bool),
        Value::Int(number) => any_value::Value::IntValue(*number),
        Value::Float(number) => any_value::Value::DoubleValue(*number),
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, any_value::Value::StringValue(value.to_owned()))
}

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
    }
}
