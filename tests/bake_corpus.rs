//! Compares the results of `docker buildx bake` for hundreds of bake files with those of the
//! command, using the corpus' own `run.py`.
//!
//! The corpus is in `$SOLVEKIT_BAKE_CORPUS`, or in `../shared/bake-corpus` beside the checkout.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_case_is_answered_as_the_reference_does() {
    let Some(corpus) = find() else { return };
    let output = Command::new("python3")
        .arg(corpus.join("run.py"))
        .args([env!("CARGO_BIN_EXE_solvekit"), "-v"])
        .output()
        .expect("python3 runs the corpus");
    let answer = String::from_utf8_lossy(&output.stdout);
    let last = answer.lines().last().unwrap_or_default();
    let (agree, all) = last
        .strip_suffix(" cases agree")
        .and_then(|counts| counts.split_once(" of "))
        .unwrap_or_else(|| panic!("{answer}\n{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(agree, all, "{answer}");
    assert!(all.parse::<u32>().unwrap() > 1900, "{last}");
}

fn find() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/bake-corpus");
    let named = std::env::var_os("SOLVEKIT_BAKE_CORPUS");
    let path = named.clone().map_or(beside, PathBuf::from);
    if path.join("cases.jsonl").is_file() {
        return Some(path);
    }
    let wanted = named.is_some() || std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!wanted, "the bake corpus is not at {}", path.display());
    eprintln!(
        "skipped: no corpus at {}; set SOLVEKIT_BAKE_CORPUS to its folder",
        path.display()
    );
    None
}
