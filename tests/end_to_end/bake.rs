//! `solvekit bake`: the targets of a bake file, built together on a real daemon.

#![allow(clippy::unwrap_used, reason = "a test")]

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    BuilderHome, Engine, Finished, Pushed, folder_of, solvekit, unique, working_tree_of,
};

const TWO: &str = r#"platforms = ["linux/amd64", "linux/386"]"#;

fn bake(folder: &TempDir, arguments: &[&str]) -> Finished {
    let mut command = solvekit(["bake", "--progress=plain"]);
    Finished::of(command.current_dir(folder.path()).args(arguments))
}

fn word_of(name: &str) -> String {
    let pushed = Pushed::fetch(&format!("{name}:latest"));
    pushed.file("linux/amd64", "/word")
}

#[test]
fn linked_targets_of_a_matrix_are_pushed_together() {
    let names = ["one", "two"].map(|item| Engine::get().name(item));
    let word = unique();
    let folder = folder_of(&[
        ("base/Dockerfile", "FROM alpine\nCOPY word /base\n"),
        ("base/word", &word),
        (
            "Dockerfile",
            "FROM base\nARG ITEM\nRUN echo $ITEM $(cat /base) > /word\n",
        ),
        (
            "docker-bake.hcl",
            &format!(
                r#"
                variable "NAMES" {{ default = {{ one = "{}", two = "{}" }} }}
                group "default" {{ targets = ["app"] }}
                target "base" {{
                  context = "base"
                  {TWO}
                }}
                target "app" {{
                  name = "app-${{item}}"
                  matrix = {{ item = ["one", "two"] }}
                  contexts = {{ base = "target:base" }}
                  args = {{ ITEM = item }}
                  tags = [NAMES[item]]
                  {TWO}
                }}
                "#,
                names[0], names[1]
            ),
        ),
    ]);
    let metadata = folder.path().join("metadata.json");
    let done = bake(
        &folder,
        &["--push", "--metadata-file", metadata.to_str().unwrap()],
    );
    let done = done.succeeded();
    for (item, name) in ["one", "two"].iter().zip(&names) {
        assert_eq!(word_of(name), format!("{item} {word}\n"));
    }
    assert!(
        done.stderr.contains("[app-one linux/amd64 "),
        "{}",
        done.stderr
    );
    let metadata: Value = serde_json::from_slice(&std::fs::read(metadata).unwrap()).unwrap();
    let digest = &metadata["app-one"]["containerimage.digest"];
    assert_eq!(
        digest,
        Pushed::fetch(&format!("{}:latest", names[0]))
            .digest
            .as_str()
    );
    assert!(
        metadata["base"]["buildx.build.ref"].is_string(),
        "{metadata}"
    );
}

#[test]
fn nothing_is_pushed_when_a_target_fails() {
    let name = Engine::get().name("bake-failing");
    let word = unique();
    let folder = folder_of(&[
        (
            "good.Dockerfile",
            &format!("FROM alpine\nRUN echo {word}\n"),
        ),
        (
            "bad.Dockerfile",
            &format!("FROM alpine\nRUN sleep 2; echo {word}; exit 7\n"),
        ),
        (
            "docker-bake.hcl",
            &format!(
                r#"
                group "default" {{ targets = ["good", "bad"] }}
                target "good" {{
                  dockerfile = "good.Dockerfile"
                  tags = ["{name}"]
                  output = ["type=registry"]
                }}
                target "bad" {{ dockerfile = "bad.Dockerfile" }}
                "#
            ),
        ),
    ]);
    let done = bake(&folder, &[]);
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("ERROR: target bad: "),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("exit code: 7"), "{}", done.stderr);
    assert!(Pushed::find(&format!("{name}:latest")).is_none());
    let both = bake(&folder, &["--keep-going", "--push-partial"]);
    assert_eq!(both.code, Some(1));
    assert!(both.stderr.contains("good    built"), "{}", both.stderr);
    assert!(Pushed::find(&format!("{name}:latest")).is_some());
}

#[test]
fn the_builds_of_a_group_are_remembered_together() {
    let home = BuilderHome::new();
    let folder = folder_of(&[
        ("Dockerfile", "FROM alpine\nARG A\nRUN echo $A\n"),
        (
            "compose.yaml",
            "services:\n  one: {build: {context: ., args: {A: '1'}}}\n  two: {build: {context: ., \
             args: {A: '2'}}}\n",
        ),
    ]);
    let mut command = home.solvekit(&["bake", "--progress=plain"]);
    command.env("BUILDKIT_HOST", &Engine::get().host);
    Finished::of(command.current_dir(folder.path())).succeeded();
    let groups = home.file("refs/__group__");
    let group = std::fs::read_dir(&groups).unwrap().next().unwrap().unwrap();
    let state: Value = serde_json::from_slice(&std::fs::read(group.path()).unwrap()).unwrap();
    assert_eq!(state["Refs"].as_array().unwrap().len(), 2, "{state}");
    let reference = state["Refs"][0].as_str().unwrap();
    let build = std::fs::read(home.file(&format!("refs/{reference}"))).unwrap();
    let build: Value = serde_json::from_slice(&build).unwrap();
    assert_eq!(build["GroupRef"], group.file_name().to_str().unwrap());
    assert_eq!(build["LocalPath"], folder.path().to_str().unwrap());
}

#[test]
fn files_of_targets_are_written_to_their_folders() {
    let word = unique();
    let folder = folder_of(&[
        (
            "docker-bake.hcl",
            r#"
                target "default" {
                  dockerfile-inline = "FROM scratch\nCOPY word /\n"
                  output = ["out"]
                }
                "#,
        ),
        ("word", &word),
    ]);
    bake(&folder, &[]).succeeded();
    let written = std::fs::read_to_string(folder.path().join("out/word")).unwrap();
    assert_eq!(written, word);
}

#[test]
fn all_dockerfiles_are_checked() {
    let folder = folder_of(&[
        ("a.Dockerfile", "FROM alpine as a\nRUN true\n"),
        ("b.Dockerfile", "FROM alpine\nMAINTAINER me\n"),
        (
            "docker-bake.json",
            r#"{"target": {"a": {"dockerfile": "a.Dockerfile"}, "b": {"dockerfile": "b.Dockerfile"}}}"#,
        ),
    ]);
    let done = bake(&folder, &["--check", "a", "b"]);
    assert_ne!(done.code, Some(0));
    assert!(
        done.stdout.starts_with("a\n\nCheck complete, 1 warning"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("FromAsCasing"), "{}", done.stdout);
    assert!(
        done.stdout.contains("MaintainerDeprecated"),
        "{}",
        done.stdout
    );
}

#[test]
fn targets_with_a_call_are_asked_about_and_the_others_are_built() {
    let word = unique();
    let folder = folder_of(&[
        ("word", &word),
        (
            "docker-bake.hcl",
            r#"
            group "default" { targets = ["asked", "built"] }
            target "base" {
              dockerfile-inline = "FROM alpine\nCOPY word /\n"
            }
            target "asked" {
              description = "has a finding"
              contexts = { base = "target:base" }
              dockerfile-inline = "FROM base as x\nARG A=1\n"
              call = "check"
            }
            target "built" {
              contexts = { base = "target:base" }
              dockerfile-inline = "FROM scratch\nCOPY --from=base word /\n"
              output = ["out"]
            }
            "#,
        ),
    ]);
    let metadata = folder.path().join("m.json");
    let done = bake(&folder, &["--metadata-file", metadata.to_str().unwrap()]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    let expected = "asked\nhas a finding\n\nCheck complete, 1 warning has been found!\n";
    assert!(done.stdout.starts_with(expected), "{}", done.stdout);
    let written = std::fs::read_to_string(folder.path().join("out/word")).unwrap();
    assert_eq!(written, word);
    let metadata: Value = serde_json::from_slice(&std::fs::read(metadata).unwrap()).unwrap();
    assert_eq!(metadata["asked"]["result.statuscode"], "1");
    let rule = &metadata["asked"]["result.json"]["warnings"][0]["ruleName"];
    assert_eq!(rule, "FromAsCasing");
    assert!(
        metadata["built"]["buildx.build.ref"].is_string(),
        "{metadata}"
    );
    // The flag applies to all targets, with its format.
    let done = bake(&folder, &["--call=outline,format=json"]).succeeded();
    let answers: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        answers["target"]["asked"]["outline"]["args"][0]["name"],
        "A"
    );
    assert_eq!(answers["target"]["built"]["build"]["call"], "outline");
    let built = bake(&folder, &["--set=asked.call=build"]).succeeded();
    assert_eq!(built.stdout, "");
}

#[test]
fn a_check_finds_platforms_that_a_base_image_lacks() {
    let engine = Engine::get();
    let name = engine.name("one-platform");
    let folder = folder_of(&[
        ("base/Dockerfile", "FROM alpine\nENV HERE=1\n"),
        (
            "Dockerfile",
            &format!("FROM {name} AS app\nRUN echo $HERE $NOWHERE\n"),
        ),
        (
            "docker-bake.hcl",
            &format!(
                r#"
                group "default" {{ targets = ["app", "base"] }}
                target "base" {{
                  context = "base"
                  tags = ["{name}"]
                  platforms = ["linux/amd64"]
                  attest = ["type=provenance,mode=min"]
                }}
                target "app" {{ platforms = ["linux/amd64", "linux/s390x"] }}
                "#
            ),
        ),
    ]);
    bake(&folder, &["--push", "base"]).succeeded();
    let found = bake(&folder, &["check", "--format=json"]);
    assert_eq!(found.code, Some(1), "{}", found.stderr);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let lacking = findings.iter().find(|it| it["rule"] == "PlatformOfImage");
    let lacking = lacking.unwrap_or_else(|| panic!("{found}"));
    assert_eq!(
        (&lacking["file"], &lacking["line"]),
        (&"Dockerfile".into(), &1.into())
    );
    let message = lacking["message"].as_str().unwrap();
    assert!(
        message.contains("has no image for linux/s390x; it has linux/amd64"),
        "{message}"
    );
    assert!(
        message.ends_with("for which target app is built"),
        "{message}"
    );
    // No registry is contacted.
    let found = bake(&folder, &["check", "--offline", "app"]).succeeded();
    assert_eq!(found.stdout, "no findings\n");
    assert!(!found.stderr.contains("WARNING"), "{}", found.stderr);
}

#[test]
fn a_target_without_changes_is_left_out_of_the_build() {
    let name = Engine::get().name("since");
    let base = format!("{}/library/alpine", Engine::get().registry);
    let folder = working_tree_of(&[
        ("a/Dockerfile", &format!("FROM {base}\nCOPY word /\n")),
        ("a/word", "one"),
        ("b/Dockerfile", &format!("FROM {base}\nCOPY word /\n")),
        ("b/word", "one"),
        (
            "docker-bake.hcl",
            &format!(
                r#"
                group "default" {{ targets = ["a", "b"] }}
                target "a" {{
                  context = "a"
                  tags = ["{name}-a"]
                }}
                target "b" {{
                  context = "b"
                  tags = ["{name}-b"]
                }}
                "#
            ),
        ),
    ]);
    std::fs::write(folder.path().join("a/word"), "two").unwrap();
    let done = bake(&folder, &["--push", "--changed-since=HEAD"]).succeeded();
    assert!(
        done.stderr.contains("a: built, a/word changed\n"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr
            .contains("b: left out, nothing that it reads changed"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("alpine:latest was made before\n"),
        "{}",
        done.stderr
    );
    let pushed = Pushed::fetch(&format!("{name}-a:latest"));
    assert_eq!(pushed.file("linux/amd64", "/word"), "two");
    assert!(Pushed::find(&format!("{name}-b:latest")).is_none());
}
