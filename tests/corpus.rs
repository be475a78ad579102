//! Compares the answers of BuildKit's own frontend for thousands of Dockerfiles with those of this
//! crate.
//!
//! The corpus is in `$SOLVEKIT_CORPUS`, or in `../shared/corpus` beside the checkout: cases, base
//! images and expected answers. All answers are written to `target/corpus/answers.jsonl`, in the
//! format of the corpus' `compare.py`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use solvekit::batch::{self, Case};
use solvekit::dockerfile::Rule;
use solvekit::lock::Lock;

/// Fields that must be equal in every case.
const FIELDS: &[&str] = &[
    "error",
    "errorRanges",
    "head",
    "terminal",
    "vertices",
    "image",
    "baseImage",
    "epoch",
    "ignoreCache",
    "sbomExtras",
    "results",
    "requestedImages",
    "warnings",
    "lint",
    "syntax",
    "outline",
    "targets",
];

#[test]
fn every_case_is_translated_as_the_reference_does() {
    let Some(corpus) = find() else { return };
    let cases = read_lines(&std::fs::read_to_string(corpus.join("cases.jsonl")).unwrap());
    let mut locks = BTreeMap::new();
    let mut answers = BTreeMap::new();
    for case in &cases {
        let case: Case = serde_json::from_value(case.clone()).unwrap();
        let lock = case.lock.clone().unwrap();
        let lock = locks
            .entry(lock.clone())
            .or_insert_with(|| Lock::parse(&std::fs::read(corpus.join(lock)).unwrap()).unwrap());
        let source = std::fs::read(corpus.join(case.dockerfile.as_ref().unwrap())).unwrap();
        let answer = batch::answer(&case, &source, lock);
        answers.insert(case.id.as_str().unwrap().to_owned(), answer);
    }
    write_answers(answers.values());
    let mut differing = Vec::new();
    for want in expected(&corpus) {
        let id = text(&want, "id");
        let bad: Vec<&str> = FIELDS
            .iter()
            .copied()
            .filter(|field| !agrees(field, &want, &answers[id]))
            .collect();
        if !bad.is_empty() {
            differing.push(format!("{id}: {}", bad.join(", ")));
        }
    }
    let shown = differing
        .iter()
        .take(40)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differing.is_empty(),
        "{} of {} cases differ:\n{shown}",
        differing.len(),
        cases.len()
    );
}

/// The folder of the corpus. `None`, with a printed reason, if it does not exist.
fn find() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let path = std::env::var_os("SOLVEKIT_CORPUS").map_or(beside, PathBuf::from);
    if path.join("cases.jsonl").is_file() {
        return Some(path);
    }
    let wanted = std::env::var_os("SOLVEKIT_CORPUS").is_some()
        || std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!wanted, "the corpus is not at {}", path.display());
    eprintln!(
        "skipped: no corpus at {}; set SOLVEKIT_CORPUS to its folder",
        path.display()
    );
    None
}

fn read_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn expected(corpus: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(corpus.join("expected")).unwrap() {
        let output = Command::new("gzip")
            .arg("-dc")
            .arg(entry.unwrap().path())
            .output()
            .unwrap();
        assert!(output.status.success());
        all.extend(read_lines(&String::from_utf8(output.stdout).unwrap()));
    }
    all
}

fn write_answers<'a>(answers: impl Iterator<Item = &'a Value>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("corpus");
    std::fs::create_dir_all(&folder).unwrap();
    let mut file =
        std::io::BufWriter::new(std::fs::File::create(folder.join("answers.jsonl")).unwrap());
    for answer in answers {
        writeln!(file, "{answer}").unwrap();
    }
}

/// Facts must be equal, but wording may differ. If the reference's own answers vary, each of them
/// is accepted.
fn agrees(field: &str, want: &Value, got: &Value) -> bool {
    let others = want["alt"]
        .get(field)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if field == "errorRanges" && want["alt"].get("error").is_some() {
        return true;
    }
    let got = plain(field, &got[field]);
    plain(field, &want[field]) == got || others.iter().any(|other| plain(field, other) == got)
}

fn plain(field: &str, value: &Value) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let sorted = |mut items: Vec<String>| -> Value {
        items.sort();
        items.into()
    };
    match field {
        "error" => (!value.is_null()).into(),
        "warnings" | "lint" => {
            let findings = if value.is_object() {
                list(&value["warnings"])
            } else {
                list(value)
            };
            // The reference does not have this crate's own rules.
            let is_ours = |finding: &&Value| {
                let mut ours = Rule::ALL.iter().filter(|rule| rule.is_ours());
                ours.any(|rule| finding["rule"] == rule.name())
            };
            sorted(
                findings
                    .iter()
                    .filter(|finding| !is_ours(finding))
                    .map(|finding| format!("{} {}", finding["rule"], finding["line"]))
                    .collect(),
            )
        }
        // The reference panics in `targets` if a comment has check options; this crate answers.
        "outline" | "targets" if !value["error"].is_null() => "error".into(),
        "requestedImages" => {
            let images = list(value)
                .into_iter()
                .filter(|image| image["kind"] == "docker-image" || image["kind"] == "oci-layout");
            sorted(
                images
                    .map(|image| format!("{} {}", image["ref"], image["platform"]))
                    .collect(),
            )
        }
        _ => value.clone(),
    }
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}
