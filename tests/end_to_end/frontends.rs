//! Other frontends: called in the daemon with the same context and options.

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit, unique};

#[test]
fn the_daemons_own_frontend_builds_the_same() {
    let who = unique();
    let context = folder_of(&[
        (
            "sub/My.Dockerfile",
            "FROM alpine\nARG WHO\nCOPY file /\nRUN echo $WHO $(cat /file) > /out\n",
        ),
        ("file", "content"),
    ]);
    let name = format!("{}:latest", Engine::get().name("builtin"));
    Finished::of(
        solvekit([
            "build",
            "--frontend",
            "dockerfile.v0",
            "--push",
            "-t",
            &name,
        ])
        .args(["--platform", "linux/amd64,linux/arm64", "--build-arg"])
        .arg(format!("WHO={who}"))
        .arg("-f")
        .arg(context.path().join("sub/My.Dockerfile"))
        .arg(context.path()),
    )
    .succeeded();
    let pushed = Pushed::fetch(&name);
    for platform in ["linux/amd64", "linux/arm64"] {
        assert_eq!(pushed.file(platform, "/out"), format!("{who} content\n"));
    }
}

#[test]
fn a_mistake_that_the_daemons_frontend_finds_is_shown_with_its_lines() {
    let context = folder_of(&[("Dockerfile", "FROM alpine\nRUN false\n")]);
    Finished::of(solvekit(["build", "--frontend=dockerfile.v0"]).arg(context.path()))
        .failed_with(1, &["Dockerfile:2", ">>> RUN false", "exit code: 1"]);
}

#[test]
fn a_frontend_that_is_not_there_is_named() {
    let image = format!("{}:1", Engine::get().name("no-frontend"));
    let context = folder_of(&[(
        "Dockerfile",
        &format!("# syntax={image}\nanything at all\n"),
    )]);
    let line = format!(">>> # syntax={image}");
    Finished::of(solvekit(["build"]).arg(context.path()))
        .failed_with(1, &[&image, "Dockerfile:1", &line]);
    let plain = folder_of(&[("Dockerfile", "FROM scratch\nCOPY . /\n")]);
    let argument = format!("BUILDKIT_SYNTAX={image}");
    Finished::of(solvekit(["build", "--build-arg", &argument]).arg(plain.path()))
        .failed_with(1, &[&image]);
    Finished::of(
        solvekit(["build", "--frontend=local", "--build-arg", &argument]).arg(plain.path()),
    )
    .succeeded();
}
