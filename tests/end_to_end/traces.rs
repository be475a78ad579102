//! One trace from solvekit's caller to the daemon's steps, and `--trace`.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Engine, Finished, called, solvekit, unique};

const DOCKERFILE: &str = "FROM scratch\nCOPY Dockerfile /\n";

fn context() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("Dockerfile"), DOCKERFILE).expect("written");
    folder
}

/// The spans in the record of a build: trace, service, name.
fn recorded(build_ref: &str) -> Vec<(String, String, String)> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        // The daemon writes the trace a few seconds after the build.
        let trace = Finished::of(&mut solvekit(["history", "trace", build_ref]));
        if trace.code != Some(0) {
            assert!(Instant::now() < end, "{}", trace.stderr);
            std::thread::sleep(Duration::from_millis(500));
            continue;
        }
        let trace: Value = serde_json::from_str(&trace.stdout).expect("JSON");
        let trace = &trace["data"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let spans = trace["spans"].as_array().expect("spans").iter();
        let spans = spans.map(|span| {
            let process = span["processID"].as_str().unwrap_or_default();
            let service = &trace["processes"][process]["serviceName"];
            (
                text(&span["traceID"]),
                text(service),
                text(&span["operationName"]),
            )
        });
        return spans.collect();
    }
}

#[test]
fn the_daemons_record_has_the_callers_trace_with_the_spans_of_both_sides() {
    let _ = Engine::get();
    let folder = context();
    let metadata = folder.path().join("metadata.json");
    let id = unique();
    let digest = id
        .bytes()
        .fold(1_u128, |sum, byte| sum.wrapping_mul(257) + u128::from(byte));
    let trace = format!("{digest:032x}");
    let mut command = solvekit(["build", "--metadata-file"]);
    command.arg(&metadata).arg(folder.path());
    command.env("TRACEPARENT", format!("00-{trace}-b7ad6b7169203331-01"));
    Finished::of(&mut command).succeeded();
    let metadata: Value =
        serde_json::from_slice(&std::fs::read(metadata).expect("read")).expect("JSON");
    let build_ref = metadata["buildx.build.ref"].as_str().expect("a reference");
    let spans = recorded(build_ref.rsplit('/').next().expect("an id"));
    assert!(spans.iter().all(|(id, ..)| *id == trace), "{spans:?}");
    let of = |service: &str, name: &str| {
        spans
            .iter()
            .any(|(_, from, it)| (from == service, it.contains(name)) == (true, true))
    };
    for name in ["build ", "connect", "translate", "solve", "export"] {
        assert!(of("solvekit", name), "{name}: {spans:?}");
    }
    let daemon = spans.iter().filter(|(_, service, _)| service != "solvekit");
    let steps: Vec<_> = daemon.map(|(.., name)| name.as_str()).collect();
    assert!(
        steps.contains(&"moby.buildkit.v1.Control/Solve"),
        "{steps:?}"
    );
    assert!(
        steps.iter().any(|name| name.contains("COPY Dockerfile")),
        "{steps:?}"
    );
}

#[test]
fn trace_appends_the_updates_of_progress_to_a_file_of_the_owner() {
    let _ = Engine::get();
    let folder = context();
    let trace = folder.path().join("trace.json");
    let build = |name: &str, arguments: &[&str]| {
        let mut command = solvekit(arguments);
        command.arg("--trace").arg(&trace);
        let mut command = called(name, folder.path(), &command);
        Finished::of(command.current_dir(folder.path())).succeeded();
        std::fs::read_to_string(&trace).expect("written")
    };
    let first = build("solvekit", &["build", "."]);
    let local = ["--local=context=.", "--local=dockerfile=."];
    let arguments = [&["build", "--frontend=dockerfile.v0"], &local[..]].concat();
    let host = Engine::get().host.as_str();
    let both = build("buildctl", &[&["--addr", host], &arguments[..]].concat());
    let second = both.strip_prefix(&first).expect("appended");
    for text in [&first, second] {
        let updates = text.lines().map(serde_json::from_str::<Value>);
        let updates: Vec<Value> = updates.map(|update| update.expect("JSON")).collect();
        let names = updates.iter().flat_map(|it| it["vertexes"].as_array());
        let mut names = names.flatten().filter_map(|it| it["name"].as_str());
        assert!(names.any(|name| name.contains("COPY Dockerfile")), "{text}");
    }
    let mode = std::fs::metadata(&trace)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_trace_that_cannot_be_opened_is_an_error_before_the_build() {
    let folder = context();
    let mut command = solvekit(["build", ".", "--trace", "Dockerfile/trace.json"]);
    command.current_dir(folder.path());
    Finished::of(&mut command).failed_with(1, &["Dockerfile/trace.json"]);
}
