//! Exports of many files to a folder, which several threads write: full disks, folders that cannot
//! be written, interrupts. No file may stay half written.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{Finished, Running, folder_of, solvekit, unique};

/// A context whose result has this many files, each with its name and a filling.
fn context_of(files: usize, filling: usize) -> tempfile::TempDir {
    let dockerfile = format!(
        "FROM busybox AS made\n\
         RUN : {}; mkdir /out; cd /out; fill=$(head -c {filling} /dev/zero | tr '\\0' x); i=0; \
         while [ $i -lt {files} ]; do echo \"f$i $fill\" > f$i; i=$((i+1)); done\n\
         FROM scratch\nCOPY --from=made /out /\n",
        unique()
    );
    folder_of(&[("Dockerfile", &dockerfile)])
}

/// Checks that each file is complete, and counts them.
#[track_caller]
fn whole_files(folder: &Path, filling: usize) -> usize {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&path).expect("a file");
        assert_eq!(text, format!("{name} {}\n", "x".repeat(filling)), "{name}");
        count += 1;
    }
    count
}

/// A file system in memory.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(path: &'a Path, options: &str) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]).arg(path);
        assert!(mount.status().expect("mount is there").success());
        Self(path)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_disk_that_fills_up_leaves_whole_files_and_the_folder_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mounted = Mounted::new(folder.path(), "size=600k");
    let context = context_of(400, 5000);
    let out = folder.path().join("out");
    let output = format!("type=local,dest={}", out.display());
    let mut build = solvekit(["build", "--progress=plain", "-o", &output]);
    let incomplete = format!("the folder {} is incomplete", out.display());
    let words = ["cannot write f", "No space left on device", &incomplete];
    Finished::of(build.arg(context.path())).failed_with(1, &words);
    let count = whole_files(&out, 5000);
    assert!(count < 400, "{count}");
    drop(mounted);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let mounted = Mounted::new(folder.path(), "ro");
    let context = context_of(3, 1);
    let out = folder.path().join("out");
    let path = out.display().to_string();
    let mut build = solvekit(["build", "--progress=plain", "-o", &path]);
    let words = [&*path, "Read-only file system"];
    Finished::of(build.arg(context.path())).failed_with(1, &words);
    drop(mounted);
}

#[test]
fn an_interrupted_export_leaves_whole_files_only() {
    const FILES: usize = 20_000;
    let context = context_of(FILES, 10);
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let path = out.display().to_string();
    let mut build = solvekit(["build", "--progress=plain", "-o", &path]);
    let run = Running::start(build.arg(context.path()));
    let has_begun = || fs::read_dir(&out).is_ok_and(|entries| entries.count() > 100);
    for _ in 0..6000 {
        if has_begun() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    run.interrupt();
    let finished = run.wait();
    let count = whole_files(&out, 10);
    // On a slow machine the export may have ended before the interrupt.
    if finished.code == Some(0) {
        assert_eq!(count, FILES);
    } else {
        let incomplete = format!("the folder {path} is incomplete");
        finished.failed_with(130, &[&incomplete]);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}
