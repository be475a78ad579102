//! `build --dry-run`: asks a real daemon which steps are cached, without running anything.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::step_limits::forget;
use crate::support::{Engine, Finished, folder_of, keep_cache, solvekit, unique};

fn dockerfile(salt: &str) -> String {
    format!(
        "FROM busybox AS build\nWORKDIR /src-{salt}\nCOPY a a\nRUN cat a > b; echo {salt} > \
         /proc/1/oom_score_adj; touch /tmp/{salt}\nFROM busybox\nCOPY --from=build \
         /src-{salt}/b /b\nRUN cat /b\n"
    )
}

fn build(context: &TempDir, flags: &[&str]) -> Command {
    let mut command = solvekit(["build", "--progress=plain"]);
    command.args(flags).arg(context.path());
    command
}

/// The forecast of each step.
fn expected(context: &TempDir, flags: &[&str]) -> Vec<String> {
    let flags = [&["--dry-run=json"], flags].concat();
    let asked = Finished::of(&mut build(context, &flags)).succeeded();
    let answer: Value = serde_json::from_str(&asked.stdout).expect("JSON");
    let steps = answer["platforms"][0]["steps"].as_array().expect("steps");
    let words = steps
        .iter()
        .map(|step| step["expected"].as_str().unwrap_or_default());
    words.map(str::to_owned).collect()
}

#[test]
fn steps_are_cached_or_would_run_and_nothing_is_run() {
    let _cache = keep_cache();
    let salt = unique();
    let context = folder_of(&[("Dockerfile", &dockerfile(&salt)), ("a", &salt)]);
    let before = expected(&context, &[]);
    assert_eq!(
        before[2..],
        ["would run", "unknown", "unknown"],
        "{before:?}"
    );
    // Nothing was run: the forecast of the failing step is unchanged.
    assert_eq!(expected(&context, &[])[2..], before[2..]);

    let text = dockerfile(&salt).replace(&format!("echo {salt} > /proc/1/oom_score_adj; "), "");
    std::fs::write(context.path().join("Dockerfile"), &text).expect("the folder is ours");
    let output = ["-o", "type=cacheonly"];
    Finished::of(&mut build(&context, &output)).succeeded();
    let after = expected(&context, &[]);
    assert!(after.iter().all(|step| step == "cached"), "{after:?}");

    std::fs::write(context.path().join("a"), unique()).expect("the folder is ours");
    let changed = expected(&context, &[]);
    let wanted = ["cached", "would run", "would run", "unknown", "unknown"];
    assert_eq!(changed, wanted);
    let ignored = expected(&context, &["--no-cache"]);
    assert_eq!(ignored[1..3], ["would run"; 2]);
}

/// A daemon that loses a solve while a step starts can lose the files of the step below it.
#[test]
fn a_build_finds_the_files_of_all_steps_after_a_dry_run() {
    let _cache = keep_cache();
    let platforms = "--platform=linux/amd64,linux/arm64";
    for _ in 0..15 {
        let salt = unique();
        let text = format!("FROM busybox\nWORKDIR /{salt}\nCOPY a /\nRUN : {salt}\n");
        let context = folder_of(&[("Dockerfile", &text), ("a", &salt)]);
        let steps = ["would run"; 3];
        assert_eq!(expected(&context, &[platforms]), steps);
        let output = ["-o", "type=cacheonly", platforms];
        Finished::of(&mut build(&context, &output)).succeeded();
    }
}

#[test]
fn a_stage_that_no_step_needs_counts_as_cached() {
    let salt = unique();
    let text = format!(
        "FROM busybox AS files\nRUN echo {salt} > /f\nFROM busybox\nCOPY --from=files /f /{salt}\n"
    );
    let context = folder_of(&[("Dockerfile", &text)]);
    // `--load` commits all layers; other layers can be removed by another test's prune.
    let tag = format!("dry-runs:{salt}");
    Finished::of(&mut build(&context, &["--load", "--tag", &tag])).succeeded();
    forget(&format!("exec /bin/sh -c echo {salt} "));
    assert_eq!(expected(&context, &[]), ["cached"; 2]);
    let more = format!("{text}RUN : {salt}\n");
    std::fs::write(context.path().join("Dockerfile"), more).expect("the folder is ours");
    assert_eq!(expected(&context, &[]), ["cached", "cached", "would run"]);
}

#[test]
fn a_file_that_another_stage_lacks_is_an_error() {
    let text = format!(
        "FROM busybox AS files\nWORKDIR /{}\nFROM busybox\nCOPY --from=files /nothere /\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &text)]);
    let asked = Finished::of(&mut build(&context, &["--dry-run"]));
    let hint = "To see what a stage has: solvekit build --target files -o - . ";
    asked.failed_with(1, &["Dockerfile:4", "/nothere", hint]);
}

#[test]
fn a_command_is_not_started() {
    // The command would write a word to a cache mount, which a later build reads.
    let salt = unique();
    let mount = format!("RUN --mount=type=cache,id=dry-{salt},target=/c");
    let writing = format!("FROM busybox\n{mount} touch /c/started\n");
    let reading = format!("FROM busybox\n{mount} ls /c | grep -c started || echo untouched\n");
    let context = folder_of(&[("Dockerfile", &writing)]);
    assert_eq!(expected(&context, &[]), ["would run"]);
    std::fs::write(context.path().join("Dockerfile"), reading).expect("the folder is ours");
    let read = Finished::of(&mut build(&context, &["-o", "type=cacheonly"])).succeeded();
    assert!(read.stderr.contains(" untouched\n"), "{}", read.stderr);
}

/// A command of a dry run cannot start, even without the cancellation.
#[test]
fn a_command_with_a_setting_that_is_too_long_does_not_start() {
    let text = format!("FROM busybox\nRUN : {}; echo started $((0+1))\n", unique());
    let context = folder_of(&[("Dockerfile", &text)]);
    let arguments = context.path().join("arguments");
    for (setting, refusal) in [
        (
            format!("HTTP_PROXY={}\n", "x".repeat(128 << 10)),
            "argument list too long",
        ),
        ("FTP_PROXY='a\0b'\n".to_owned(), "it has NUL bytes"),
    ] {
        std::fs::write(&arguments, setting).expect("the folder is ours");
        let file = arguments.display().to_string();
        let flags = ["-o", "type=cacheonly", "--build-arg-file", &file];
        let failed = Finished::of(&mut build(&context, &flags)).failed_with(1, &[refusal]);
        assert!(!failed.stderr.contains(" started 1\n"), "{}", failed.stderr);
    }
}

#[test]
fn contexts_platforms_and_tags_are_reported() {
    let image = Engine::get().name("dry");
    let salt = unique();
    let text = format!("FROM busybox\nCOPY a /\nRUN echo {salt}\n");
    let context = folder_of(&[("Dockerfile", &text), ("a", &salt), ("big", "1234567890")]);
    let flags = [
        "--insecure-registry",
        &Engine::get().registry,
        "--platform=linux/amd64,linux/arm64",
        "-t",
        &image,
        "--push",
    ];
    let dry = [&["--dry-run"], &flags[..]].concat();
    let printed = Finished::of(&mut build(&context, &dry)).succeeded().stdout;
    assert!(
        printed.contains(&format!("{image}:latest: would be new\n")),
        "{printed}"
    );
    assert!(printed.contains(": 3 files, "), "{printed}");
    assert!(
        printed.contains("sent to be compared: 1 file, "),
        "{printed}"
    );
    assert!(printed.contains(" is emulated)\n"), "{printed}");
    assert!(
        printed.ends_with("no command was run, and nothing was exported\n"),
        "{printed}"
    );
    Finished::of(&mut build(&context, &flags)).succeeded();
    let printed = Finished::of(&mut build(&context, &dry)).succeeded().stdout;
    assert!(
        printed.contains(&format!("{image}:latest: would move from sha256:")),
        "{printed}"
    );
}

#[test]
fn the_targets_of_a_bake_file_are_distinguished() {
    let salt = unique();
    let text = format!("FROM busybox AS a\nRUN : {salt}\nFROM a AS b\nRUN : b {salt}\n");
    let context = folder_of(&[
        ("Dockerfile", &text),
        (
            "docker-bake.json",
            r#"{"group": {"default": {"targets": ["a", "b"]}},
                "target": {"a": {"target": "a"}, "b": {"target": "b"}}}"#,
        ),
    ]);
    let mut bake = solvekit(["bake", "--progress=plain", "--dry-run=json"]);
    let asked = Finished::of(bake.current_dir(context.path())).succeeded();
    let answer: Value = serde_json::from_str(&asked.stdout).expect("JSON");
    for (target, count) in [("a", 1), ("b", 2)] {
        let steps = answer[target]["platforms"][0]["steps"]
            .as_array()
            .expect("steps");
        assert_eq!(steps.len(), count, "{answer}");
        assert!(
            steps.iter().all(|step| step["expected"] == "would run"),
            "{answer}"
        );
    }
}

#[test]
fn a_dry_run_fails_if_the_build_would_be_refused() {
    for (text, flags, part) in [
        (
            "COPY nothere /x",
            &[][..],
            "\"nothere\" is not in the context folder",
        ),
        ("RUN --network=host true", &[], "network.host"),
        (
            "RUN true",
            &["--platform=linux/arm64", "--require-native"],
            "emulates",
        ),
    ] {
        let context = folder_of(&[("Dockerfile", &format!("FROM busybox\n{text}\n"))]);
        let flags = [&["--dry-run"], flags].concat();
        let asked = Finished::of(&mut build(&context, &flags));
        asked.failed_with(1, &["Dockerfile:2", part]);
    }
}

#[test]
fn flags_for_results_are_named_and_the_files_of_an_earlier_build_stay() {
    let context = folder_of(&[("Dockerfile", "FROM busybox\n"), ("id", "sha256:earlier")]);
    let id = context.path().join("id").display().to_string();
    let asked = Finished::of(&mut build(&context, &["--dry-run", "--iidfile", &id])).succeeded();
    let warning = "WARNING: --iidfile has no effect beside --dry-run, which builds nothing\n";
    assert!(asked.stderr.contains(warning), "{}", asked.stderr);
    let kept = std::fs::read_to_string(&id).expect("the file is there");
    assert_eq!(kept, "sha256:earlier");
    let asked = Finished::of(&mut build(&context, &["--dry-run", "--debug=on-error"]));
    asked.failed_with(1, &["--dry-run builds nothing", "leave out one of them"]);
}
