//! Output for programs: `--progress=jsonl`, its file, and exit codes.

use std::path::Path;

use serde_json::Value;

use crate::support::{Finished, folder_of, solvekit, unique};

#[test]
fn events_have_their_platform_and_end_with_the_result() {
    let word = unique();
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM alpine\nRUN echo {word}-$((1+1))\nrun true\n"),
    )]);
    let file = context.path().join("events");
    let run = Finished::of(
        solvekit([
            "build",
            "--progress=jsonl",
            "--platform=linux/amd64,linux/arm64",
        ])
        .arg("--progress-file")
        .arg(&file)
        .arg(context.path()),
    )
    .succeeded();
    assert_eq!(run.stderr, "");
    let events = read(&file);
    for platform in ["linux/amd64", "linux/arm64"] {
        let printed = format!("{word}-2\n");
        let of = |event: &str| {
            let events = events.iter();
            events
                .filter(|line| line["event"] == event && line["platform"] == platform)
                .collect::<Vec<_>>()
        };
        assert!(
            of("log").iter().any(|log| log["text"] == printed),
            "{events:?}"
        );
        let steps = of("step");
        assert!(steps.iter().any(|step| {
            step["state"] == "done"
                && step["seconds"].is_number()
                && step["name"]
                    .as_str()
                    .is_some_and(|name| name.contains(&word))
        }));
    }
    let warning = events.iter().find(|line| line["event"] == "warning");
    let warning = warning.expect("the casing of run is warned of");
    assert_eq!(warning["lines"], serde_json::json!([3, 3]));
    let end = events.last().expect("an end");
    assert_eq!(
        (&end["event"], &end["exit_code"]),
        (&"end".into(), &0.into())
    );
    assert!(end["build_ref"].is_string());
}

#[test]
fn a_failure_is_in_the_last_line_and_the_exit_code_is_that_of_the_process() {
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM alpine\nRUN echo {} && exit 42\n", unique()),
    )]);
    let build = |flags: &[&str]| Finished::of(solvekit(["build"]).args(flags).arg(context.path()));
    build(&["--progress=plain"]).failed_with(1, &["exit code: 42"]);
    build(&["--progress=plain", "--propagate-exit-code"]).failed_with(42, &["exit code: 42"]);

    let run = build(&["--progress=jsonl", "--propagate-exit-code"]);
    assert_eq!(run.code, Some(42));
    let events: Vec<Value> = run.stderr.lines().map(parsed).collect();
    let end = events.last().expect("an end");
    assert_eq!(end["exit_code"], 42);
    assert!(
        end["error"]
            .as_str()
            .is_some_and(|error| error.contains("exit code: 42"))
    );
    assert!(
        events
            .iter()
            .any(|line| line["event"] == "step" && line["state"] == "failed")
    );
}

#[test]
fn a_build_that_never_began_has_an_end_too() {
    let run = Finished::of(&mut solvekit([
        "build",
        "--progress=jsonl",
        "/nonexistent/folder",
    ]));
    assert_eq!(run.code, Some(1));
    let end = parsed(run.stderr.lines().last().expect("an end"));
    assert_eq!(end["event"], "end");
    assert!(
        end["error"]
            .as_str()
            .is_some_and(|error| error.contains("/nonexistent/folder"))
    );
    assert!(end["hint"].is_string());
}

#[test]
fn text_does_not_go_to_a_file_for_programs() {
    Finished::of(&mut solvekit([
        "build",
        "--progress=plain",
        "--progress-fd=3",
        ".",
    ]))
    .failed_with(1, &["--progress=jsonl"]);
    Finished::of(&mut solvekit([
        "build",
        "--progress=jsonl",
        "--progress-fd=77",
        ".",
    ]))
    .failed_with(1, &["file descriptor 77", "3>FILE"]);
}

fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("the file");
    text.lines().map(parsed).collect()
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}
