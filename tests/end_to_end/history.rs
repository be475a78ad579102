//! `solvekit history`: builds that the daemon remembers.

use std::fs;

use serde_json::Value;

use crate::support::{Finished, folder_of, solvekit, unique};

/// Builds, and gives the daemon's name of the build.
fn built(dockerfile: &str, arguments: &[&str], code: i32) -> String {
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let output = tempfile::tempdir().expect("a temporary folder");
    let events = output.path().join("events");
    let build = Finished::of(
        solvekit(["build", "--progress=rawjson", "--progress-file"])
            .arg(&events)
            .arg("--metadata-file")
            .arg(output.path().join("metadata"))
            .args(arguments)
            .arg(context.path()),
    );
    assert_eq!(build.code, Some(code), "{}", build.stderr);
    match fs::read(output.path().join("metadata")) {
        Ok(metadata) => {
            let metadata: Value = serde_json::from_slice(&metadata).expect("JSON");
            let full = metadata["buildx.build.ref"].as_str().expect("a reference");
            full.rsplit('/').next().expect("a part").to_owned()
        }
        Err(_) => String::new(),
    }
}

fn history(arguments: &[&str]) -> Finished {
    Finished::of(solvekit(["history"]).args(arguments))
}

/// The lines of `history ls --format json`.
fn listed(arguments: &[&str]) -> Vec<Value> {
    let all: Vec<&str> = ["ls", "--format", "json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let text = history(&all).succeeded().stdout;
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_build_is_listed_shown_and_forgotten() {
    let word = format!("s{}", unique());
    let dockerfile = format!("FROM busybox AS {word}\nRUN echo the-log-of-$(echo {word})\n");
    let build = built(
        &dockerfile,
        &["--target", &word, "--build-arg", "FLAVOUR=mint"],
        0,
    );

    let filter = format!("ref={build}");
    let records = listed(&["--filter", &filter]);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["status"], "Completed");
    let name = records[0]["name"].as_str().expect("a name");
    assert!(name.ends_with(&format!("({word})")), "{name}");
    assert!(
        records[0]["ref"]
            .as_str()
            .is_some_and(|full| full.ends_with(&build))
    );

    let table = history(&["ls", "--filter", &filter]).succeeded().stdout;
    assert!(
        table.starts_with("BUILD ID") && table.contains("Completed"),
        "{table}"
    );
    let template = history(&[
        "ls",
        "--filter",
        &filter,
        "--format",
        "{{.Ref}}={{.Status}}",
    ])
    .succeeded();
    assert_eq!(template.stdout, format!("{build}=Completed\n"));

    let shown = history(&["inspect", &build, "--format", "json"])
        .succeeded()
        .stdout;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["Ref"], build.as_str());
    assert_eq!(shown["Status"], "completed");
    assert_eq!(shown["Target"], word.as_str());
    assert_eq!(shown["BuildArgs"][0]["Value"], "mint");
    let pretty = history(&["inspect", &build]).succeeded().stdout;
    for line in ["Ref:", "Target:", "Status:", "FLAVOUR"] {
        assert!(pretty.contains(line), "{line} is missing in {pretty}");
    }

    let logs = history(&["logs", &build]).succeeded();
    assert!(
        logs.stderr.contains(&format!("the-log-of-{word}")),
        "{}",
        logs.stderr
    );

    assert_eq!(
        history(&["rm", &build]).succeeded().stdout,
        format!("{build} removed\n")
    );
    assert!(listed(&["--filter", &filter]).is_empty());
    history(&["inspect", &build]).failed_with(1, &[&build, "history ls"]);
}

#[test]
fn a_failed_build_is_found_by_its_status() {
    let word = format!("s{}", unique());
    let dockerfile = format!("FROM busybox AS {word}\nRUN echo {word}; exit 3\n");
    built(&dockerfile, &["--target", &word], 1);
    let records = listed(&["--filter", "status=error", "--filter", "startedAt>1h"]);
    let of_it = |record: &&Value| {
        record["name"]
            .as_str()
            .is_some_and(|name| name.contains(&word))
    };
    let record = records
        .iter()
        .find(of_it)
        .unwrap_or_else(|| panic!("{records:?}"));
    let full = record["ref"].as_str().expect("a reference");
    let shown = history(&["inspect", full]).succeeded().stdout;
    assert!(
        shown.contains("failed") && shown.contains("exit code: 3"),
        "{shown}"
    );
}

#[test]
fn wrong_arguments_are_told() {
    history(&["ls", "--filter", "colour=red"]).failed_with(1, &["colour", "status="]);
    history(&["inspect", "^x"]).failed_with(1, &["^x", "^0"]);
    history(&["inspect", "^100000"]).failed_with(1, &["^100000"]);
    history(&["rm", "no-such-build"]).failed_with(1, &["no-such-build", "history ls"]);
    assert_eq!(history(&["rm"]).code, Some(1));
}
