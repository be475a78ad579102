//! `--keep-going`: one platform fails, and the others finish.

use tempfile::TempDir;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit, unique};

const PLATFORMS: &str = "--platform=linux/amd64,linux/arm64,linux/s390x";

fn context(word: &str) -> TempDir {
    let dockerfile = format!(
        "FROM alpine\nARG TARGETARCH\nRUN echo {word} && test $TARGETARCH != arm64 || exit 9\n"
    );
    folder_of(&[("Dockerfile", &dockerfile)])
}

#[test]
fn the_others_finish_and_nothing_is_pushed() {
    let context = context(&unique());
    let name = format!("{}:latest", Engine::get().name("kept"));
    let run = Finished::of(
        solvekit([
            "build",
            "--progress=plain",
            "--keep-going",
            "--push",
            PLATFORMS,
        ])
        .args(["-t", &name])
        .arg(context.path()),
    );
    run.failed_with(
        1,
        &[
            "linux/amd64  built",
            "linux/s390x  built",
            "linux/arm64  failed: Dockerfile:3: the command did not complete",
            "exit code: 9",
            "1 of 3 platforms failed; nothing was exported",
            "--push-partial",
        ],
    );
    assert!(Pushed::find(&name).is_none());
}

#[test]
fn what_works_is_pushed_when_that_is_asked_for() {
    let context = context(&unique());
    let name = format!("{}:latest", Engine::get().name("partial"));
    let run = Finished::of(
        solvekit([
            "build",
            "--progress=plain",
            "--keep-going",
            "--push-partial",
            "--push",
            PLATFORMS,
        ])
        .args(["-t", &name])
        .arg(context.path()),
    );
    run.failed_with(1, &["1 of 3 platforms failed", "exported without them"]);
    let platforms = Pushed::fetch(&name).platforms();
    assert_eq!(platforms, ["linux/amd64", "linux/s390x"]);
}

#[test]
fn a_base_image_without_a_platform_fails_that_platform_only() {
    let dockerfile = format!(
        "FROM --platform=linux/amd64 alpine AS amd64\nFROM nothing-{} AS arm64\nFROM \
         $TARGETARCH\nRUN true\n",
        unique()
    );
    // ARG TARGETARCH must be global to be used in FROM.
    let dockerfile = format!("ARG TARGETARCH\n{dockerfile}");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let run = Finished::of(
        solvekit(["build", "--progress=plain", "--keep-going"])
            .arg("--platform=linux/amd64,linux/arm64")
            .arg(context.path()),
    );
    run.failed_with(
        1,
        &[
            "linux/amd64  built",
            "linux/arm64  failed: ",
            "1 of 2 platforms failed",
        ],
    );
}

#[test]
fn a_foreign_program_is_reported_with_its_emulator() {
    // The ELF header of a program for a nonexistent machine.
    let mut program = vec![0; 64];
    program[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
    program[16..20].copy_from_slice(&[2, 0, 0x34, 0x12]);
    let context = folder_of(&[(
        "Dockerfile",
        "FROM scratch\nCOPY --chmod=755 program /\nRUN [\"/program\"]\n",
    )]);
    std::fs::write(context.path().join("program"), program).expect("it can be written");
    Finished::of(
        solvekit(["build", "--progress=plain", "--platform=linux/amd64"]).arg(context.path()),
    )
    .failed_with(1, &["qemu-x86_64", "binfmt --install amd64"]);
}

#[test]
fn emulation_is_refused_where_the_build_is_to_be_native() {
    let dockerfile = format!(
        "FROM --platform=$BUILDPLATFORM alpine AS make\nARG TARGETARCH\nRUN echo {} $TARGETARCH > \
         /made\nFROM alpine AS cross\nCOPY --from=make /made /\nFROM cross\nRUN cat /made\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let build = |more: &[&str]| {
        Finished::of(
            solvekit(["build", "--progress=plain", "--require-native"])
                .args(more)
                .arg(context.path()),
        )
    };
    build(&["--platform=linux/amd64,linux/s390x"]).failed_with(
        1,
        &[
            "Dockerfile:7: this step runs on linux/s390x",
            ">>> RUN cat",
            "$BUILDPLATFORM",
        ],
    );
    build(&["--platform=linux/amd64,linux/s390x", "--target=cross"]).succeeded();
    build(&["--platform=linux/amd64"]).succeeded();
}
