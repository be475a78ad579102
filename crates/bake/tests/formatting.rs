//! Formatting keeps the meaning of all HCL files of the corpus, and formatting the result again
//! changes nothing.
//!
//! `$SOLVEKIT_BAKE_CORPUS` or `../shared/bake-corpus` beside the checkout has the files.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::path::{Path, PathBuf};

use solvekit_bake::format::format;
use solvekit_bake::target::Definition;
use solvekit_bake::{Environment, InputFile, Isolated, Kind, Options, evaluate};

#[test]
fn formatted_files_mean_the_same_and_stay_as_they_are() {
    let Some(files) = find() else { return };
    let mut paths = Vec::new();
    collect(&files, &mut paths);
    let (mut formatted, mut changed) = (0, 0);
    for path in &paths {
        let bytes = std::fs::read(path).unwrap();
        let Ok(once) = format(&bytes, "f.hcl") else {
            // Both reject a file that is not HCL.
            assert!(evaluated(&bytes).is_err(), "{}", path.display());
            continue;
        };
        let twice = format(once.as_bytes(), "f.hcl").unwrap();
        assert_eq!(once, twice, "{}", path.display());
        let after = evaluated(once.as_bytes());
        assert_eq!(evaluated(&bytes), after, "{}", path.display());
        formatted += 1;
        changed += usize::from(once.as_bytes() != bytes);
    }
    assert!(
        formatted > 500 && changed > 50,
        "{formatted} formatted, {changed} changed"
    );
}

/// Returns the groups and targets, or the kind of the error: messages may contain positions.
fn evaluated(bytes: &[u8]) -> Result<Definition, Kind> {
    let file = InputFile {
        name: "f.hcl".into(),
        bytes: bytes.to_vec(),
    };
    let environment = Environment::default();
    evaluate(
        &[file],
        &environment,
        &Isolated,
        &Isolated,
        Options::default(),
    )
    .map(|evaluation| evaluation.definition)
    .map_err(|error| error.kind)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "hcl") {
            paths.push(path);
        }
    }
}

/// Returns the files of the corpus. They must exist in CI, or if the variable is set.
fn find() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bake-corpus");
    let named = std::env::var_os("SOLVEKIT_BAKE_CORPUS");
    let path = named.clone().map_or(beside, PathBuf::from).join("files");
    if path.is_dir() {
        return Some(path);
    }
    let wanted = named.is_some() || std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!wanted, "the bake corpus is not at {}", path.display());
    eprintln!("skipped: no corpus at {}", path.display());
    None
}
