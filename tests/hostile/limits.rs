//! Endless files: each command that reads a whole file reports the limit.

use std::fs;

use crate::support::{Finished, solvekit};

const ENDLESS: &str = "/dev/zero";

fn context() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
    folder
}

#[test]
fn a_lock_a_dockerfile_and_a_policy_without_end_are_refused() {
    let folder = context();
    Finished::of(solvekit(["llb", "--lock", ENDLESS]).arg(folder.path()))
        .failed_with(1, &[ENDLESS, "the limit of 64 MiB"]);
    Finished::of(solvekit(["llb", "-f", ENDLESS]).arg(folder.path()))
        .failed_with(1, &[ENDLESS, "the limit of 16 MiB"]);
    Finished::of(
        solvekit(["build", "--progress=plain"])
            .env("BUILDKIT_HOST", "unix:///nonexistent/socket")
            .env("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY", ENDLESS)
            .arg(folder.path()),
    )
    .failed_with(1, &[ENDLESS, "the limit of 16 MiB"]);
}

#[test]
fn a_case_without_end_is_answered_and_so_is_the_next_one() {
    let folder = context();
    let cases = format!(
        "{{\"id\": 1, \"dockerfile\": {ENDLESS:?}}}\n\
         {{\"id\": 2, \"text\": \"FROM scratch\", \"lock\": {ENDLESS:?}}}\n\
         {{\"id\": 3, \"text\": \"FROM scratch\"}}\n"
    );
    let path = folder.path().join("cases.jsonl");
    fs::write(&path, cases).unwrap();
    let run = Finished::of(solvekit(["llb", "--offline", "--batch"]).arg(&path)).succeeded();
    let answers: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let errors = answers.iter().map(|answer| answer["error"].as_str());
    let errors: Vec<&str> = errors.map(Option::unwrap_or_default).collect();
    assert!(errors[0].contains("the limit of 16 MiB"), "{errors:?}");
    assert!(errors[1].contains("the limit of 64 MiB"), "{errors:?}");
    assert_eq!((errors[2], &answers[2]["id"]), ("", &3.into()));
}
