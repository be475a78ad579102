//! Files that others have prepared where this client writes.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Finished, solvekit};

/// Nothing is written through links, with or without a guessed process id in their names.
#[test]
fn results_are_not_written_through_links() {
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("context");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM scratch\n").unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "kept").unwrap();
    let progress = folder.path().join("progress");
    symlink(&victim, &progress).unwrap();
    // The build fails because there is no daemon; the progress file is opened before that.
    Finished::of(
        solvekit(["build", "--progress=jsonl", "--progress-file"])
            .arg(&progress)
            .env("BUILDKIT_HOST", "unix:///nonexistent/socket")
            .arg(&context),
    );
    assert_eq!(fs::read(&victim).unwrap(), b"kept");
    assert!(progress.symlink_metadata().unwrap().is_file());

    let lock = folder.path().join("solvekit.lock");
    symlink(&victim, &lock).unwrap();
    Finished::of(solvekit(["lock", "-o"]).arg(&lock).arg(&context));
    assert_eq!(fs::read(&victim).unwrap(), b"kept");
}
