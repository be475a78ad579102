//! `solvekit bake --changed-since` in a real git repository. No engine is needed.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Finished, solvekit, working_tree_of};
use tempfile::TempDir;

const FILES: [(&str, &str); 7] = [
    (
        "docker-bake.hcl",
        r#"
        variable "VERSION" { default = "1" }
        group "default" { targets = ["app", "db", "tools"] }
        target "app" {
          context = "app"
          args = { VERSION = VERSION }
        }
        target "db" { context = "db" }
        target "tools" {
          context = "tools"
          contexts = { base = "target:db" }
        }
        "#,
    ),
    ("app/Dockerfile", "FROM scratch\nARG VERSION\nCOPY src /\n"),
    ("app/src/main.rs", "fn main() {}\n"),
    ("db/Dockerfile", "FROM scratch\nCOPY *.sql /\n"),
    ("db/a.sql", "select 1\n"),
    ("tools/Dockerfile", "FROM base\nCOPY tool /\n"),
    ("tools/tool", "x"),
];

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

fn write(folder: &TempDir, path: &str, text: &str) {
    fs::write(folder.path().join(path), text).unwrap();
}

fn run(folder: &Path, arguments: &[&str]) -> Finished {
    let mut command = solvekit(["bake", "--print"]);
    command.args(arguments).current_dir(folder);
    Finished::of(command.env("GIT_CONFIG_GLOBAL", "/dev/null"))
}

/// The targets that remain, and the messages.
fn since(folder: &Path, reference: &str, more: &[&str]) -> (Vec<String>, String) {
    let done = run(folder, &[&["--changed-since", reference], more].concat()).succeeded();
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    let targets = printed["target"].as_object().unwrap().keys().cloned();
    (targets.collect(), done.stderr)
}

#[test]
fn targets_without_changes_are_left_out_and_reported() {
    let folder = working_tree_of(&FILES);
    let (none, printed) = since(folder.path(), "HEAD", &[]);
    assert!(none.is_empty(), "{none:?}");
    assert!(
        printed.contains("app: left out, nothing that it reads changed since HEAD\n"),
        "{printed}"
    );
    write(&folder, "app/src/main.rs", "fn main() { }\n");
    write(&folder, "app/README.md", "not copied\n");
    let (app, printed) = since(folder.path(), "HEAD", &[]);
    assert_eq!(app, ["app"]);
    assert!(
        printed.contains("app: built, app/src/main.rs changed\n"),
        "{printed}"
    );
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-qm", "second"]);
    let (none, _) = since(folder.path(), "HEAD", &[]);
    assert!(none.is_empty(), "{none:?}");
    assert_eq!(since(folder.path(), "HEAD~1", &[]).0, ["app"]);
    // From a folder in the repository, and with a deleted file.
    fs::remove_file(folder.path().join("db/a.sql")).unwrap();
    let inside = folder.path().join("app");
    let (both, printed) = since(
        &inside,
        "HEAD",
        &["-f", "../docker-bake.hcl", "--set=db.context=../db", "db"],
    );
    assert_eq!(both, ["db"]);
    assert!(
        printed.contains("db: built, db/a.sql changed\n"),
        "{printed}"
    );
}

#[test]
fn linked_targets_are_built_together() {
    let folder = working_tree_of(&FILES);
    write(&folder, "db/a.sql", "select 2\n");
    let (targets, printed) = since(folder.path(), "HEAD", &[]);
    assert_eq!(targets, ["db", "tools"]);
    assert!(
        printed.contains("tools: built, it links to db, which is built\n"),
        "{printed}"
    );
    git(folder.path(), &["commit", "-qam", "second"]);
    write(&folder, "tools/tool", "y");
    let done = run(folder.path(), &["--changed-since=HEAD"]).succeeded();
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(printed["target"]["db"]["output"][0]["type"], "cacheonly");
    assert_eq!(
        printed["group"]["default"]["targets"],
        serde_json::json!(["tools"])
    );
}

#[test]
fn a_change_of_the_bake_file_counts_for_its_targets_only() {
    let folder = working_tree_of(&FILES);
    let text = FILES[0].1.replace("default = \"1\"", "default = \"2\"");
    write(&folder, "docker-bake.hcl", &format!("# a comment\n{text}"));
    let (targets, printed) = since(folder.path(), "HEAD", &[]);
    assert_eq!(targets, ["app"]);
    assert!(
        printed.contains("app: built, its definition changed: args\n"),
        "{printed}"
    );
    write(
        &folder,
        "docker-bake.hcl",
        &format!("{text}\ntarget \"new\" {{ context = \"db\" }}\n"),
    );
    let (targets, printed) = since(folder.path(), "HEAD", &["new", "db"]);
    assert_eq!(targets, ["new"]);
    assert!(printed.contains("new: built, it is new\n"), "{printed}");
    git(folder.path(), &["commit", "-qam", "second"]);
    write(
        &folder,
        "docker-bake.override.hcl",
        "target \"db\" { labels = { a = \"b\" } }\n",
    );
    let (targets, printed) = since(folder.path(), "HEAD", &[]);
    assert_eq!(targets, ["db", "tools"]);
    assert!(
        printed.contains("db: built, its definition changed: labels\n"),
        "{printed}"
    );
}

#[test]
fn files_that_git_does_not_record_are_built() {
    let folder = working_tree_of(&[&FILES[..], &[(".gitignore", "*.tmp.sql\n")]].concat());
    write(&folder, "db/made.tmp.sql", "select 3\n");
    let (targets, printed) = since(folder.path(), "HEAD", &["db"]);
    assert_eq!(targets, ["db"]);
    assert!(
        printed.contains("db: built, db/made.tmp.sql is not in git\n"),
        "{printed}"
    );
    fs::remove_file(folder.path().join("db/made.tmp.sql")).unwrap();
    git(
        folder.path(),
        &["update-index", "--assume-unchanged", "app/src/main.rs"],
    );
    let (targets, printed) = since(folder.path(), "HEAD", &[]);
    assert_eq!(targets, ["app"], "{printed}");
}

#[test]
fn a_submodule_counts_as_one_file() {
    let library = working_tree_of(&[("lib.c", "int a;\n")]);
    let folder = working_tree_of(&[
        ("docker-bake.hcl", "target \"default\" {}\n"),
        ("Dockerfile", "FROM scratch\nCOPY lib/lib.c /\n"),
    ]);
    let from = library.path().to_str().unwrap();
    git(
        folder.path(),
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            from,
            "lib",
        ],
    );
    git(folder.path(), &["commit", "-qm", "second"]);
    assert!(since(folder.path(), "HEAD", &[]).0.is_empty());
    write(&folder, "lib/lib.c", "int b;\n");
    let (targets, printed) = since(folder.path(), "HEAD", &[]);
    assert_eq!(targets, ["default"]);
    assert!(
        printed.contains("default: built, lib changed\n"),
        "{printed}"
    );
}

#[test]
fn compose_files_are_compared_with_what_they_include() {
    let compose =
        "services:\n  app: {build: {context: app, args: {VERSION: \"${V}\"}}}\n  db: {build: db}\n";
    let folder = working_tree_of(&[
        ("compose.yaml", compose),
        (".env", "V=1\n"),
        ("app/Dockerfile", "FROM scratch\nCOPY a /\n"),
        ("app/a", "1"),
        ("db/Dockerfile", "FROM scratch\nCOPY b /\n"),
        ("db/b", "1"),
    ]);
    assert!(since(folder.path(), "HEAD", &[]).0.is_empty());
    write(&folder, ".env", "V=2\n");
    assert_eq!(since(folder.path(), "HEAD", &[]).0, ["app"]);
}

#[test]
fn what_cannot_be_compared_is_an_error_or_built() {
    let folder = working_tree_of(&FILES);
    let unknown = run(folder.path(), &["--changed-since=nowhere"]);
    unknown.failed_with(
        1,
        &[
            "--changed-since nowhere: git knows no such commit",
            "git fetch",
        ],
    );
    let option = run(folder.path(), &["--changed-since=--output=x"]);
    option.failed_with(1, &["git knows no such commit"]);
    let plain = support::folder_of(&FILES);
    let none = run(plain.path(), &["--changed-since=HEAD"]);
    none.failed_with(1, &["this is not a git repository"]);
    let both = run(folder.path(), &["--changed-since=HEAD", "--list=targets"]);
    both.failed_with(1, &["cannot be used with"]);
    write(
        &folder,
        "other.hcl",
        "target \"default\" { context = \"db\" }\n",
    );
    let (targets, printed) = since(folder.path(), "HEAD", &["-f", "other.hcl"]);
    assert_eq!(targets, ["default"]);
    assert!(printed.contains("other.hcl: no such file"), "{printed}");
    let mut piped = solvekit(["bake", "--print", "--changed-since=HEAD", "-f", "-"]);
    piped.current_dir(folder.path());
    let piped =
        Finished::with_input(&mut piped, "target \"default\" { context = \"db\" }\n").succeeded();
    assert!(
        piped.stderr.contains("default: built, "),
        "{}",
        piped.stderr
    );
}

#[test]
fn nothing_to_build_asks_no_daemon() {
    let folder = working_tree_of(&FILES);
    let mut command = solvekit([
        "bake",
        "--changed-since=HEAD",
        "--addr=unix:///nowhere/b.sock",
    ]);
    command.args(["--metadata-file", "metadata.json"]);
    let done = Finished::of(command.current_dir(folder.path())).succeeded();
    assert!(
        done.stderr.ends_with("nothing to build\n"),
        "{}",
        done.stderr
    );
    assert_eq!(
        fs::read(folder.path().join("metadata.json")).unwrap(),
        b"{}"
    );
}
