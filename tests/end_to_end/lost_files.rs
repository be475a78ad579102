//! Steps whose files the daemon's cache has lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Finished, folder_of, keep_cache, solvekit, unique};

const BOTH: &str = "--platform=linux/amd64,linux/arm64";

#[test]
fn lost_files_are_built_again_without_the_cache() {
    let _kept = keep_cache();
    let word = unique();
    let first = format!("FROM busybox AS tools\nRUN --network=none echo {word} >/made\n");
    let second = format!("{first}RUN --network=none cat /made && echo {word} >/later\n");
    build(&first).succeeded();
    let records = records(&word);
    assert_eq!(records.len(), 2, "{records:?}");
    for record in &records {
        remove_snapshot(record);
    }

    let built = build(&second).succeeded();
    let note = "the daemon's cache has lost files that Dockerfile:3 needs: building them again";
    assert!(built.stderr.contains(note), "{}", built.stderr);
    assert!(
        built.stderr.contains(&format!("{word}\n")),
        "{}",
        built.stderr
    );
    // The new files took the place of the lost ones.
    let again = build(&second).succeeded();
    assert!(!again.stderr.contains(note), "{}", again.stderr);
    let steps = again.stderr.lines().filter(|it| it.contains("] RUN "));
    let numbers: BTreeSet<&str> = steps.filter_map(|it| it.split(' ').next()).collect();
    assert_eq!(numbers.len(), 4, "{}", again.stderr);
    for number in numbers {
        let cached = format!("\n{number} CACHED\n");
        assert!(again.stderr.contains(&cached), "{number}: {}", again.stderr);
    }
}

#[test]
fn a_frontend_in_the_daemon_is_not_asked_twice() {
    let _kept = keep_cache();
    let word = unique();
    let first = format!("FROM busybox\nRUN --network=none echo {word} >/made\n");
    let context = folder_of(&[("Dockerfile", &first)]);
    let of_daemon = ["build", "--frontend=dockerfile.v0", "-o", "type=cacheonly"];
    Finished::of(solvekit(of_daemon).arg(context.path())).succeeded();
    for record in records(&word) {
        remove_snapshot(&record);
    }
    let second = format!("{first}RUN --network=none cat /made\n");
    let context = folder_of(&[("Dockerfile", &second)]);
    let failed = Finished::of(solvekit(of_daemon).arg(context.path()));
    let failed = failed.failed_with(1, &["does not exist: not found", "--no-cache"]);
    assert!(
        !failed.stderr.contains("building them again"),
        "{}",
        failed.stderr
    );
}

fn build(dockerfile: &str) -> Finished {
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let build = ["build", "--progress=plain", "-o", "type=cacheonly", BOTH];
    Finished::of(solvekit(build).arg(context.path()))
}

/// The ids of the cache records whose description has this word.
fn records(word: &str) -> Vec<String> {
    let mut du = solvekit(["du", "--format", "json", "--filter"]);
    let listed = Finished::of(du.arg(format!("description~={word}"))).succeeded();
    let record = |line: &str| serde_json::from_str::<Value>(line).expect("a record is JSON");
    let id = |record: Value| record["ID"].as_str().map(str::to_owned);
    listed.stdout.lines().map(record).filter_map(id).collect()
}

/// Removes the files of a record from the engine's containerd. A build that ends while the daemon
/// commits files leaves such a record.
fn remove_snapshot(record: &str) {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let (program, host) = (variable("DOCKERD"), variable("DOCKER_HOST"));
    let socket = Path::new(host.trim_start_matches("unix://")).with_file_name("containerd.sock");
    let programs = Path::new(&program)
        .ancestors()
        .nth(2)
        .expect("…/sbin/dockerd");
    let mut ctr = Command::new(programs.join("bin/ctr"));
    ctr.arg("--address").arg(socket);
    ctr.args(["--namespace", "moby", "snapshots", "rm", record]);
    Finished::of(&mut ctr).succeeded();
}
