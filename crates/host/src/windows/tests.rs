//! Tests of the Windows half. `tests/wine/run` runs them under Wine, except those that it names.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{Beneath, files, names, process};
use crate::{BeneathError, Kind, Links, Special};

const NONE: [(&str, &str); 0] = [];
/// Errors of Windows.
const ACCESS_DENIED: i32 = 5;
const IN_USE: i32 = 32;
const TIME: i64 = 1_700_000_000_123_456_700;

#[test]
fn files_are_created_listed_and_removed_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let beneath = Beneath::open(folder.path()).unwrap();
    beneath.make_folder(b"a").unwrap();
    let error = beneath.make_folder(b"a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let inner = beneath.inner(b"a").unwrap();
    let mut file = inner.make_file("Zürich.txt".as_bytes(), 0o600).unwrap();
    file.write_all(b"text").unwrap();
    Beneath::complete_file(&file, 0o600, TIME, NONE).unwrap();
    drop(file);

    let found = inner.status("Zürich.txt".as_bytes()).unwrap();
    assert_eq!(
        (found.kind, found.size, found.modified),
        (Kind::File, 4, TIME)
    );
    assert_eq!(found.permissions, 0o755);
    let listed = inner.entries().unwrap();
    assert_eq!(listed, [("Zürich.txt".as_bytes().to_vec(), Kind::File)]);
    let mut text = String::new();
    let path = Path::new("a/Zürich.txt");
    let mut file = beneath.file(path, Links::Never).unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "text");
    drop((file, inner));
    beneath.remove(b"a", Kind::Folder).unwrap();
    assert_eq!(beneath.kind(b"a").unwrap(), None);
}

#[test]
fn folders_get_times_and_files_get_second_names() {
    let folder = tempfile::tempdir().unwrap();
    let beneath = Beneath::open(folder.path()).unwrap();
    beneath.make_folder(b"a").unwrap();
    let inner = beneath.inner(b"a").unwrap();
    beneath.make_file(b"first", 0o600).unwrap();
    inner.make_hard_link(b"second", &beneath, b"first").unwrap();
    let same = same_file::is_same_file(folder.path().join("first"), folder.path().join("a/second"));
    assert!(same.unwrap());

    inner.complete_folder(b".", 0o700, TIME, NONE).unwrap();
    let found = beneath.status(b"a").unwrap();
    assert_eq!((found.kind, found.modified), (Kind::Folder, TIME));
    beneath.complete_folder(b"a", 0o700, 0, NONE).unwrap();
    assert_eq!(inner.status(b".").unwrap().modified, 0);
}

#[test]
fn what_windows_lacks_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let beneath = Beneath::open(folder.path()).unwrap();
    let pipe = Special {
        kind: Kind::Pipe,
        permissions: 0o600,
        major: 0,
        minor: 0,
    };
    let error = beneath.make_special(b"pipe", &pipe).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    beneath.make_file(b"file", 0o600).unwrap();
    let error = beneath.read_link(b"file").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = beneath.inner(b"file").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    let error = Beneath::open(&folder.path().join("file")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
}

#[test]
fn a_read_only_file_has_no_right_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions.clone()).unwrap();
    let beneath = Beneath::open(folder.path()).unwrap();
    assert_eq!(beneath.status(b"file").unwrap().permissions, 0o555);
}

#[test]
fn names_that_windows_reads_otherwise_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let beneath = Beneath::open(folder.path()).unwrap();
    for name in [
        "", ".", "..", r"a\b", "a/b", "C:x", "a:stream", "a*", "tab\t",
    ] {
        let error = beneath.make_file(name.as_bytes(), 0o600).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidFilename, "{name:?}");
    }
    // A device elsewhere, a file here.
    beneath.make_file(b"nul", 0o600).unwrap();
    assert_eq!(beneath.kind(b"nul").unwrap(), Some(Kind::File));
    beneath.remove(b"nul", Kind::File).unwrap();
}

#[test]
fn no_path_leads_out_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("secret"), "").unwrap();
    let beneath = Beneath::open(&folder.path().join("in")).unwrap();
    for path in ["../secret", r"..\secret", "/secret"] {
        let error = beneath.file(Path::new(path), Links::Inside).unwrap_err();
        assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
    }
    let absolute = folder.path().join("secret");
    let error = beneath.file(&absolute, Links::Inside).unwrap_err();
    assert!(matches!(error, BeneathError::Io(_)), "{error}");
}

#[test]
fn an_open_folder_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    let beneath = Beneath::open(folder.path()).unwrap();
    let inner = beneath.directory(b"a/b", Links::Never).unwrap();
    for (from, to) in [("a", "c"), ("a/b", "a/c")] {
        let error = fs::rename(folder.path().join(from), folder.path().join(to)).unwrap_err();
        assert!(
            matches!(error.raw_os_error(), Some(ACCESS_DENIED | IN_USE)),
            "{from}: {error}"
        );
    }
    drop(inner);
    fs::rename(folder.path().join("a"), folder.path().join("c")).unwrap();
}

#[test]
fn links_lead_to_files_and_folders_inside() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("in/real")).unwrap();
    fs::write(folder.path().join("in/real/file"), "inside").unwrap();
    fs::write(folder.path().join("secret"), "outside").unwrap();
    let beneath = Beneath::open(&folder.path().join("in")).unwrap();
    beneath.make_link(b"folder", b"real").unwrap();
    beneath.make_link(b"file", b"real/file").unwrap();
    beneath.make_link(b"out", b"../secret").unwrap();
    assert_eq!(beneath.read_link(b"file").unwrap(), b"real/file");
    assert_eq!(beneath.status(b"folder").unwrap().kind, Kind::Link);
    for path in ["file", "folder/file"] {
        let mut text = String::new();
        let mut file = beneath.file(Path::new(path), Links::Inside).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "inside");
    }
    let error = beneath.file(Path::new("out"), Links::Inside).unwrap_err();
    assert!(matches!(error, BeneathError::Outside), "{error}");
    for link in [b"folder".as_slice(), b"file", b"out"] {
        beneath.remove(link, Kind::Link).unwrap();
    }
    assert!(folder.path().join("in/real/file").exists());
}

#[test]
fn a_link_to_an_existing_folder_is_one_for_folders() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("sub/inner")).unwrap();
    fs::write(folder.path().join("sub/file"), "").unwrap();
    let beneath = Beneath::open(&folder.path().join("sub")).unwrap();
    for target in ["inner", "./inner/", "../sub", "../../..", "/", "."] {
        assert!(beneath.leads_to_folder(target.as_bytes()), "{target}");
    }
    for target in [
        "file",
        "none",
        "../none",
        "../sub/file",
        r"..\sub",
        "//server/none",
    ] {
        assert!(!beneath.leads_to_folder(target.as_bytes()), "{target}");
    }
}

#[test]
fn a_lock_is_held_until_the_file_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let first = files::lock_of_folder(folder.path()).unwrap();
    assert!(files::try_lock(&first).unwrap());
    let second = files::lock_of_folder(folder.path()).unwrap();
    assert!(!files::try_lock(&second).unwrap());
    assert!(!files::try_lock_shared(&second).unwrap());
    drop(first);
    assert!(files::try_lock(&second).unwrap());
}

#[test]
fn a_lock_file_that_is_being_removed_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let first = files::lock_of_folder(folder.path()).unwrap();
    let second = files::lock_of_folder(folder.path()).unwrap();
    // Its removal begins here, and ends when the second one is closed.
    drop(first);
    let closing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        drop(second);
    });
    let third = files::lock_of_folder(folder.path()).unwrap();
    assert!(files::try_lock(&third).unwrap());
    closing.join().unwrap();
    drop(third);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn files_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tool.exe");
    fs::write(&path, "").unwrap();
    assert!(files::is_program(&path));
    assert!(files::is_program(&folder.path().join("tool")));
    assert!(!files::is_program(folder.path()));
    let held = OpenOptions::new().read(true).open(&path).unwrap();
    assert!(files::is_at(&held, &path));
    let linked = folder.path().join("linked.exe");
    files::link_program(&path, &linked).unwrap();
    assert!(files::is_at(&held, &linked));
    assert!(!files::is_at(&held, &folder.path().join("none")));
    fs::write(folder.path().join("other"), "").unwrap();
    assert!(!files::is_at(&held, &folder.path().join("other")));
}

#[test]
fn paths_of_the_wire_have_slashes() {
    assert_eq!(names::bytes(r"a\b".as_ref()).as_ref(), b"a/b");
    assert_eq!(names::path(b"a/b"), Path::new(r"a\b"));
    assert!(files::is_socket(Path::new("//./pipe/docker_engine")));
    assert!(files::is_socket(Path::new(r"\\.\pipe\docker_engine")));
    assert!(!files::is_socket(Path::new(r"C:\pipe\docker_engine")));
}

#[test]
fn names_that_differ_in_case_are_the_same() {
    let compared = |name: &str| names::compared(name.as_bytes()).unwrap();
    assert_eq!(compared("Sub/\u{e4}\u{df}"), compared("sub/\u{c4}\u{df}"));
    assert_ne!(compared("\u{df}"), compared("ss"));
    let folder = tempfile::tempdir().unwrap();
    let beneath = Beneath::open(folder.path()).unwrap();
    beneath.make_file(b"Readme", 0o600).unwrap();
    let error = beneath.make_file(b"readme", 0o600).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn canonical_paths_are_written_as_people_do() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().canonicalize().unwrap();
    let short = files::canonical(&folder.path().join(".")).unwrap();
    assert_eq!(
        format!(r"\\?\{}", short.display()),
        long.display().to_string()
    );
    let name = Beneath::open(folder.path()).unwrap();
    name.make_folder(b"con").unwrap();
    let device = long.join("con");
    assert_eq!(files::canonical(&device).unwrap(), device);
}

#[test]
fn another_program_is_ended() {
    let mut command = Command::new("cmd");
    process::separate(&mut command);
    // It waits for commands.
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(child.try_wait().unwrap().is_none());
    process::ask_to_end(&mut child);
    assert!(!child.wait().unwrap().success());
}
