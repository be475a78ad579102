//! `--build-context`: named folders, images, git repositories and downloads in FROM, COPY and RUN.

use std::fs;
use std::process::Command;

use crate::support::{
    Finished, GitDaemon, Web, folder_of, frontend_image, repository_of, solvekit, unique,
};

/// Builds a context with these arguments into a folder.
fn build(dockerfile: &str, arguments: &[&str]) -> (Finished, tempfile::TempDir) {
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let output = tempfile::tempdir().expect("a temporary folder");
    let built = Finished::of(
        solvekit(["build", "--progress=plain", "-o"])
            .arg(output.path())
            .args(arguments)
            .arg(context.path()),
    );
    (built, output)
}

#[track_caller]
fn file(output: &tempfile::TempDir, path: &str) -> String {
    let path = output.path().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_folder_is_copied_from_mounted_and_built_on() {
    let word = unique();
    let data = folder_of(&[
        ("file", &word),
        ("left.log", "ignored"),
        ("unused/large", "never sent"),
        (".dockerignore", "*.log\n"),
    ]);
    let argument = format!("data={}", data.path().display());
    let (built, output) = build(
        "FROM busybox AS mounted\nRUN --mount=from=data,target=/m ls -A /m > /list\n\
         FROM data\nCOPY --from=data file /copied\nCOPY --from=mounted /list /list\n",
        &["--build-context", &argument],
    );
    built.succeeded();
    assert_eq!(file(&output, "copied"), word);
    assert_eq!(file(&output, "file"), word);
    assert_eq!(file(&output, "list"), ".dockerignore\nfile\nunused\n");
    assert!(!output.path().join("left.log").exists());
}

#[test]
fn an_image_and_a_folder_take_the_place_of_a_base_image() {
    let (built, _) = build(
        "FROM no.such.registry.invalid/base:1 AS base\nRUN test -x /bin/busybox\nFROM \
         scratch\nCOPY --from=base /etc/passwd /\n",
        &[
            "--build-context",
            "no.such.registry.invalid/base:1=docker-image://busybox",
        ],
    );
    built.succeeded();

    let folder = folder_of(&[("from-folder", "")]);
    let argument = format!("alpine={}", folder.path().display());
    let (built, output) = build("FROM alpine\n", &["--build-context", &argument]);
    built.succeeded();
    assert!(output.path().join("from-folder").exists());
}

#[test]
fn a_stage_of_the_same_dockerfile_takes_the_place_of_an_image() {
    let word = unique();
    let dockerfile = format!(
        "FROM busybox AS made\nENV WORD={word}\nRUN echo -n $WORD > /made\n\
         FROM no.such.registry.invalid/base AS app\nRUN echo -n $WORD-again > /again\n\
         FROM scratch\nCOPY --from=app /made /again /\nCOPY --from=other /made /copied\n"
    );
    let base = "no.such.registry.invalid/base=target:made";
    let (built, output) = build(
        &dockerfile,
        &[
            "--build-context",
            base,
            "--build-context",
            "other=target:made",
        ],
    );
    built.succeeded();
    assert_eq!(file(&output, "made"), word);
    assert_eq!(file(&output, "copied"), word);
    assert_eq!(file(&output, "again"), format!("{word}-again"));

    let wrong = [
        "--build-context",
        base,
        "--build-context",
        "other=target:mad",
    ];
    let (built, _) = build(&dockerfile, &wrong);
    built.failed_with(1, &["the build context \"other\"", "mad"]);
}

#[test]
fn an_image_in_a_folder_is_built_on_and_copied_from() {
    let word = unique();
    let image = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nENV WORD={word}\nRUN echo $WORD > /word\n"),
    )]);
    let layout = tempfile::tempdir().expect("a temporary folder");
    let archive = layout.path().join("image.tar");
    let output = format!("type=oci,dest={}", archive.display());
    Finished::of(solvekit(["build", "-o", &output]).arg(image.path())).succeeded();
    let unpacked = Command::new("tar")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(layout.path())
        .status();
    assert!(unpacked.expect("tar is there").success());

    let argument = format!("base=oci-layout://{}", layout.path().display());
    for frontend in ["auto", "dockerfile.v0"] {
        let (built, output) = build(
            "FROM base AS built\nRUN echo \"$WORD $(cat /word)\" > /both\nFROM scratch\nCOPY \
             --from=base /word /\nCOPY --from=built /both /\n",
            &["--build-context", &argument, "--frontend", frontend],
        );
        built.succeeded();
        assert_eq!(file(&output, "word"), format!("{word}\n"), "{frontend}");
        assert_eq!(file(&output, "both"), format!("{word} {word}\n"));
    }
    let (refused, _) = build(
        "FROM base\n",
        &["--build-context", &format!("{argument}/nothing")],
    );
    refused.failed_with(1, &["named context \"base\"", "nothing"]);
}

#[test]
fn a_stage_is_replaced_and_not_built() {
    let folder = folder_of(&[("prebuilt", "")]);
    let argument = format!("compiled={}", folder.path().display());
    let (built, output) = build(
        "FROM busybox AS compiled\nRUN exit 7\nFROM scratch\nCOPY --from=compiled / /\n",
        &["--build-context", &argument],
    );
    built.succeeded();
    assert!(output.path().join("prebuilt").exists());
}

#[test]
fn folders_named_like_the_sessions_own_are_distinguished() {
    let folder = folder_of(&[("mine", "")]);
    let argument = format!("dockerfile={}", folder.path().display());
    let (built, output) = build(
        "FROM scratch\nCOPY --from=dockerfile mine /\n",
        &["--build-context", &argument],
    );
    built.succeeded();
    assert!(output.path().join("mine").exists());
}

#[test]
fn git_repositories_and_downloads_have_names() {
    let word = unique();
    let repository = repository_of(&[("sub/file", &word), ("Dockerfile", "")]);
    fs::write(repository.path().join("single"), &word).expect("it is ours");
    let daemon = GitDaemon::of(repository.path());
    let web = Web::of(repository.path());
    let code = format!("code={}", daemon.url("#main:sub"));
    let download = format!("download={}", web.url("single"));
    let (built, output) = build(
        "FROM scratch\nCOPY --from=code file /code\nCOPY --from=download context /download\n",
        &["--build-context", &code, "--build-context", &download],
    );
    built.succeeded();
    assert_eq!(file(&output, "code"), word);
    assert_eq!(file(&output, "download"), word);
}

#[test]
fn frontends_in_the_daemon_get_them_too() {
    let folder = folder_of(&[
        ("file", "x"),
        ("left.log", ""),
        (".dockerignore", "*.log\n"),
    ]);
    let argument = format!("data={}", folder.path().display());
    for frontend in ["dockerfile.v0", frontend_image()] {
        let (built, output) = build(
            "FROM scratch\nCOPY --from=data . /\n",
            &["--build-context", &argument, "--frontend", frontend],
        );
        built.succeeded();
        assert_eq!(file(&output, "file"), "x", "{frontend}");
        assert!(!output.path().join("left.log").exists(), "{frontend}");
    }
}

#[test]
fn the_graph_and_the_questions_know_them_without_a_daemon() {
    let folder = folder_of(&[("file", "x")]);
    let context = folder_of(&[("Dockerfile", "FROM data\nCOPY --from=data file /\n")]);
    let argument = format!("data={}", folder.path().display());
    let offline = |arguments: &[&str]| {
        Finished::of(
            solvekit(arguments)
                .args(["--build-context", &argument])
                .arg(context.path())
                .env("BUILDKIT_HOST", "unix:///nonexistent"),
        )
        .succeeded()
    };
    let graph = offline(&["llb"]);
    assert!(graph.stdout.contains("[context data]"), "{}", graph.stdout);
    offline(&["build", "--check"]);
}

#[test]
fn mistakes_are_reported_before_anything_is_built() {
    let refused = |argument: &str, texts: &[&str]| {
        let (built, _) = build("FROM scratch\n", &["--build-context", argument]);
        built.failed_with(1, texts);
    };
    let folder = folder_of(&[("services/file", "")]);
    let near = format!("a={}/servces", folder.path().display());
    refused(
        &near,
        &["named context \"a\"", "did you mean", "/services?"],
    );
    let file = format!("a={}/services/file", folder.path().display());
    refused(&file, &["named context \"a\"", "is not a folder"]);
    refused("a", &["\"a\" has no '='", "--build-context alpine="]);
    refused("=x", &["the name of a context"]);
    refused("A b=.", &["the name of a context", "\"A b\""]);
    refused(
        "a=s3://bucket/x",
        &["unknown scheme \"s3\"", "docker-image"],
    );
    refused("a=target:", &["names no stage"]);
    refused("a=docker-image://UPPER", &["UPPER"]);
}
