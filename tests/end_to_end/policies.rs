//! Rego policies about the sources of a build. A daemon that does not ask about sources is
//! rejected.

use std::path::Path;

use crate::support::{Finished, folder_of, solvekit};

const POLICY: &str = "package docker\n\
    deny_msg contains \"no folders\" if input.local\n\
    decision := {\"allow\": count(deny_msg) == 0, \"deny_msg\": deny_msg}\n";
/// The error for a BuildKit before 0.27.
const OLD: &str = "it does not ask the client about sources";

fn build(context: &Path, more: &[&str]) -> Finished {
    let mut build = solvekit(["build"]);
    Finished::of(build.args(more).arg(context))
}

/// Checks that the build is denied; or rejected, if the daemon does not ask about sources.
fn denied(finished: Finished, reasons: &[&str]) {
    match finished.stderr.contains(OLD) {
        true => finished.failed_with(1, &["Dockerfile.rego", OLD, "--policy disabled=true"]),
        false => finished.failed_with(1, reasons),
    };
}

#[test]
fn a_policy_beside_the_dockerfile_denies_with_its_line() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n"),
        ("Dockerfile.rego", POLICY),
        ("other", "FROM scratch\nCOPY other /\n"),
    ]);
    let path = context.path();
    denied(
        build(path, &[]),
        &[
            "source \"local://context\" not allowed by policy",
            "Dockerfile.rego:2: no folders",
        ],
    );
    build(path, &["--policy", "disabled=true"]).succeeded();
    let other = path.join("other");
    build(path, &["-f", other.to_str().expect("text")]).succeeded();
}

#[test]
fn an_image_is_denied_before_anything_is_fetched() {
    let context = folder_of(&[
        (
            "Dockerfile",
            "FROM busybox\nCOPY --from=alpine /bin/busybox /b\n",
        ),
        (
            "Dockerfile.rego",
            "package docker\n\
             import data.lib.allowed\n\
             decision := {\"allow\": input.image.repo in allowed.images}\n",
        ),
        (
            "lib/allowed.rego",
            "package x\nimages := load_json(\"lib/images.json\")\n",
        ),
        ("lib/images.json", "[\"busybox\"]"),
    ]);
    denied(
        build(context.path(), &[]),
        &[
            "source \"docker-image://docker.io/library/alpine:latest\" not allowed by policy",
            "Dockerfile.rego:3: no rule allows it",
        ],
    );
}

#[test]
fn an_unknown_field_is_asked_for_during_the_build() {
    let context = folder_of(&[
        ("Dockerfile", "FROM busybox\n"),
        (
            "Dockerfile.rego",
            "package docker\n\
             deny_msg contains \"no PATH\" if not has_path\n\
             has_path if { some v in input.image.env; startswith(v, \"NOPATH=\") }\n\
             decision := {\"allow\": count(deny_msg) == 0, \"deny_msg\": deny_msg}\n",
        ),
    ]);
    let built = build(context.path(), &["--progress", "plain"]);
    if !built.stderr.contains(OLD) {
        assert!(
            built.stderr.contains("resolve missing fields [image.env]"),
            "{}",
            built.stderr
        );
    }
    denied(built, &["Dockerfile.rego:2: no PATH"]);
}

#[test]
fn a_policy_that_cannot_be_used_fails_the_build() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n"),
        ("unparsed.rego", "package docker\nallow if {\n"),
        ("unknown.rego", "package docker\nallow if http.send({})\n"),
        (
            "endless.rego",
            "package docker\nf(x) := f(x)\nallow if f(1)\n",
        ),
        ("silent.rego", "package docker\nallow := true\n"),
        ("lacking.rego", "package docker\nimport data.lib.x\n"),
    ]);
    for (file, reason) in [
        ("unparsed.rego", "unparsed.rego:3"),
        (
            "unknown.rego",
            "unknown.rego:2: undefined function http.send",
        ),
        (
            "endless.rego",
            "endless.rego:2: rule data.docker.f is recursive",
        ),
        ("silent.rego", "data.docker.decision is undefined"),
        (
            "lacking.rego",
            "import data.lib.x not found for module lacking.rego",
        ),
        ("missing.rego", "policy file missing.rego not found"),
        ("../x.rego", "outside of"),
        (
            "cwd://missing.rego",
            "policy file cwd://missing.rego not found",
        ),
    ] {
        let policy = format!("filename={file}");
        build(context.path(), &["--policy", &policy]).failed_with(1, &[reason]);
    }
    build(context.path(), &["--policy", "nonsense"]).failed_with(1, &["--policy nonsense"]);
    build(context.path(), &["--policy", "disabled=true,reset=true"])
        .failed_with(1, &["disabled policy cannot be combined"]);
}

#[test]
fn a_policy_in_a_context_from_a_stream_is_not_ignored() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n"),
        ("Dockerfile.rego", POLICY),
    ]);
    let archive = std::process::Command::new("tar")
        .args(["-C", context.path().to_str().expect("text"), "-c", "."])
        .output()
        .expect("tar is there");
    Finished::with_input(&mut solvekit(["build", "-"]), archive.stdout.clone())
        .failed_with(1, &["Dockerfile.rego", "in a context from a stream"]);
    let disabled = ["build", "--policy=disabled=true", "-"];
    Finished::with_input(&mut solvekit(disabled), archive.stdout).succeeded();
}

#[test]
fn the_policy_of_a_bake_target_is_obeyed() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n"),
        ("Dockerfile.rego", POLICY),
        (
            "open.rego",
            "package docker\ndecision := {\"allow\": true}\n",
        ),
        (
            "docker-bake.json",
            r#"{"target": {"default": {}, "disabled": {"policy": ["disabled=true"]},
                "reset": {"policy": ["reset=true,filename=open.rego"]}}}"#,
        ),
    ]);
    let bake = |target: &str| {
        let mut bake = solvekit(["bake", target]);
        Finished::of(bake.current_dir(context.path()))
    };
    denied(bake("default"), &["Dockerfile.rego:2: no folders"]);
    bake("disabled").succeeded();
    let reset = bake("reset");
    match reset.stderr.contains(OLD) {
        true => reset.failed_with(1, &["open.rego", OLD]),
        false => reset.succeeded(),
    };
}

#[test]
fn a_policy_is_tried_out_without_a_build() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/policy/tests/fixtures/images");
    let run = |words: &[&str]| {
        let mut command = solvekit(words.iter().copied());
        Finished::of(command.current_dir(&fixture))
    };
    let expected = std::fs::read_to_string(fixture.join("expected.txt")).expect("it is there");
    let tested = run(&["policy", "test", "."]);
    assert_eq!(tested.stdout, expected);
    tested.failed_with(1, &[]);
    let one = run(&["policy", "test", "--run", "local", "."]).succeeded();
    assert_eq!(one.stdout, "test_local_is_allowed: PASS (allow=true)\n");
    run(&["policy", "eval", "docker-image://alpine"]).succeeded();
    run(&["policy", "eval", "docker-image://nginx"])
        .failed_with(1, &["policy denied: nginx is <forbidden>"]);
    run(&["policy", "eval", "-f", "missing", "."]).failed_with(1, &["missing.rego"]);
    let printed = run(&["policy", "eval", "--print", "docker-image://alpine"]).succeeded();
    let input: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
    assert_eq!(input["image"]["fullRepo"], "docker.io/library/alpine");
    assert!(
        printed
            .stderr
            .contains("unresolved fields: image.checksum, image.env")
    );
    let fields = [
        "policy",
        "eval",
        "--print",
        "--fields",
        "image.env",
        "docker-image://alpine",
    ];
    let printed = run(&fields).succeeded();
    let input: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
    assert!(
        input["image"]["checksum"]
            .as_str()
            .is_some_and(|sum| sum.starts_with("sha256:"))
    );
}
