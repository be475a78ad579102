//! The choice of a cache mount's folder for a copy: mounts that are in use, that have several
//! folders or owners, on several nodes and for several platforms.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::nodes::Both;
use crate::support::{Finished, Running, folder_of, solvekit, unique};

fn cache_mount(arguments: &[&str]) -> Finished {
    Finished::of(solvekit(["cache-mount"]).args(arguments))
}

/// A build of one step with a mount.
fn step(id: &str, more: &str, command: &str) -> (TempDir, Command) {
    let word = unique();
    let text = format!(
        "FROM alpine\nARG TARGETARCH\nRUN --mount=type=cache,id={id},target=/c{more} : {word}; \
         {command}\n"
    );
    let context = folder_of(&[("Dockerfile", &text)]);
    let mut build = solvekit(["build", "--progress=plain"]);
    build.arg(context.path());
    (context, build)
}

/// Runs a step that waits for its mount: BuildKit gives a step that shares it another folder while
/// any test asks for the disk usage.
fn run_step(id: &str, more: &str, command: &str, flags: &[&str]) -> Finished {
    let (_context, mut build) = step(id, &format!(",sharing=locked{more}"), command);
    Finished::of(build.args(flags)).succeeded()
}

/// Starts a step that uses the mount for a while, and waits until it runs.
fn hold(id: &str, more: &str, word: &str, seconds: u32) -> (TempDir, Running) {
    let command = format!("echo {word} > /c/{word}; echo held-{word}-$((1+1)); sleep {seconds}");
    let (context, mut build) = step(id, more, &command);
    let mut running = Running::start(&mut build);
    running.until(&format!("held-{word}-2"));
    (context, running)
}

/// The records of a mount.
fn records(id: &str) -> Vec<String> {
    let listed = cache_mount(&["ls", "--format", "json"]).succeeded().stdout;
    let lines = listed.lines().map(serde_json::from_str::<Value>);
    let lines = lines.map(|line| line.expect("JSON"));
    let of_id = lines.filter(|line| line["ID"] == *id);
    of_id
        .map(|line| line["Record"].as_str().expect("text").to_owned())
        .collect()
}

/// The names in an archive, sorted, without the mount itself.
fn names(archive: &Path) -> Vec<String> {
    let file = std::fs::File::open(archive).expect("an archive");
    let mut archive = tar::Archive::new(file);
    let entries = archive
        .entries()
        .expect("an archive")
        .map(|it| it.expect("whole"));
    let paths = entries.map(|it| it.path().expect("a path").display().to_string());
    let mut names: Vec<_> = paths.filter(|path| path != "./").collect();
    names.sort();
    names
}

/// Removes all folders. The daemon may still end the step of an interrupted build.
fn remove(id: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !records(id).is_empty() {
        assert!(Instant::now() < deadline, "they cannot be removed");
        cache_mount(&["rm", "--id", id]);
    }
}

#[test]
fn a_copy_waits_for_a_mount_in_use_or_says_that_it_is() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    let archive = folder.path().join("a.tar");
    let export = |sharing: &str| {
        let to = archive.to_str().expect("text");
        cache_mount(&["export", "--id", &id, "--sharing", sharing, "--to", to])
    };
    let (_context, build) = hold(&id, ",sharing=locked", "a", 600);
    // The daemon would create new, empty folders for them.
    for sharing in ["private", "shared"] {
        export(sharing).failed_with(1, &["is in use", "--sharing=locked"]);
    }
    let import = ["import", "--id", &id, "--sharing=private", "--from", "-"];
    let empty = vec![0; 1024];
    Finished::with_input(solvekit(["cache-mount"]).args(import), empty)
        .failed_with(1, &["is in use"]);
    assert!(!archive.exists());
    assert_eq!(records(&id).len(), 1);
    let to = archive.to_str().expect("text");
    let mut export = solvekit(["cache-mount", "export", "--id", &id, "--to", to]);
    let mut waiting = Running::start(&mut export);
    waiting.until("waiting: a build uses");
    build.interrupt();
    build.wait().failed_with(130, &[]);
    waiting.wait().succeeded();
    assert_eq!(names(&archive), ["./a"]);
    remove(&id);
}

#[test]
fn a_shared_mount_is_copied_while_a_build_shares_it() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    let archive = folder.path().join("a.tar");
    let (_context, build) = hold(&id, "", "a", 600);
    let to = archive.to_str().expect("text");
    cache_mount(&["export", "--id", &id, "--sharing=shared", "--to", to]).succeeded();
    assert_eq!(names(&archive), ["./a"]);
    // With `--sharing=shared` the import does not wait for the build.
    let import = ["import", "--id", &id, "--sharing=shared", "--from", to];
    cache_mount(&import).succeeded();
    build.interrupt();
    build.wait().failed_with(130, &[]);
    assert_eq!(records(&id).len(), 1);
    remove(&id);
}

#[test]
fn of_several_private_folders_one_is_exported_and_named() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    let archive = folder.path().join("a.tar");
    let to = archive.to_str().expect("text");
    let (_first, first) = hold(&id, ",sharing=private", "a", 600);
    let (_second, second) = hold(&id, ",sharing=private", "b", 1);
    second.wait().succeeded();
    let known = records(&id);
    assert_eq!(known.len(), 2, "{known:?}");
    // The other folder is in use.
    let exported = cache_mount(&["export", "--id", &id, "--sharing=private", "--to", to]);
    let stderr = exported.succeeded().stderr;
    assert_eq!(names(&archive), ["./b"]);
    assert!(
        stderr.contains("has 2 folders for the cache mount"),
        "{stderr}"
    );
    let printed: Vec<_> = known.iter().filter(|it| stderr.contains(*it)).collect();
    assert_eq!(printed.len(), 1, "{stderr}");
    first.interrupt();
    first.wait().failed_with(130, &[]);
    remove(&id);
}

#[test]
fn a_folder_of_another_owner_is_not_taken_for_the_mount() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    let at = |name: &str| folder.path().join(name).display().to_string();
    run_step(&id, ",uid=7,mode=0711", "touch /c/a", &[]);
    let to = at("a.tar");
    for owner in [&[][..], &["--uid=8"], &["--uid=7"]] {
        let export = [&["export", "--id", &id, "--to", &to], owner].concat();
        let expected = [
            "has the owner and mode that were asked for",
            "give the uid=",
        ];
        cache_mount(&export).failed_with(1, &expected);
        assert_eq!(records(&id).len(), 1, "{owner:?}");
    }
    let export = ["export", "--id", &id, "--uid=7", "--mode=711", "--to", &to];
    cache_mount(&export).succeeded();
    // The mount without an owner is another one, which the daemon does not have.
    let from = format!("--cache-mount-from=id={id},src={to}");
    let built = run_step(&id, "", "ls /c", &[&from]);
    assert!(
        built.stderr.contains("imported the cache mount"),
        "{}",
        built.stderr
    );
    assert_eq!(records(&id).len(), 2);
    remove(&id);
}

#[test]
fn a_mount_that_begins_with_files_cannot_be_copied_and_says_so() {
    let id = unique();
    let text = format!(
        "FROM alpine\nRUN --mount=type=cache,id={id},target=/c,from=alpine,source=/etc \
         touch /c/{id}\n"
    );
    let context = folder_of(&[("Dockerfile", &text)]);
    Finished::of(solvekit(["build"]).arg(context.path())).succeeded();
    let archive = context.path().join("a.tar");
    let to = archive.to_str().expect("text");
    let exported = cache_mount(&["export", "--id", &id, "--to", to]);
    exported.failed_with(1, &["begins with files (from=)"]);
    assert!(!archive.exists());
    let to = format!("--cache-mount-to=id={id},dest={to}");
    let failed = Finished::of(solvekit(["build", &to]).arg(context.path()));
    failed.failed_with(1, &["cannot export the cache mount"]);
    remove(&id);
}

#[test]
fn platforms_have_the_same_mount() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    let archive = folder.path().join("a.tar");
    let to = archive.to_str().expect("text");
    let platforms = "--platform=linux/amd64,linux/arm64";
    for (more, owner) in [("", &[][..]), (",uid=5", &["--uid=5"][..])] {
        run_step(&id, more, "touch /c/$TARGETARCH", &[platforms]);
        cache_mount(&[&["export", "--id", &id, "--to", to], owner].concat()).succeeded();
        assert_eq!(names(&archive), ["./amd64", "./arm64"]);
        remove(&id);
        cache_mount(&[&["import", "--id", &id, "--from", to], owner].concat()).succeeded();
        run_step(
            &id,
            more,
            "[ -f /c/amd64 ] && [ -f /c/arm64 ]",
            &[platforms],
        );
        remove(&id);
    }
}

#[test]
fn every_node_is_filled_and_one_of_several_is_exported() {
    let (id, both) = (unique(), Both::new());
    let on_both = |arguments: &[&str]| {
        let mut command = both.home.solvekit(arguments);
        Finished::of(command.env("BUILDX_BUILDER", "both"))
    };
    let folder = folder_of(&[("files/a", "1")]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (files, archive) = (at("files"), at("a.tar"));
    on_both(&["cache-mount", "import", "--id", &id, "--from", &files]).succeeded();
    let format = "--format={{.ID}} {{.Node}}";
    let listed = on_both(&["cache-mount", "ls", format]).succeeded().stdout;
    for node in ["near", "far"] {
        assert!(listed.contains(&format!("{id} {node}\n")), "{listed}");
    }
    let exported = on_both(&["cache-mount", "export", "--id", &id, "--to", &archive]);
    let exported = exported.succeeded().stderr;
    assert!(
        exported.contains("2 nodes have the cache mount"),
        "{exported}"
    );
    assert_eq!(names(archive.as_ref()), ["./a"]);
    let several = on_both(&["cache-mount", "import", "--id", &id, "--from", "-"]);
    several.failed_with(1, &["for one node only, and the builder has 2"]);
    on_both(&["cache-mount", "rm", "--id", &id]).succeeded();

    // A build on both nodes does the same.
    let (context, _) = step(&id, "", "[ -f /c/a ] && touch /c/$TARGETARCH");
    let from = format!("--cache-mount-from=id={id},src={archive}");
    let to = format!("--cache-mount-to=id={id},dest={archive}");
    let platforms = "--platform=linux/amd64,linux/arm64";
    let context = context.path().to_str().expect("text");
    let built = on_both(&["build", "--progress=plain", platforms, &from, &to, context]);
    let built = built.succeeded().stderr;
    assert!(built.contains("imported the cache mount"), "{built}");
    assert!(names(archive.as_ref()).contains(&"./a".to_owned()));
    on_both(&["cache-mount", "rm", "--id", &id]).succeeded();
}
