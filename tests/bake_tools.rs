//! What `solvekit bake` tells of bake files without building: the command itself, without an engine.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with files, given as pairs of path and content.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, content) in files {
        let path = folder.path().join(path);
        let parent = path.parent().expect("a file has a folder");
        std::fs::create_dir_all(parent).expect("a folder can be made");
        std::fs::write(path, content).expect("a file can be written");
    }
    folder
}

/// `solvekit bake` in a folder, with an environment of its own.
fn bake(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solvekit"));
    command.arg("bake").args(arguments).current_dir(folder);
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command
        .env("HOME", "/nowhere")
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    command
}

/// The code, stdout and stderr of a command.
fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the command can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// The stdout of a command that succeeds.
fn answer(command: &mut Command) -> String {
    let (code, stdout, stderr) = ended(command);
    assert_eq!(code, Some(0), "{stderr}");
    stdout
}

#[test]
fn a_graph_shows_what_is_named_or_all() {
    let folder = folder(&[(
        "docker-bake.hcl",
        r#"
        group "default" { targets = ["app"] }
        target "app" {
          contexts = { base = "target:base" }
        }
        target "base" { context = "base" }
        target "other" { context = "other" }
        "#,
    )]);
    let all = answer(&mut bake(folder.path(), &["--graph"]));
    assert!(
        all.starts_with("flowchart LR\n    n0([\"default\"])\n"),
        "{all}"
    );
    assert!(all.contains("n1 == \"base\" ==> n2\n"), "{all}");
    assert!(all.contains("n3[\"other\"]"), "{all}");
    let base = answer(&mut bake(folder.path(), &["--graph=dot", "base"]));
    assert_eq!(
        base,
        "digraph bake {\n    rankdir=LR;\n    n0 [label=\"base\", shape=box];\n}\n"
    );
    let (code, _, stderr) = ended(&mut bake(folder.path(), &["--graph=svg"]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("mermaid"), "{stderr}");
}

#[test]
fn an_explanation_names_the_value_and_its_places() {
    let folder = folder(&[(
        "docker-bake.hcl",
        r#"variable "VERSION" { default = "1" }
target "base" {
  args = { A = "0" }
}
target "app" {
  inherits = ["base"]
  args = { B = VERSION }
}
"#,
    )]);
    let arguments = ["--explain", "app.args", "--explain", "app.args.B"];
    let mut command = bake(folder.path(), &arguments);
    let told = answer(command.env("VERSION", "2").args(["--set", "app.args.B=3"]));
    assert_eq!(
        told,
        r#"app.args = {"A":"0","B":"3"}
  counts    --set app.args.B=3
  counts    docker-bake.hcl:7  args = { B = VERSION }
              VERSION = "2": variable VERSION of the environment
  counts    docker-bake.hcl:3  args = { A = "0" }  (inherited from base)
app.args.B = "3"
  counts    --set app.args.B=3
  replaced  docker-bake.hcl:7  args = { B = VERSION }
              VERSION = "2": variable VERSION of the environment
"#
    );
    let dockerfile = answer(&mut bake(folder.path(), &["--explain=app.dockerfile"]));
    assert_eq!(
        dockerfile,
        "app.dockerfile = \"Dockerfile\"\n  default   nothing sets it\n"
    );
    let (code, stdout, stderr) = ended(&mut bake(folder.path(), &["--explain=app.tag"]));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.contains("a target has no attribute \"tag\""),
        "{stderr}"
    );
    assert!(stderr.contains("did you mean \"tags\"?"), "{stderr}");
}
