//! `context ls`: lists the files that would be sent.

use serde_json::{Value, json};

use crate::support::{Finished, folder_of, solvekit};

#[test]
fn each_file_is_included_or_kept_back_by_a_rule() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY . /\n"),
        (".dockerignore", "target\n*.log\n!keep.log\nunused\n"),
        ("target/debug/big", &"x".repeat(70_000)),
        ("src/main.rs", "fn main() {}"),
        ("a.log", "1234"),
        ("keep.log", "12"),
    ]);
    let table = Finished::of(solvekit(["context", "ls"]).arg(context.path())).succeeded();
    for line in [
        "12B         1  src/",
        "INCLUDED",
        "70kB         1  target",
        "4B         1  *.log",
        "0B         0  unused",
    ] {
        assert!(table.stdout.contains(line), "{line:?}:\n{}", table.stdout);
    }
    let listed = ["context", "ls", "--format=json", "--largest=1"];
    let listed = Finished::of(solvekit(listed).arg(context.path())).succeeded();
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert_eq!(listed["included"]["files"], 4);
    assert_eq!(
        listed["largest"],
        json!([{ "path": ".dockerignore", "bytes": 30 }])
    );
    assert_eq!(
        listed["excluded"],
        json!([
            { "rule": "*.log", "files": 1, "bytes": 4 },
            { "rule": "target", "files": 1, "bytes": 70_000 },
            { "rule": "unused", "files": 0, "bytes": 0 },
        ])
    );
}

#[test]
fn only_folders_can_be_listed() {
    Finished::of(&mut solvekit(["context", "ls", "https://localhost/a.git"]))
        .failed_with(1, &["not a folder of this machine"]);
}
