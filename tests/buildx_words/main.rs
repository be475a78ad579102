//! Compares this program's messages, called as buildx, with those of buildx v0.36.1, which `record`
//! in this folder stores. No engine is needed.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, unreachable_pub)]
#[path = "../support/command.rs"]
mod command;

use command::{Finished, called, solvekit};
use serde::Deserialize;

const NO_ENGINE: &str = "unix:///nonexistent/docker.sock";

/// A command, with the result of buildx.
#[derive(Debug, Deserialize)]
struct Said {
    words: String,
    code: i32,
    /// `(help)` for help texts, which differ.
    stdout: String,
    stderr: String,
}

/// Removes the indented advice below an error; buildx has none.
fn without_advice(stderr: &str) -> String {
    let lines = stderr.lines().filter(|line| !line.starts_with("  "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Sorts the lines: buildx removes several builders at once, in any order.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn mistakes_are_reported_as_buildx_reports_them() {
    let folder = tempfile::tempdir().unwrap();
    let docker = folder.path().join("docker");
    std::fs::create_dir(&docker).unwrap();
    let all: Vec<Said> = serde_json::from_str(include_str!("said.json")).unwrap();
    assert!(all.len() > 60, "{}", all.len());
    let mut different = Vec::new();
    for said in &all {
        let mut command = called("buildx", folder.path(), &solvekit(said.words.split(' ')));
        command.current_dir(folder.path());
        command
            .env("DOCKER_CONFIG", &docker)
            .env("HOME", folder.path());
        command.env("DOCKER_HOST", NO_ENGINE);
        // Set where an engine is up.
        command.env_remove("BUILDKIT_HOST");
        let found = Finished::of(&mut command);
        let has_stdout = match said.stdout.as_str() {
            "(help)\n" => found.stdout.contains("Usage: buildx"),
            stdout => found.stdout == stdout,
        };
        let stderr = without_advice(&found.stderr);
        if !has_stdout || found.code != Some(said.code) || sorted(&stderr) != sorted(&said.stderr) {
            different.push(format!("{said:#?}\n{found:#?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
