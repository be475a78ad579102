//! `solvekit llb`, `solvekit lock`, and builds from locked images.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit};

const BOTH: &str = "linux/amd64,linux/arm64";

#[test]
fn a_locked_build_uses_what_was_locked_after_the_tag_has_moved() {
    let base = format!("{}:latest", Engine::get().name("base"));
    push_base(&base, "first");
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM {base} AS one\nFROM {base}\nCOPY --from=one /word /copied\n"),
    )]);
    let lock = context.path().join("solvekit.lock");
    let locked = run_lock(context.path(), &lock, &["--platform", BOTH]).succeeded();
    assert!(
        locked.stderr.contains(&format!("added     {base} sha256:")),
        "{}",
        locked.stderr
    );
    let written = std::fs::read_to_string(&lock).expect("it is there");

    push_base(&base, "second");
    assert_eq!(built(context.path(), &lock), "first");
    run_lock(context.path(), &lock, &["--platform", BOTH]).succeeded();
    assert_eq!(
        std::fs::read_to_string(&lock).expect("it is there"),
        written
    );

    let updated = run_lock(
        context.path(),
        &lock,
        &["--platform", BOTH, "--update", &base],
    )
    .succeeded();
    assert!(
        updated.stderr.contains(&format!("changed   {base}")),
        "{}",
        updated.stderr
    );
    assert_eq!(built(context.path(), &lock), "second");
}

#[test]
fn a_missing_image_or_platform_is_named_and_can_be_looked_up() {
    let base = format!("{}:latest", Engine::get().name("base"));
    push_base(&base, "word");
    let context = folder_of(&[("Dockerfile", &format!("FROM {base}\nCOPY Dockerfile /\n"))]);
    let lock = context.path().join("solvekit.lock");
    run_lock(context.path(), &lock, &["--platform", "linux/amd64"]).succeeded();
    let build = |more: &[&str]| {
        Finished::of(
            solvekit(["build", "--lock"])
                .arg(&lock)
                .args(more)
                .arg(context.path()),
        )
    };
    build(&["--platform", "linux/arm64"]).failed_with(
        1,
        &[
            "Dockerfile:1",
            &base,
            "not for linux/arm64",
            "solvekit lock --platform",
        ],
    );
    build(&["--platform", BOTH, "--lock-missing=resolve"]).succeeded();
    std::fs::write(context.path().join("Dockerfile"), "FROM alpine\n").expect("it can be written");
    build(&[]).failed_with(1, &["does not have docker.io/library/alpine:latest"]);
    std::fs::write(&lock, "{\"images\": {").expect("it can be written");
    build(&[]).failed_with(1, &["cannot use the lock", "EOF", "solvekit lock --update"]);
}

#[test]
fn images_that_cannot_be_looked_up_are_named_with_the_next_step() {
    let engine = Engine::get();
    for (image, texts) in [
        (
            format!("{}/no/such:1", engine.registry),
            ["404 Not Found", "Dockerfile:1"],
        ),
        (
            format!("{}/private/x:1", engine.registry_tls),
            ["401 Unauthorized", "solvekit login localhost"],
        ),
    ] {
        let context = folder_of(&[("Dockerfile", &format!("FROM {image}\n"))]);
        let lock = context.path().join("solvekit.lock");
        run_lock(context.path(), &lock, &[]).failed_with(1, &texts);
        assert!(!lock.exists());
    }
}

#[test]
fn a_private_image_is_locked_with_credentials() {
    let engine = Engine::get();
    let name = format!("{}:latest", engine.name_tls("private"));
    let config = folder_of(&[(
        "config.json",
        &format!(
            r#"{{"auths": {{"{}": {{"username": "{}", "password": "{}"}}}}}}"#,
            engine.registry_tls, engine.user, engine.password
        ),
    )]);
    let base = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    Finished::of(
        solvekit(["build", "--platform", BOTH, "--push", "-t", &name])
            .env("DOCKER_CONFIG", config.path())
            .arg(base.path()),
    )
    .succeeded();
    let context = folder_of(&[("Dockerfile", &format!("FROM {name}\n"))]);
    let lock = context.path().join("solvekit.lock");
    Finished::of(
        solvekit(["lock", "--platform", BOTH, "-o"])
            .arg(&lock)
            .arg(context.path())
            .env("DOCKER_CONFIG", config.path())
            .env("SSL_CERT_FILE", &engine.ca),
    )
    .succeeded();
    let lock: Value =
        serde_json::from_slice(&std::fs::read(&lock).expect("it is there")).expect("JSON");
    assert_eq!(lock["images"][&name]["digest"], Pushed::fetch(&name).digest);
}

#[test]
fn the_graph_is_printed_in_each_format() {
    let base = format!("{}/library/alpine:latest", Engine::get().registry);
    let context = folder_of(&[("Dockerfile", &format!("FROM {base}\nCOPY src /\n"))]);
    let llb = |format: &str| {
        let mut command = solvekit(["llb", "--format", format]);
        let output = command
            .arg(context.path())
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    let text = |format: &str| String::from_utf8(llb(format)).expect("text");
    assert!(text("tree").contains("2/2 COPY src /"), "{}", text("tree"));
    assert!(text("dot").starts_with("digraph llb {"));
    assert!(text("mermaid").starts_with("flowchart TD"));
    let json: Value = serde_json::from_slice(&llb("json")).expect("JSON");
    let head = json["head"].as_str().expect("a digest");
    // The encoded definition contains each op; the last one's digest is in the metadata.
    let encoded = llb("pb");
    assert!(
        encoded
            .windows(head.len())
            .any(|window| window == head.as_bytes())
    );
    let failed = Finished::of(solvekit(["llb", "--offline"]).arg(context.path()));
    failed.failed_with(1, &[&base, "Dockerfile:1", "--lock solvekit.lock"]);
}

/// One answer per line, in order, as soon as it is known.
#[test]
fn a_batch_answers_line_by_line() {
    let mut command = solvekit(["llb", "--offline", "--batch", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("piped");
    let mut answers =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    for (case, field, value) in [
        (
            r#"{"id": 1, "text": "FROM scratch\nCOPY a /\n"}"#,
            "id",
            "1",
        ),
        (r#"{"id": "x", "text": "FROM\n"}"#, "id", "\"x\""),
        ("no case", "head", "null"),
        (r#"{"id": 4, "dockerfile": "/nonexistent"}"#, "id", "4"),
    ] {
        writeln!(input, "{case}").expect("it reads");
        let line = answers.next().expect("an answer").expect("text");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer[field].to_string(), value, "{line}");
        assert_eq!(answer["error"].is_null(), value == "1", "{line}");
    }
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

fn run_lock(context: &Path, lock: &Path, more: &[&str]) -> Finished {
    let mut command = solvekit(["lock", "-o"]);
    command.arg(lock).args(more).arg("--").arg(context);
    Finished::of(command.env("SSL_CERT_FILE", &Engine::get().ca))
}

fn push_base(name: &str, word: &str) {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY word /word\n"),
        ("word", word),
    ]);
    Finished::of(solvekit(["build", "--platform", BOTH, "--push", "-t", name]).arg(context.path()))
        .succeeded();
}

fn built(context: &Path, lock: &Path) -> String {
    let name = format!("{}:latest", Engine::get().name("locked"));
    Finished::of(
        solvekit(["build", "--platform", BOTH, "--push", "-t", &name, "--lock"])
            .arg(lock)
            .arg(context),
    )
    .succeeded();
    Pushed::fetch(&name).file("linux/arm64", "/copied")
}
