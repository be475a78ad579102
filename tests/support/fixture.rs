//! Build contexts: from `tests/fixtures`, and those that a test writes itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The path of `tests/fixtures/NAME`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A copy of a folder that the test may change.
pub fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    let status = Command::new("cp")
        .arg("-a")
        .arg(folder.join("."))
        .arg(copy.path())
        .status();
    assert!(status.expect("cp is there").success());
    copy
}

/// A new folder with these files: `[("Dockerfile", "FROM alpine\n"), ("src/a.txt", "a")]`.
pub fn folder_of(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a path in the folder"))
            .expect("the folder can be written");
        std::fs::write(path, text).expect("the folder can be written");
    }
    folder
}
