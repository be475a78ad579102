//! Compares this program's messages, called as buildctl, with those of buildctl v0.32, which
//! `record` in this folder stores. No daemon is needed.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, unreachable_pub)]
#[path = "../support/command.rs"]
mod command;

use command::{Finished, called, solvekit};
use serde::Deserialize;

/// A command, with the result of buildctl.
#[derive(Debug, Deserialize)]
struct Case {
    words: String,
    code: i32,
    /// The lines that are not empty.
    stderr: Vec<String>,
}

/// The lines that are neither empty nor indented: buildctl has no advice below an error.
fn messages(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines().filter(|line| !line.starts_with("  "));
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn mistakes_are_reported_as_buildctl_reports_them() {
    let all: Vec<Case> = serde_json::from_str(include_str!("cases.json")).unwrap();
    assert!(all.len() > 20, "{}", all.len());
    let mut different = Vec::new();
    for case in &all {
        let folder = tempfile::tempdir().unwrap();
        let mut command = called("buildctl", folder.path(), &solvekit(case.words.split(' ')));
        command.current_dir(folder.path());
        command
            .env("BUILDKIT_HOST", "unix:///nonexistent/buildkitd.sock")
            .env("HOME", folder.path());
        for variable in ["DOCKER_HOST", "KUBECONFIG", "SSH_AUTH_SOCK"] {
            command.env_remove(variable);
        }
        let found = Finished::of(&mut command);
        if found.code != Some(case.code) || messages(&found.stderr) != case.stderr {
            different.push(format!("{case:#?}\n{found:#?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
