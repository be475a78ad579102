//! The tools of `solvekit bake` that build nothing, run through the command without an engine.

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

/// `solvekit bake` in a folder, with a clean environment.
fn bake(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solvekit"));
    command.arg("bake").args(arguments).current_dir(folder);
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command
        .env("HOME", "/proc/nowhere")
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    command
}

/// The exit code, stdout and stderr of a command.
fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the command can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// The stdout of a command, which must succeed.
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
    assert_eq!(code, Some(1), "{stderr}");
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
    let printed = answer(command.env("VERSION", "2").args(["--set", "app.args.B=3"]));
    assert_eq!(
        printed,
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

#[test]
fn a_check_finds_mistakes_of_bake_files_and_dockerfiles() {
    let folder = folder(&[
        (
            "docker-bake.hcl",
            "group \"default\" { targets = [\"a\", \"b\"] }\ntarget \"a\" {\n  tag = [\"x\"]\n}\n\
             target \"b\" {\n  context = \"b\"\n}\ntarget \"c\" {\n  context = \"b\"\n}\n",
        ),
        ("Dockerfile", "FROM alpine as x\nCMD echo hi\n"),
        ("b/Dockerfile", "FROM scratch\nENV TOKEN=x\n"),
    ]);
    let (code, stdout, stderr) = ended(&mut bake(folder.path(), &["check", "--offline"]));
    assert_eq!((code, stderr.as_str()), (Some(1), ""), "{stdout}");
    let lines: Vec<&str> = stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(
        lines,
        [
            "docker-bake.hcl:3: UnknownAttribute: a target has no attribute \"tag\": did you mean \
             \"tags\"?",
            "docker-bake.hcl:8: UnusedTarget: target c is in no group, and no other target uses it",
            "Dockerfile:1: FromAsCasing: \"as\" has another case than \"FROM\"",
            "Dockerfile:2: JSONArgsRecommended: CMD runs in a shell, which keeps signals from it; \
             use a \
             JSON array",
            "b/Dockerfile:2: SecretsUsedInArgOrEnv: ENV \"TOKEN\" ends up in the image; mount it \
             as a \
             secret",
            "5 findings",
        ]
    );
    let (code, json, _) = ended(&mut bake(
        folder.path(),
        &["check", "--offline", "--format=json", "b"],
    ));
    assert_eq!(code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let last = json["findings"].as_array().and_then(|list| list.last());
    let last = last.expect("there are findings");
    assert_eq!(last["file"], "b/Dockerfile");
    assert_eq!(
        (&last["line"], &last["rule"]),
        (&2.into(), &"SecretsUsedInArgOrEnv".into())
    );
}

#[test]
fn files_without_findings_pass_and_a_target_named_check_wins() {
    let clean = folder(&[
        ("docker-bake.hcl", "target \"default\" {}\n"),
        ("Dockerfile", "FROM scratch\nCOPY . /\n"),
    ]);
    assert_eq!(
        answer(&mut bake(clean.path(), &["check", "--offline"])),
        "no findings\n"
    );
    let named = folder(&[("docker-bake.hcl", "target \"check\" { tags = [\"t\"] }\n")]);
    let (code, stdout, stderr) = ended(&mut bake(named.path(), &["check", "--print"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("\"check\": {"), "{stdout}");
    assert!(
        stderr.contains("check is a target of these files"),
        "{stderr}"
    );
    let (code, _, stderr) = ended(&mut bake(named.path(), &["--format=json"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("--format needs bake check"), "{stderr}");
}

#[test]
fn files_are_formatted_checked_or_passed_through() {
    let folder = folder(&[
        ("docker-bake.hcl", "target \"a\" {\ntags=[\"t\"]\n}\n"),
        ("b.hcl", "a = 1\n"),
    ]);
    let (code, stdout, stderr) = ended(&mut bake(folder.path(), &["fmt", "--check"]));
    assert_eq!(
        (code, stdout.as_str()),
        (Some(1), "docker-bake.hcl\n"),
        "{stderr}"
    );
    assert_eq!(
        answer(&mut bake(
            folder.path(),
            &["fmt", "docker-bake.hcl", "b.hcl"]
        )),
        "docker-bake.hcl\n"
    );
    let written = std::fs::read_to_string(folder.path().join("docker-bake.hcl"));
    assert_eq!(
        written.expect("the file is there"),
        "target \"a\" {\n  tags = [\"t\"]\n}\n"
    );
    assert_eq!(answer(&mut bake(folder.path(), &["fmt", "--check"])), "");
    let stdin = std::fs::File::open(folder.path().join("b.hcl")).expect("the file is there");
    assert_eq!(
        answer(bake(folder.path(), &["fmt", "-"]).stdin(stdin)),
        "a = 1\n"
    );
    std::fs::write(folder.path().join("bad.hcl"), "a = [\n").expect("a file can be written");
    let (code, _, stderr) = ended(&mut bake(folder.path(), &["fmt", "bad.hcl"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("bad.hcl:"), "{stderr}");
    std::fs::write(folder.path().join("b.hcl"), "target \"fmt\" {}\n")
        .expect("a file can be written");
    let (code, stdout, stderr) =
        ended(&mut bake(folder.path(), &["-f", "b.hcl", "fmt", "--print"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("\"fmt\": {"), "{stdout}");
    assert!(
        stderr.contains("fmt is a target of these files"),
        "{stderr}"
    );
}

#[test]
fn a_target_that_cannot_be_built_is_reported_in_the_words_of_bake_files() {
    let folder = folder(&[
        (
            "docker-bake.hcl",
            "target \"context\" { context = \"ap\" }\n\
             target \"file\" { dockerfile = \"No.Dockerfile\" }\n\
             target \"syntax\" { dockerfile-inline = \"FROM scratch\\nFOO\\n\" }\n\
             target \"network\" { network = \"backend\" }\n",
        ),
        ("app/Dockerfile", "FROM scratch\n"),
        ("Dockerfile", "FROM scratch\n"),
    ]);
    for (target, expected) in [
        ("context", "did you mean context = \"app\"?"),
        (
            "file",
            "did you mean ./Dockerfile? dockerfile counts from the context",
        ),
        (
            "syntax",
            "target syntax: dockerfile-inline:2: unknown instruction \"FOO\"",
        ),
        (
            "network",
            "target network: network: there is no mode \"backend\" in a build",
        ),
    ] {
        let mut command = bake(folder.path(), &["--addr=unix:///nowhere/b.sock", target]);
        let (code, _, stderr) = ended(&mut command);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(expected), "{expected}: {stderr}");
        assert!(!stderr.contains("-f FILE"), "{stderr}");
    }
}
