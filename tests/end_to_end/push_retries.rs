//! Pushes through a registry that fails for a while: they are retried, and the exit code shows the
//! kind of the last failure.

use std::path::Path;

use crate::support::{Fault, FaultyRegistry, Finished, Pushed, folder_of, solvekit, unique};

const DOWN: Fault = Fault::Status("503 Service Unavailable", "");

/// A Dockerfile with a new layer of 4 MiB.
fn context() -> tempfile::TempDir {
    let dockerfile = format!(
        "FROM busybox\nRUN echo {} > /id && head -c 4194304 /dev/urandom > /data\n",
        unique()
    );
    folder_of(&[("Dockerfile", &dockerfile)])
}

fn build(context: &Path, name: &str, more: &[&str]) -> Finished {
    let mut command = solvekit(["build", "--push", "-t", name]);
    Finished::of(command.args(more).arg(context))
}

#[test]
fn a_push_of_the_daemon_is_repeated_when_the_registry_was_down() {
    // The daemon itself tries four times, a newer one more often.
    let registry = FaultyRegistry::failing(DOWN, &["PUT", "/manifests/"], 8);
    let (context, path) = (context(), format!("retried/{}:1", unique()));
    let built = build(context.path(), &registry.name(&path), &[]).succeeded();
    assert!(
        built.stderr.contains("the push failed, and is repeated in"),
        "{}",
        built.stderr
    );
    assert!(built.stderr.contains("(1 of 2)"), "{}", built.stderr);
    assert!(Pushed::find(&registry.behind(&path)).is_some());
    // The layer was sent once.
    let uploads = registry.requests(&["PUT", "/blobs/uploads/"]);
    let digests: std::collections::BTreeSet<_> =
        uploads.iter().map(|it| &it[it.len() - 80..]).collect();
    assert_eq!(uploads.len(), digests.len(), "{uploads:?}");
}

#[test]
fn a_registry_that_stays_down_ends_the_build_with_the_code_for_later() {
    let registry = FaultyRegistry::failing(DOWN, &["PUT", "/manifests/"], 1000);
    let (context, path) = (context(), format!("down/{}:1", unique()));
    let built = build(context.path(), &registry.name(&path), &["--push-retries=0"]);
    assert!(!built.stderr.contains("is repeated"), "{}", built.stderr);
    built.failed_with(75, &["503"]);
    assert!(Pushed::find(&registry.behind(&path)).is_none());
}

#[test]
fn a_bake_repeats_pushes_too() {
    let registry = FaultyRegistry::failing(DOWN, &["PUT", "/manifests/"], 8);
    let (context, path) = (context(), format!("baked/{}:1", unique()));
    let file = format!(
        "target \"default\" {{\n  tags = [\"{}\"]\n}}\n",
        registry.name(&path)
    );
    std::fs::write(context.path().join("docker-bake.hcl"), file).expect("a file");
    let mut command = solvekit(["bake", "--push", "--push-retries", "2"]);
    let baked = Finished::of(command.current_dir(context.path())).succeeded();
    assert!(baked.stderr.contains("(1 of 2)"), "{}", baked.stderr);
    assert!(Pushed::find(&registry.behind(&path)).is_some());
}

#[test]
fn a_push_from_here_survives_a_blob_that_was_cut() {
    let registry = FaultyRegistry::failing(Fault::Cut(2 << 20), &["PUT", "/blobs/uploads/"], 1);
    let (context, path) = (context(), format!("cut/{}:1", unique()));
    let output = format!("type=oci,dest={}", context.path().join("out.tar").display());
    Finished::of(solvekit(["build", "-o", &output]).arg(context.path())).succeeded();
    let name = registry.name(&path);
    let mut push = solvekit(["push", "--jobs=1", "-t", &name]);
    let pushed = Finished::of(push.arg(context.path().join("out.tar"))).succeeded();
    // It asks how much has arrived, and waits only if nothing was added.
    let (cut, asked) = (["PUT", "FAILED"], ["GET", "/blobs/uploads/"]);
    for words in [cut, asked] {
        assert_eq!(registry.requests(&words).len(), 1, "{}", pushed.stderr);
    }
    assert!(Pushed::find(&registry.behind(&path)).is_some());
}

#[test]
fn commands_that_push_obey_the_retry_limit_and_report_the_rest() {
    let source = crate::support::Engine::get().name(&format!("retries/{}:1", unique()));
    let context = context();
    build(context.path(), &source, &[]).succeeded();
    let create = |name: &str, retries: &str| {
        let mut command = solvekit(["imagetools", "create", "--push-retries", retries]);
        Finished::of(command.args(["-t", name, &source]))
    };
    let limited = Fault::Status("429 Too Many Requests", "retry-after: 1\r\n");
    let registry = FaultyRegistry::failing(limited, &["PUT", "/manifests/"], 2);
    let path = format!("limited/{}:1", unique());
    create(&registry.name(&path), "1").failed_with(75, &["429"]);
    create(&registry.name(&path), "1").succeeded();
    let refusing = FaultyRegistry::failing(
        Fault::Status("403 Forbidden", ""),
        &["POST", "/blobs/uploads/"],
        1000,
    );
    create(&refusing.name("no/way:1"), "1").failed_with(77, &["403"]);
    let wrong = Fault::Status("400 Bad Request", "");
    let picky = FaultyRegistry::failing(wrong, &["PUT", "/manifests/"], 1000);
    create(&picky.name(&format!("picky/{}:1", unique())), "1").failed_with(65, &["400"]);
}
