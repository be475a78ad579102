//! Input from stdin: archives and Dockerfiles.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Finished, Web, folder_of, frontend_image, solvekit, unique};

/// A tar archive of a folder, made with these options of tar.
fn archive_of(folder: &TempDir, options: &[&str]) -> Vec<u8> {
    let made = Command::new("tar")
        .arg("-c")
        .args(options)
        .arg("-C")
        .arg(folder.path())
        .arg(".")
        .output()
        .expect("tar is there");
    assert!(made.status.success(), "{made:?}");
    made.stdout
}

fn build(input: impl Into<Vec<u8>>, arguments: &[&str]) -> (Finished, TempDir) {
    let output = tempfile::tempdir().expect("a temporary folder");
    let mut command = solvekit(["build", "--progress=plain", "-o"]);
    command.arg(output.path()).args(arguments);
    (Finished::with_input(&mut command, input), output)
}

#[track_caller]
fn holds(output: &TempDir, path: &str, text: &str) {
    let path = output.path().join(path);
    let found = fs::read_to_string(&path);
    assert_eq!(found.ok().as_deref(), Some(text), "{}", path.display());
}

#[test]
fn an_archive_is_the_context_whatever_compressed_it() {
    let word = unique();
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY file /\n"),
        ("file", &word),
        ("sub/Other.Dockerfile", "FROM scratch\nCOPY file /other\n"),
    ]);
    for compression in [&[][..], &["--gzip"], &["--bzip2"], &["--xz"]] {
        let (built, output) = build(archive_of(&context, compression), &["-"]);
        built.succeeded();
        holds(&output, "file", &word);
    }
    let (built, output) = build(
        archive_of(&context, &[]),
        &["-f", "sub/Other.Dockerfile", "-"],
    );
    built.succeeded();
    holds(&output, "other", &word);
}

#[test]
fn a_large_archive_is_streamed_for_several_platforms() {
    let context = folder_of(&[(
        "Dockerfile",
        "FROM busybox\nCOPY large /\nRUN sha256sum /large | cut -c1-64 > /sum\nFROM scratch\nCOPY \
         --from=0 /sum /\n",
    )]);
    let large = unique().repeat(1 << 20);
    fs::write(context.path().join("large"), &large).expect("the folder can be written");
    let (built, output) = build(
        archive_of(&context, &[]),
        &["--platform=linux/amd64,linux/arm64", "-"],
    );
    built.succeeded();
    let sum = fs::read_to_string(output.path().join("linux_amd64/sum")).expect("it was exported");
    let other = fs::read_to_string(output.path().join("linux_arm64/sum"));
    assert_eq!(other.expect("it was exported"), sum);
    let expected = Command::new("sha256sum")
        .arg(context.path().join("large"))
        .output()
        .expect("sha256sum is there");
    assert_eq!(String::from_utf8_lossy(&expected.stdout)[..64], sum[..64]);
}

#[test]
fn frontends_in_the_daemon_get_the_archive() {
    let word = unique();
    let plain = "FROM scratch\nCOPY file /\n".to_owned();
    let naming = format!("# syntax={}\n{plain}", frontend_image());
    for (frontend, dockerfile) in [
        ("auto", &naming),
        ("dockerfile.v0", &plain),
        (frontend_image(), &plain),
    ] {
        let context = folder_of(&[("Dockerfile", dockerfile), ("file", &word)]);
        let (built, output) = build(
            archive_of(&context, &["--gzip"]),
            &["--frontend", frontend, "-"],
        );
        built.succeeded();
        holds(&output, "file", &word);
    }
}

#[test]
fn a_dockerfile_alone_is_built_without_context() {
    let word = unique();
    let text =
        format!("FROM busybox\nRUN echo {word} > /word\nFROM scratch\nCOPY --from=0 /word /\n");
    for frontend in ["auto", "dockerfile.v0"] {
        let (built, output) = build(text.clone(), &["--frontend", frontend, "-"]);
        built.succeeded();
        holds(&output, "word", &format!("{word}\n"));
    }
    let (failed, _) = build("FROM scratch\nCOPY file /\n", &["-"]);
    failed.failed_with(1, &["stdin:2", "COPY file /"]);
}

#[test]
fn a_dockerfile_comes_from_stdin_and_the_context_from_a_folder() {
    let word = unique();
    let context = folder_of(&[
        ("Dockerfile", "not used"),
        ("file", &word),
        ("left.log", ""),
        (".dockerignore", "*.log\n"),
    ]);
    let path = context.path().to_str().expect("UTF-8");
    for frontend in ["auto", "dockerfile.v0"] {
        let (built, output) = build(
            "FROM scratch\nCOPY . /\n",
            &["--frontend", frontend, "-f", "-", path],
        );
        built.succeeded();
        holds(&output, "file", &word);
        assert!(!output.path().join("left.log").exists());
    }
}

#[test]
fn a_dockerfile_is_downloaded() {
    let word = unique();
    let there = folder_of(&[("My.Dockerfile", "FROM scratch\nCOPY file /\n")]);
    let web = Web::of(there.path());
    let context = folder_of(&[("file", &word)]);
    let path = context.path().to_str().expect("UTF-8");
    for frontend in ["auto", "dockerfile.v0"] {
        let url = web.url("My.Dockerfile");
        let (built, output) = build("", &["--frontend", frontend, "-f", &url, path]);
        built.succeeded();
        holds(&output, "file", &word);
    }
    let missing = web.url("Missing");
    let (failed, _) = build("", &["-f", &missing, path]);
    failed.failed_with(1, &["cannot fetch the Dockerfile", &missing, "404"]);
}

#[test]
fn a_dockerfile_may_be_outside_of_the_context() {
    let word = unique();
    let elsewhere = folder_of(&[
        ("D", "FROM scratch\nCOPY . /\n"),
        ("D.dockerignore", "*.log\n"),
    ]);
    let context = folder_of(&[
        ("file", &word),
        ("left.log", ""),
        (".dockerignore", "file\n"),
    ]);
    let file = elsewhere.path().join("D");
    let arguments = [&file, context.path()].map(|path: &Path| path.to_str().expect("UTF-8"));
    let (built, output) = build("", &["-f", arguments[0], arguments[1]]);
    built.succeeded();
    holds(&output, "file", &word);
    assert!(!output.path().join("left.log").exists());
}

#[test]
fn questions_and_graphs_are_asked_of_stdin_too() {
    let ask = |arguments: &[&str]| {
        let mut command = solvekit(arguments);
        command.env("BUILDKIT_HOST", "unix:///nonexistent");
        Finished::with_input(&mut command, "FROM scratch AS one\nCOPY . /\n").succeeded()
    };
    let targets = ask(&["build", "--call=targets", "-"]);
    assert!(targets.stdout.contains("one"), "{}", targets.stdout);
    let graph = ask(&["llb", "-"]);
    assert!(graph.stdout.contains("COPY"), "{}", graph.stdout);
}

#[test]
fn mistakes_say_what_to_pipe() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\n")]);
    let path = context.path().to_str().expect("UTF-8");
    let refused = |input: &str, arguments: &[&str], texts: &[&str]| {
        build(input, arguments).0.failed_with(1, texts);
    };
    refused("", &["-"], &["nothing came from the standard input", "tar"]);
    refused("", &["-f", "-", path], &["nothing came"]);
    refused(
        "FROM scratch\n",
        &["-f", "-", "-"],
        &["cannot be both", "-f"],
    );
    refused(
        "FROM scratch\n",
        &["-f", "Dockerfile", "-"],
        &["is a Dockerfile, not an archive"],
    );
    refused(
        "",
        &["-f", "ftp://host/D", path],
        &["unknown scheme \"ftp\""],
    );
    let near = format!("{path}/Dockerfil");
    refused(
        "",
        &["-f", &near, path],
        &["did you mean -f", "/Dockerfile?"],
    );
}
