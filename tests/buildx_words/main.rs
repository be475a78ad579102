//! Compares this program's messages, called as buildx, with those of buildx v0.36.1, which `record`
//! in this folder stores. No engine is needed.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, unreachable_pub)]
#[path = "../support/command.rs"]
mod command;

use std::path::Path;
use std::process::Command;

use command::{Finished, called, solvekit};
use serde::Deserialize;

const NO_ENGINE: &str = "unix:///nonexistent/docker.sock";

/// A command, with the result of buildx.
#[derive(Debug, Deserialize)]
struct Case {
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

/// Sets the duration of each step to zero.
fn without_time(stderr: &str) -> String {
    let lines = stderr.lines().map(|line| match line.split_once(" DONE ") {
        Some((number, _)) if number.starts_with('#') => format!("{number} DONE 0.0s\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// Sorts the lines: buildx removes several builders at once, in any order.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// This program called as buildx in a folder, on a machine without an engine or a cluster.
fn buildx<'w>(folder: &Path, words: impl IntoIterator<Item = &'w str>) -> Command {
    let mut command = called("buildx", folder, &solvekit(words));
    command.current_dir(folder);
    command.env("DOCKER_CONFIG", folder.join("docker"));
    command.env("HOME", folder).env("DOCKER_HOST", NO_ENGINE);
    for variable in ["BUILDKIT_HOST", "KUBECONFIG", "KUBERNETES_SERVICE_HOST"] {
        command.env_remove(variable);
    }
    command
}

#[test]
fn mistakes_are_reported_as_buildx_reports_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("docker")).unwrap();
    let all: Vec<Case> = serde_json::from_str(include_str!("cases.json")).unwrap();
    assert!(all.len() > 60, "{}", all.len());
    let mut different = Vec::new();
    for case in &all {
        let found = Finished::of(&mut buildx(folder.path(), case.words.split(' ')));
        let has_stdout = match case.stdout.as_str() {
            "(help)\n" => found.stdout.contains("Usage: buildx"),
            stdout => found.stdout == stdout,
        };
        let stderr = without_advice(&found.stderr);
        if !has_stdout || found.code != Some(case.code) || sorted(&stderr) != sorted(&case.stderr) {
            different.push(format!("{case:#?}\n{found:#?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

/// A bake file with a mistake, and buildx's stderr.
#[derive(Debug, Deserialize)]
struct BakeCase {
    file: String,
    text: String,
    stderr: String,
}

#[test]
fn mistakes_in_bake_files_are_reported_as_buildx_reports_them() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<BakeCase> = serde_json::from_str(include_str!("bake.json")).unwrap();
    assert!(all.len() > 10, "{}", all.len());
    let mut different = Vec::new();
    for case in &all {
        std::fs::write(folder.path().join(&case.file), &case.text).unwrap();
        let words = ["bake", "--print", "-f", &case.file];
        let found = Finished::of(&mut buildx(folder.path(), words));
        let stderr = without_time(&without_advice(&found.stderr));
        let is_same = stderr == without_advice(&case.stderr);
        if !is_same || found.code != Some(1) {
            different.push(format!("{case:#?}\n{found:#?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

/// The parts of a check's text: its first line, and each warning with its lines. BuildKit has no
/// fixed order for warnings of the same line.
fn warnings(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split("\nWARNING: ").map(str::trim_end).collect();
    parts.sort_unstable();
    parts
}

/// `check.txt` is what buildx prints for this Dockerfile, with BuildKit v0.32.2.
#[test]
fn a_check_has_buildkit_s_words() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("Dockerfile", include_str!("check.Dockerfile"));
    write(".dockerignore", "ignored\n");
    write("ignored", "");
    let found = Finished::of(&mut buildx(folder.path(), ["build", "--check", "."]));
    assert_eq!(
        warnings(&found.stdout),
        warnings(include_str!("check.txt")),
        "{found:#?}"
    );
    assert_eq!(found.code, Some(1), "{found:#?}");
}
