//! The caches of failed or cancelled builds (`on-failure=true`).

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::shared_cache::{assert_not_run, prune};
use crate::support::{Engine, Finished, Running, folder_of, solvekit, unique};

const TWO: &str = "linux/amd64,linux/arm64";

/// Two successful stages, then `last`. Each step that runs prints a text that its command does not
/// contain.
fn context(last: &str) -> (TempDir, String) {
    let word = unique();
    let dockerfile = format!(
        "FROM alpine AS files\nRUN echo {word} > /first && echo {word}-step-$((0+1))\nFROM \
         alpine\nCOPY --from=files /first /first\nRUN cat /first && echo {word}-step-$((1+1))\n\
         RUN {last}\n"
    );
    (folder_of(&[("Dockerfile", &dockerfile)]), word)
}

fn build(context: &Path, cache: &str) -> Command {
    let mut command = solvekit(["build", "--progress=plain", cache]);
    command.arg(context);
    command
}

/// After the daemon's records are pruned, the steps come from the cache.
#[track_caller]
fn assert_kept(context: &TempDir, word: &str, cache: &str) {
    prune(word);
    let path = context.path().join("Dockerfile");
    let dockerfile = std::fs::read_to_string(&path).expect("it is there");
    let steps = dockerfile.lines().filter(|line| !line.contains("the-end"));
    let steps: Vec<&str> = steps.collect();
    std::fs::write(&path, steps.join("\n")).expect("it can be written");
    let log = Finished::of(&mut build(context.path(), cache)).succeeded();
    assert_not_run(&log.stderr, word);
}

#[test]
fn a_failed_build_exports_what_succeeded_to_a_registry() {
    let (context, word) = context("echo the-end; exit 7");
    let name = Engine::get().name("kept");
    let to = format!("--cache-to=type=registry,ref={name},mode=max,on-failure=true");
    let run = Finished::of(&mut build(context.path(), &to));
    let run = run.failed_with(1, &["exit code: 7", "exporting the cache of the steps"]);
    assert!(run.stderr.contains("exporting cache to registry"));
    // The steps are shown once.
    let steps = run.steps_named(&format!("] RUN echo {word}"));
    assert_eq!(steps, 1, "{}", run.stderr);
    let from = format!("--cache-from=type=registry,ref={name}");
    assert_kept(&context, &word, &from);
}

#[test]
fn a_cancelled_build_exports_what_succeeded_to_a_folder() {
    let (context, word) = context("echo the-$((0+1))-end; sleep 600; echo the-end");
    let folder = folder_of(&[]);
    let cache = folder.path().join("cache");
    let to = format!(
        "--cache-to=type=local,dest={},mode=max,on-failure=true",
        cache.display()
    );
    let mut run = Running::start(&mut build(context.path(), &to));
    run.until("the-1-end");
    run.interrupt();
    run.wait().failed_with(130, &["was cancelled: exporting"]);
    let from = format!("--cache-from=type=local,src={}", cache.display());
    assert_kept(&context, &word, &from);
}

#[test]
fn every_platform_of_a_failed_build_is_kept() {
    let (context, word) = context("[ $(uname -m) = aarch64 ] || sleep 5; echo the-end; exit 3");
    let name = Engine::get().name("kept-platforms");
    let to = format!("--cache-to=type=registry,ref={name},mode=max,on-failure=1");
    let mut failing = build(context.path(), &to);
    failing.args(["--platform", TWO]);
    Finished::of(&mut failing).failed_with(1, &["exit code: 3"]);
    prune(&word);
    let from = format!("--cache-from=type=registry,ref={name}");
    let mut again = build(context.path(), &from);
    again.args(["--platform", TWO]);
    let again = Finished::of(&mut again).failed_with(1, &["exit code: 3"]);
    assert_not_run(&again.stderr, &word);
}

#[test]
fn a_failed_build_exports_nothing_unless_asked() {
    let (context, _) = context("echo the-end; exit 7");
    let folder = folder_of(&[]);
    let cache = folder.path().join("cache");
    let to = format!("--cache-to=type=local,dest={},mode=max", cache.display());
    let run = Finished::of(&mut build(context.path(), &to)).failed_with(1, &["exit code: 7"]);
    assert!(!run.stderr.contains("exporting cache"), "{}", run.stderr);
    assert!(!cache.join("index.json").exists());
}

#[test]
fn a_build_that_did_not_begin_exports_nothing() {
    let folder = folder_of(&[("Dockerfile", "FROM alpine AS a\nCOPY --from=b /x /\n")]);
    let to = "--cache-to=type=registry,ref=localhost:1/x,on-failure=true";
    let run = Finished::of(&mut build(folder.path(), to)).failed_with(1, &["b"]);
    assert!(!run.stderr.contains("exporting"), "{}", run.stderr);
}

#[test]
fn a_cache_that_cannot_be_exported_leaves_the_error_alone() {
    let (context, _) = context("echo the-end; exit 7");
    let to = "--cache-to=type=registry,ref=localhost:1/x:1,on-failure=true";
    let run = Finished::of(&mut build(context.path(), to));
    run.failed_with(
        1,
        &["no cache of the failed build is exported", "exit code: 7"],
    );
}
