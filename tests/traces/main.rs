//! The spans that the command sends to an OpenTelemetry collector, and its behaviour if the
//! collector is broken. No engine is needed.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, unreachable_pub)]
#[path = "../support/certificates.rs"]
mod certificates;
mod collector;
#[allow(dead_code, unreachable_pub)]
#[path = "../support/command.rs"]
mod command;
#[path = "../support/proto.rs"]
mod proto;
mod tls;

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use collector::{Collector, Received};
use command::{Finished, solvekit};
use proto::opentelemetry::proto::common::v1::any_value::Value;
use proto::opentelemetry::proto::trace::v1::Span;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A command that fails after it has tried to connect.
fn traced(endpoint: &str) -> Command {
    let mut command = solvekit(["workers", "--addr", "unix:///nonexistent/b.sock"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    command
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The spans by name.
fn spans(received: &Received) -> Vec<Span> {
    let resources = received.request.resource_spans.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}

fn service(received: &Received) -> String {
    let resource = received.request.resource_spans[0].resource.as_ref();
    let attributes = &resource.unwrap().attributes;
    let name = attributes.iter().find(|it| it.key == "service.name");
    match name.unwrap().value.as_ref().unwrap().value.as_ref() {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// Asserts that the command's span is below the parent, and the connection's span below that.
fn assert_complete(received: &Received) {
    let spans = spans(received);
    let [connect, root] = &spans[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(
        (connect.name.as_str(), root.name.as_str()),
        ("connect", "workers")
    );
    for span in [connect, root] {
        assert_eq!(hex(&span.trace_id), TRACE);
        assert_eq!(span.trace_state, "a=b");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        let message = &span.status.as_ref().unwrap().message;
        assert!(message.contains("there is no socket"), "{message}");
    }
    assert_eq!(hex(&root.parent_span_id), "b7ad6b7169203331");
    assert_eq!(connect.parent_span_id, root.span_id);
}

#[test]
fn a_collector_gets_the_spans_below_the_parent_over_grpc() {
    let collector = Collector::grpc();
    let mut command = traced(&collector.endpoint);
    command.env("TRACEPARENT", PARENT).env("TRACESTATE", "a=b");
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b");
    command.env("OTEL_SERVICE_NAME", "of-the-test");
    let finished = Finished::of(&mut command).failed_with(1, &["there is no socket"]);
    assert!(!finished.stderr.contains("WARNING"), "{}", finished.stderr);
    let received = collector.only();
    assert_complete(&received);
    assert_eq!(received.headers["api-key"], "a b");
    assert_eq!(service(&received), "of-the-test");
}

#[test]
fn a_collector_gets_the_spans_over_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::on_socket(&folder.path().join("c.sock"));
    Finished::of(&mut traced(&collector.endpoint));
    assert_eq!(service(&collector.only()), "solvekit");
}

#[test]
fn a_collector_gets_the_spans_compressed_over_http() {
    let collector = Collector::http();
    let mut command = traced(&format!("{}/base", collector.endpoint));
    command.env("TRACEPARENT", PARENT).env("TRACESTATE", "a=b");
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    command.env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    Finished::of(&mut command);
    let received = collector.only();
    assert_complete(&received);
    assert_eq!(received.path, "/base/v1/traces");
    assert_eq!(received.headers["content-type"], "application/x-protobuf");
    assert_eq!(received.headers["content-encoding"], "gzip");
}

#[test]
fn a_collector_that_hangs_is_not_waited_for_and_changes_no_result() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    for protocol in ["grpc", "http/protobuf"] {
        for (limit, seconds) in [("", "2"), ("300", "0.3")] {
            let mut command = traced(&endpoint);
            command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
            command.env("OTEL_EXPORTER_OTLP_TIMEOUT", limit);
            let warning = format!("{endpoint}: no answer within {seconds} seconds");
            let finished = Finished::of(&mut command).failed_with(1, &[&warning]);
            assert!(finished.took < Duration::from_secs(10), "{finished:?}");
            let end = finished.stderr.find("there is no socket").unwrap();
            assert!(end < finished.stderr.find("WARNING").unwrap());
        }
    }
}

#[test]
fn a_collector_that_cannot_take_spans_is_a_warning() {
    let refused = |endpoint: &str, protocol: &str, warning: &str| {
        let mut command = traced(endpoint);
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let warning = format!("WARNING: cannot send traces to {endpoint}: {warning}");
        let finished = Finished::of(&mut command).failed_with(1, &[&warning]);
        assert_eq!(finished.stderr.matches("WARNING").count(), 1);
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    refused(&dead, "grpc", "nothing listens on");
    refused(&dead, "http/protobuf", "nothing listens on");
    refused(
        &Collector::refusing().endpoint,
        "grpc",
        "it answered Unauthenticated: no\n",
    );
    let partial = Collector::rejecting();
    refused(&partial.endpoint, "grpc", "it rejected 2 spans: too old\n");
    let http = Collector::http();
    refused(&http.endpoint, "grpc", "the connection broke");
    let grpc = Collector::grpc();
    refused(&grpc.endpoint, "http/protobuf", "the connection broke");
}

#[test]
fn a_variable_that_cannot_be_understood_is_a_warning() {
    for (name, value, warning) in [
        ("TRACEPARENT", "zz", "TRACEPARENT is \"zz\""),
        (
            "OTEL_TRACES_EXPORTER",
            "jaeger",
            "otlp and none are supported",
        ),
        (
            "OTEL_TRACES_SAMPLER",
            "jaeger_remote",
            "OTEL_TRACES_SAMPLER is \"jaeger_remote\"",
        ),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "grpc and http/protobuf are supported",
        ),
        (
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "2s",
            "it is a number of milliseconds",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "secret",
            "entry 1 of OTEL_EXPORTER_OTLP_HEADERS",
        ),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "a",
            "entry 1 of OTEL_RESOURCE_ATTRIBUTES",
        ),
    ] {
        let mut command = traced("http://127.0.0.1:1");
        command.env(name, value);
        let wanted = ["WARNING: there are no traces: ", warning];
        let finished = Finished::of(&mut command).failed_with(1, &wanted);
        assert!(!finished.stderr.contains("secret"), "{}", finished.stderr);
        assert!(
            !finished.stderr.contains("cannot send"),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn a_sampler_decides_what_is_recorded() {
    for (parent, sampler, ratio, count) in [
        ("", "always_off", "", 0),
        ("", "traceidratio", "0", 0),
        ("", "traceidratio", "1", 1),
        (PARENT, "parentbased_always_off", "", 1),
        (PARENT, "always_off", "", 0),
    ] {
        let collector = Collector::grpc();
        let mut command = traced(&collector.endpoint);
        command.env("TRACEPARENT", parent);
        command.env("OTEL_TRACES_SAMPLER", sampler);
        command.env("OTEL_TRACES_SAMPLER_ARG", ratio);
        let finished = Finished::of(&mut command).failed_with(1, &["there is no socket"]);
        assert!(!finished.stderr.contains("WARNING"), "{}", finished.stderr);
        assert_eq!(collector.received().len(), count, "{sampler} {ratio}");
    }
}

#[test]
fn nothing_is_sent_unless_asked_for() {
    let collector = Collector::grpc();
    for (name, value) in [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ] {
        let mut command = traced(&collector.endpoint);
        command.env("TRACEPARENT", PARENT).env(name, value);
        let finished = Finished::of(&mut command).failed_with(1, &["there is no socket"]);
        assert!(!finished.stderr.contains("WARNING"), "{}", finished.stderr);
    }
    // These commands use neither a daemon nor a registry.
    let mut version = solvekit(["version"]);
    version.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint);
    Finished::of(&mut version).succeeded();
    // BuildKit passes its variables to the frontends that it runs.
    let mut frontend = solvekit(["frontend"]);
    frontend.env("OTEL_TRACES_EXPORTER", "otlp");
    frontend.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &collector.endpoint);
    frontend.env("TRACEPARENT", PARENT);
    Finished::of(&mut frontend).failed_with(1, &["started by BuildKit"]);
    assert!(collector.received().is_empty());
}
