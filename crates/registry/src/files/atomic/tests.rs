use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_has_its_name_only_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    fs::write(&path, "old").unwrap();
    let mut file = AtomicFile::create(&path).unwrap();
    file.write_all(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    drop(file);
    assert_eq!(names(folder.path()), ["out"]);
    replace(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn a_link_in_its_place_is_replaced_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "kept").unwrap();
    let path = folder.path().join("out");
    symlink(&victim, &path).unwrap();
    replace(&path, b"new").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"kept");
    assert!(path.symlink_metadata().unwrap().is_file());
}

#[test]
fn temporary_names_are_never_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let files: Vec<_> = (0..3).map(|_| AtomicFile::create(&path).unwrap()).collect();
    let mut names = names(folder.path());
    names.dedup();
    assert_eq!(names.len(), 3);
    let pid = std::process::id().to_string();
    assert!(names.iter().all(|name| !name.ends_with(&pid)), "{names:?}");
    drop(files);
    let long = "ä".repeat(120);
    assert!(random_name(long.as_ref()).unwrap().len() <= 255);
}

#[test]
fn permissions_are_there_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let file = AtomicFile::create_with_mode(&path, 0o600).unwrap();
    let mode = file.file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn devices_and_open_files_are_written_to_and_never_replaced() {
    let mut destination = Destination::open(Path::new("/dev/null")).unwrap();
    destination.write_all(b"x").unwrap();
    destination.finish().unwrap();
    assert!(!Path::new("/dev/null").is_file());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redirected");
    fs::write(&path, "before ").unwrap();
    let file = File::open(&path).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&file);
    let name = PathBuf::from(format!("/proc/self/fd/{number}"));
    let mut destination = Destination::open(&name).unwrap();
    destination.write_all(b"after").unwrap();
    destination.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"before after");
}

#[test]
fn a_place_that_cannot_be_is_an_error_before_anything_is_written() {
    for path in ["/dev/null/out", "/"] {
        assert!(Destination::open(Path::new(path)).is_err(), "{path}");
    }
}
