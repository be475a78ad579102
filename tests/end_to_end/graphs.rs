//! Ready-made graphs and frontends: `solvekit solve`, and `build` when called as buildctl.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Finished, called, folder_of, keep_cache, solvekit};

const DOCKERFILE: &str = "FROM scratch AS base\nCOPY a /a\nFROM base\nLABEL x=y\nARG WHO=nobody\n\
                          COPY <<EOF /who\n$WHO\nEOF\n";

fn context() -> TempDir {
    folder_of(&[("Dockerfile", DOCKERFILE), ("a", "content\n")])
}

fn buildctl(folder: &Path, arguments: &[&str]) -> Command {
    called("buildctl", folder, &solvekit(arguments))
}

#[test]
fn a_graph_of_llb_is_what_build_builds() {
    let context = context();
    let folder = context.path().display().to_string();
    let graph = solvekit(["llb", "--format", "pb", &folder])
        .stderr(Stdio::null())
        .output()
        .expect("it runs");
    assert!(graph.status.success());
    let local = format!("context={folder}");
    let out = tempfile::tempdir().expect("a folder");
    let output = format!("type=local,dest={}", out.path().join("out").display());
    let arguments = ["solve", "--local", &local, "-o", &output, "-"];
    let _cache = keep_cache();
    Finished::with_input(&mut solvekit(arguments), graph.stdout.clone()).succeeded();
    let read = |name: &str| fs::read_to_string(out.path().join("out").join(name));
    assert_eq!(read("a").expect("the file"), "content\n");
    assert_eq!(read("who").expect("the file"), "nobody\n");
    // The steps are the same: a build finds the solved graph in the cache.
    let build = ["build", "--progress", "plain", &folder];
    let built = Finished::of(&mut solvekit(build)).succeeded();
    assert!(built.stderr.contains("CACHED"), "{}", built.stderr);
}

#[test]
fn a_frontend_is_run_with_its_options_and_called_as_buildctl() {
    let (context, home) = (context(), tempfile::tempdir().expect("a folder"));
    let folder = context.path().display().to_string();
    let path = |name: &str| home.path().join(name).display().to_string();
    let (context, dockerfile) = (format!("context={folder}"), format!("dockerfile={folder}"));
    let (metadata, reference) = (path("m.json"), path("ref"));
    let output = format!("type=local,dest={}", path("out"));
    let mut command = buildctl(
        home.path(),
        &[
            "build",
            "--frontend=dockerfile.v0",
            "--local",
            &context,
            "--local",
            &dockerfile,
            "--opt",
            "build-arg:WHO=buildctl",
            "--output",
            &output,
            "--metadata-file",
            &metadata,
            "--ref-file",
            &reference,
            "--progress=plain",
        ],
    );
    Finished::of(&mut command).succeeded();
    let who = fs::read_to_string(home.path().join("out/who")).expect("the file");
    assert_eq!(who, "buildctl\n");
    let metadata = fs::read_to_string(&metadata).expect("the metadata");
    assert!(serde_json::from_str::<Value>(&metadata).is_ok_and(|it| it.is_object()));
    let reference = fs::read_to_string(&reference).expect("the reference");
    assert_eq!(reference.len(), 25, "{reference}");
}

/// nerdctl reads the archive from stdout.
#[test]
fn buildctl_writes_an_archive_without_a_destination_to_stdout() {
    let (context, home) = (context(), tempfile::tempdir().expect("a folder"));
    let folder = context.path().display().to_string();
    let (context, dockerfile) = (format!("context={folder}"), format!("dockerfile={folder}"));
    let mut command = buildctl(
        home.path(),
        &[
            "build",
            "--frontend=dockerfile.v0",
            "--local",
            &context,
            "--local",
            &dockerfile,
            "--output=type=tar",
        ],
    );
    let output = command.stderr(Stdio::null()).output().expect("it runs");
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("ustar") && text.contains("content\n"));
}

#[test]
fn a_question_to_a_frontend_is_answered_on_stdout() {
    let (context, home) = (context(), tempfile::tempdir().expect("a folder"));
    let folder = context.path().display().to_string();
    let dockerfile = format!("dockerfile={folder}");
    let mut command = buildctl(
        home.path(),
        &[
            "build",
            "--frontend=dockerfile.v0",
            "--local",
            &dockerfile,
            "--opt=requestid=frontend.targets",
        ],
    );
    let answered = Finished::of(&mut command).succeeded();
    assert!(answered.stdout.contains("base"), "{}", answered.stdout);
}

#[test]
fn the_daemon_is_looked_into_as_with_buildctl() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| Finished::of(&mut buildctl(home.path(), arguments)).succeeded();
    assert!(run(&["debug", "workers"]).stdout.starts_with("ID\t"));
    let ids = run(&["debug", "workers", "--format", "{{range .}}{{.ID}}{{end}}"]);
    assert!(!ids.stdout.trim().is_empty());
    assert!(
        run(&["--wait", "debug", "info"])
            .stdout
            .starts_with("BuildKit:")
    );
    assert!(run(&["du"]).stdout.contains("RECLAIMABLE"));
    assert!(run(&["debug", "histories"]).stdout.starts_with("TYPE\t"));
    assert!(
        run(&["--version"])
            .stdout
            .starts_with("buildctl github.com/moby/buildkit v0.")
    );
    assert!(run(&[]).stdout.contains("prune-histories"));
}

#[test]
fn what_cannot_be_solved_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let solve = |arguments: &[&str], input: &[u8]| {
        let arguments = [&["solve"], arguments].concat();
        Finished::with_input(&mut solvekit(arguments), input)
    };
    solve(&[], b"").failed_with(1, &["the graph is empty", "--frontend dockerfile.v0"]);
    solve(&[], b"no graph at all").failed_with(1, &["cannot be read"]);
    solve(&["/no/such/graph"], b"").failed_with(1, &["/no/such/graph"]);
    let wrong = ["--frontend", "dockerfile.v0", "--opt", "target"];
    solve(&wrong, b"").failed_with(1, &["--opt \"target\" has no name"]);
    let missing = ["--frontend", "dockerfile.v0", "--local", "context=/no/such"];
    solve(&missing, b"").failed_with(1, &["--local context", "is not a folder"]);
    let mut command = buildctl(home.path(), &["build", "--frontend", "dockerfile.v0"]);
    Finished::of(&mut command).failed_with(1, &["dockerfile"]);
}

#[test]
fn buildctl_counts_cached_steps_and_keeps_records() {
    let (context, home) = (context(), tempfile::tempdir().expect("a folder"));
    let folder = context.path().display().to_string();
    let (source, dockerfile) = (format!("context={folder}"), format!("dockerfile={folder}"));
    let (metrics, reference) = (home.path().join("metrics"), home.path().join("ref"));
    let run = |arguments: &[&str]| Finished::of(&mut buildctl(home.path(), arguments));
    let place = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    let flags = [
        place("debug-json-cache-metrics", &metrics),
        place("ref-file", &reference),
    ];
    let build = [
        "build",
        "--frontend=dockerfile.v0",
        "--local",
        &source,
        "--local",
        &dockerfile,
    ];
    run(&[&build[..], &[&flags[0], &flags[1]]].concat()).succeeded();
    let text = std::fs::read_to_string(&metrics).expect("it is written");
    let numbers = text.lines().last().expect("a line");
    let numbers: serde_json::Value = serde_json::from_str(numbers).expect("JSON");
    let count = |name: &str| numbers[name].as_u64().expect("a number");
    assert!(
        count("user_total") > 0 && count("total") > count("user_total"),
        "{text}"
    );
    assert_eq!(count("user_cacheable"), count("user_total") - count("from"));
    assert_eq!(text.matches("cache miss: ").count() as u64, count("miss"));

    let build_ref = std::fs::read_to_string(&reference).expect("it is written");
    let mut monitor = buildctl(home.path(), &["debug", "monitor", "--completed"]);
    monitor.stdout(Stdio::piped());
    let mut monitor = monitor.spawn().expect("it runs");
    let events = std::io::BufReader::new(monitor.stdout.take().expect("a pipe"));
    let wanted = format!("event: COMPLETE ref:{build_ref}");
    let found = std::io::BufRead::lines(events)
        .find(|line| line.as_ref().is_ok_and(|line| *line == wanted));
    monitor.kill().expect("it is ours");
    monitor.wait().expect("it ends");
    assert!(found.is_some());

    run(&["debug", "ctl", "--pin", &build_ref]).succeeded();
    let format = "--format={{.Record.Ref}} {{.Record.Pinned}}";
    let histories = run(&["debug", "histories", format]).succeeded().stdout;
    assert!(
        histories.contains(&format!("{build_ref} true\n")),
        "{histories}"
    );
    run(&["debug", "ctl", "--unpin", &build_ref]).succeeded();
    run(&["debug", "ctl", "--delete", &build_ref]).succeeded();
    let histories = run(&["debug", "histories", format]).succeeded().stdout;
    assert!(!histories.contains(&build_ref), "{histories}");
    assert_eq!(run(&["debug", "ctl", &build_ref]).code, Some(1));

    let wrong = ["--registry-auth-tlscontext=host=r.example,cert=c.pem"];
    let refused = run(&[&build[..], &wrong].concat());
    refused.failed_with(1, &["cert=FILE and key=FILE", "host=registry.example.com"]);
    run(&["debug", "dump-metadata", "--root=/no/such/folder"]).failed_with(1, &["/no/such/folder"]);
}
