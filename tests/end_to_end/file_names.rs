//! File names that are not UTF-8: kept byte for byte, or a clear error if the daemon rejects them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Engine, Finished, folder_of, solvekit, unique};

/// Latin-1.
const NAME: &[u8] = b"gr\xf6\xdfe";
const TARGET: &[u8] = b"nowhere\xff";

/// The daemons of this run. buildkitd itself accepts all names.
fn daemons() -> Vec<&'static str> {
    let engine = Engine::get();
    let mut daemons = vec![engine.host.as_str(), engine.second.as_str()];
    daemons.dedup();
    daemons
}

fn build(daemon: &str, context: &Path, output: &Path, more: &[&str]) -> Finished {
    let mut command = solvekit(["build", "--progress=plain", "--addr", daemon, "-o"]);
    Finished::of(command.arg(output).args(more).arg(context))
}

/// True if the build succeeded, so that its result should be checked.
#[track_caller]
fn is_accepted(daemon: &str, built: &Finished, texts: &[&str]) -> bool {
    if built.code == Some(0) {
        return true;
    }
    assert!(daemon.starts_with("docker://"), "{}", built.stderr);
    assert_eq!(built.code, Some(1), "{}", built.stderr);
    for text in texts {
        assert!(built.stderr.contains(text), "{text}: {}", built.stderr);
    }
    let again = "connection to BuildKit was lost";
    assert!(!built.stderr.contains(again), "{}", built.stderr);
    false
}

#[track_caller]
fn assert_same(output: &Path) {
    let file = output.join(OsStr::from_bytes(NAME));
    assert_eq!(fs::read(file).expect("the file is there"), b"content");
    let link = fs::read_link(output.join("link")).expect("the link is there");
    assert_eq!(link.as_os_str().as_bytes(), TARGET);
}

#[test]
fn names_of_a_context_that_are_not_utf8_arrive_or_are_named() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY sub /\n")]);
    let sub = context.path().join("sub");
    fs::create_dir(&sub).expect("it is ours");
    fs::write(sub.join(OsStr::from_bytes(NAME)), "content").expect("it is ours");
    symlink(OsStr::from_bytes(TARGET), sub.join("link")).expect("it is ours");
    for daemon in daemons() {
        let output = tempfile::tempdir().expect("a temporary folder");
        let output = output.path().join("out");
        let built = build(daemon, context.path(), &output, &[]);
        let texts = [
            "Docker Engine ",
            "does not accept file names that are not UTF-8",
            r"context has one: sub/gr\xf6\xdfe",
            "rename the file",
            "docker-container",
        ];
        if is_accepted(daemon, &built, &texts) {
            assert_same(&output);
        }
    }
}

#[test]
fn names_of_a_result_that_are_not_utf8_arrive_or_that_is_reported() {
    let dockerfile = format!(
        "FROM alpine AS made\nRUN mkdir /o; cd /o; printf content > $(printf 'gr\\366\\337e'); \
         ln -s $(printf 'nowhere\\377') link # {}\nFROM scratch\nCOPY --from=made /o /\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    for daemon in daemons() {
        let output = tempfile::tempdir().expect("a temporary folder");
        let folder = output.path().join("out");
        let built = build(daemon, context.path(), &folder, &[]);
        let texts = [
            "Docker Engine ",
            "cannot export file names that are not UTF-8 to a folder",
            "type=tar",
        ];
        if is_accepted(daemon, &built, &texts) {
            assert_same(&folder);
        }
        // Archives keep the names with every daemon.
        let archive = output.path().join("out.tar");
        let to_archive = format!("type=tar,dest={}", archive.display());
        let mut command = solvekit(["build", "--addr", daemon, "-o", &to_archive]);
        Finished::of(command.arg(context.path())).succeeded();
        let bytes = fs::read(&archive).expect("the archive is there");
        assert!(bytes.windows(NAME.len()).any(|window| window == NAME));
    }
}
