//! The corpus: the results of `docker buildx bake` for a thousand folders, compared to this
//! crate's.
//!
//! `$SOLVEKIT_BAKE_CORPUS` or `../shared/bake-corpus` beside the checkout has the cases and the
//! expected results. Flags and checks of the command are tested with the command.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

mod corpus_support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use corpus_support::{Case, agrees};
use serde_json::Value;

/// The number of errors that only appear when a build is prepared: the reference gives them no
/// position, and this crate leaves them to the command.
const LEFT_TO_THE_COMMAND: usize = 24;

#[test]
fn every_case_is_answered_as_the_reference_does() {
    let Some(corpus) = find() else { return };
    let expected: BTreeMap<String, Value> = read_lines(&corpus.join("expected.jsonl"))
        .into_iter()
        .map(|answer| (answer["id"].as_str().unwrap().to_owned(), answer))
        .collect();
    let mut differing = Vec::new();
    let mut left = Vec::new();
    let mut answered = 0;
    for case in read_lines(&corpus.join("cases.jsonl")) {
        let Some(case) = Case::read(&case) else {
            continue;
        };
        let want = &expected[&case.id];
        let got = case.answer(&corpus.join("files"));
        answered += 1;
        if agrees(want, &got) {
            continue;
        }
        let refused = want["exit"] != 0 && want.get("line").is_none();
        if refused && got["exit"] == 0 {
            left.push(case.id);
        } else {
            differing.push(case.id);
        }
    }
    assert!(answered > 1750, "only {answered} cases were answered");
    assert!(
        differing.is_empty(),
        "{} of {answered} cases differ: {}",
        differing.len(),
        differing.join(" ")
    );
    assert!(
        left.len() <= LEFT_TO_THE_COMMAND,
        "{} mistakes are not refused: {}",
        left.len(),
        left.join(" ")
    );
}

/// Returns the folder of the corpus. It must exist in CI, or if the variable is set.
fn find() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bake-corpus");
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

fn read_lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
