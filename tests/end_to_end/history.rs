//! `solvekit history`: the daemon's records of builds.

use std::fs;

use serde_json::Value;

use crate::support::{Finished, folder_of, solvekit, unique, working_tree_of};

/// Builds, and returns the daemon's id of the build.
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
    for line in ["Ref:", "Target:", "Build Steps:", "FLAVOUR"] {
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
    assert!(shown.contains("exit code: 3"), "{shown}");
    let shown = history(&["inspect", full, "--format", "json"]).succeeded();
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(shown["Status"], "failed");
    // Newer daemons record the step with its log and its lines.
    if let Some(name) = shown["Error"].get("Name") {
        assert!(
            name.as_str().is_some_and(|name| name.contains("RUN")),
            "{shown:#}"
        );
        assert_eq!(
            shown["Error"]["Logs"],
            serde_json::json!([word]),
            "{shown:#}"
        );
    }
}

#[test]
fn wrong_arguments_are_reported() {
    history(&["ls", "--filter", "colour=red"]).failed_with(1, &["colour", "status="]);
    history(&["inspect", "^x"]).failed_with(1, &["^x", "^0"]);
    history(&["inspect", "^100000"]).failed_with(1, &["^100000"]);
    // After a question about an unknown build, the daemon later reports that build as deleted.
    let none = format!("none-{}", unique());
    history(&["rm", &none]).failed_with(1, &[&none, "history ls"]);
    assert_eq!(history(&["rm"]).code, Some(1));
}

#[test]
fn builds_are_exported_into_a_bundle_and_read_from_it() {
    let word = format!("s{}", unique());
    let dockerfile = format!("FROM busybox AS {word}\nRUN echo {word}\n");
    let target = [
        "--target",
        &word,
        "--provenance=mode=max",
        "--output=type=image,name=a",
    ];
    let first = built(&dockerfile, &target, 0);
    let second = built(&dockerfile, &["--target", &word], 0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bundle = folder.path().join("build.dockerbuild");
    let path = bundle.to_str().expect("text");
    history(&["export", "--finalize", "-o", path, &first, &second]).succeeded();

    // The format for other tools: an OCI layout in a gzip archive, with the record's media type.
    let layout = folder.path().join("layout");
    fs::create_dir(&layout).expect("it can be made");
    let tar = std::process::Command::new("tar")
        .args(["-xzf", path, "-C"])
        .arg(&layout)
        .status();
    assert!(tar.expect("tar is there").success());
    let json = |name: &str| -> Value {
        let bytes = fs::read(layout.join(name)).expect("it is in the bundle");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().expect("a digest");
        json(&format!("blobs/{}", digest.replace(':', "/")))
    };
    let records = blob(&json("index.json")["manifests"][0]);
    assert_eq!(
        records["manifests"][1]["annotations"]["vnd.buildkit.history.reference"],
        second.as_str()
    );
    let manifest = blob(&records["manifests"][0]);
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.buildkit.historyrecord.v0"
    );
    let record = blob(&manifest["config"]);
    assert_eq!(record["Ref"], first.as_str());
    assert_eq!(record["DefaultPlatform"], "linux/amd64");
    assert!(record["CreatedAt"]["seconds"].is_u64(), "{record}");
    assert!(
        manifest["layers"]
            .as_array()
            .is_some_and(|layers| layers.len() > 1)
    );

    let read = history(&["import", "-f", path]).succeeded();
    for build in [&first, &second] {
        assert!(read.stdout.contains(build.as_str()), "{}", read.stdout);
    }
    assert!(read.stderr.contains("no Docker Desktop"), "{}", read.stderr);
    let mut piped = solvekit(["history", "import"]);
    let bytes = fs::read(&bundle).expect("it is there");
    Finished::with_input(&mut piped, bytes.clone()).succeeded();
    let mut cut = solvekit(["history", "import"]);
    Finished::with_input(&mut cut, &bytes[..bytes.len() / 2]).failed_with(1, &["not a bundle"]);
    history(&["import", "-f", "Cargo.toml"]).failed_with(1, &["Cargo.toml", "not a bundle"]);
    history(&["export", "-o", path, "not-a-build"]).failed_with(1, &["not-a-build"]);
    history(&["export", "-o", "Cargo.toml/x", &first]).failed_with(1, &["Cargo.toml/x"]);
}

#[test]
fn the_trace_of_a_build_is_printed() {
    let word = format!("s{}", unique());
    let dockerfile = format!("FROM busybox AS {word}\nRUN echo {word}\n");
    let first = built(&dockerfile, &["--target", &word], 0);
    let second = built(&dockerfile, &["--target", &word], 0);
    history(&["trace", "not-a-build"]).failed_with(1, &["not-a-build"]);
    let trace = history(&["trace", &first, "--compare", &second]);
    if trace.code == Some(1) {
        // Some BuildKits inside engines write no trace.
        trace.failed_with(1, &["has no trace of the build", &first]);
        return;
    }
    let trace = trace.succeeded();
    let trace: Value = serde_json::from_str(&trace.stdout).expect("JSON");
    let traces = trace["data"].as_array().expect("traces");
    assert_eq!(traces.len(), 2);
    // The daemon decides which steps have spans; there is always one for the solve.
    const SOLVE: &str = "moby.buildkit.v1.Control/Solve";
    for trace in traces {
        let mut spans = trace["spans"].as_array().expect("spans").iter();
        assert!(spans.any(|span| span["operationName"] == SOLVE), "{trace}");
    }
    assert_ne!(traces[0]["traceID"], traces[1]["traceID"]);
    let tree = history(&["trace", &first, "--format=tree"])
        .succeeded()
        .stdout;
    assert!(tree.contains("BEGAN") && tree.contains(SOLVE), "{tree}");
}

#[test]
fn the_daemon_says_what_it_is() {
    let printed = |arguments: &[&str]| {
        let finished = Finished::of(solvekit(["debug"]).args(arguments));
        finished.succeeded().stdout
    };
    assert!(printed(&["info"]).starts_with("BuildKit:"));
    assert!(printed(&["workers"]).contains("linux/amd64"));
    printed(&["info", "--format", "{{.BuildkitVersion.Version}}"]);
    Finished::of(solvekit(["debug", "info"]).args(["--format", "{{.Nothing}}"]))
        .failed_with(1, &["Nothing"]);
}

#[test]
fn builds_of_one_repository_are_listed_alone() {
    let dockerfile = format!("FROM busybox\nRUN : {}\n", unique());
    let repository = working_tree_of(&[("app/Dockerfile", &dockerfile)]);
    let app = repository.path().join("app");
    let metadata = repository.path().join("metadata");
    let mut build = solvekit(["build", "--metadata-file"]);
    Finished::of(build.arg(&metadata).arg(&app)).succeeded();
    let metadata: Value =
        serde_json::from_slice(&fs::read(metadata).expect("a file")).expect("JSON");
    built(&dockerfile, &[], 0);

    let mut list = solvekit(["history", "ls", "--local", "--format", "{{.FullRef}}"]);
    let listed = Finished::of(list.current_dir(&app)).succeeded();
    let full = metadata["buildx.build.ref"].as_str().expect("a reference");
    assert_eq!(listed.stdout, format!("{full}\n"));
    let mut outside = solvekit(["history", "ls", "--local"]);
    Finished::of(outside.current_dir("/")).failed_with(1, &["not in a git repository"]);
}
