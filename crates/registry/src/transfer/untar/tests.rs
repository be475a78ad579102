//! Archives written by these tests, and by tar.

use super::super::tar::{END, header, padding};
use super::*;

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, text) in files {
        bytes.extend(header(name, text.len() as u64).unwrap());
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(bytes.len() + padding(text.len() as u64), 0);
    }
    bytes.resize(bytes.len() + END, 0);
    bytes
}

fn read(bytes: &[u8]) -> Result<BTreeMap<String, Span>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    std::fs::write(&path, bytes).unwrap();
    files(&path).map_err(|error| error.to_string())
}

#[test]
fn what_is_written_is_found_again() {
    let long = format!("blobs/sha512/{}", "a".repeat(128));
    let bytes = archive(&[
        ("blobs/", ""),
        ("./a//b", "hello"),
        (&long, "x"),
        ("empty", ""),
    ]);
    let found = read(&bytes).unwrap();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["a/b", &long, "empty"]);
    for (name, text) in [("a/b", "hello"), (long.as_str(), "x"), ("empty", "")] {
        let Span { offset, size } = found[name];
        let range = offset as usize..(offset + size) as usize;
        assert_eq!(&bytes[range], text.as_bytes(), "{name}");
    }
}

#[test]
fn tar_reads_what_is_written_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("deep/{}", "b".repeat(120));
    std::fs::write(
        folder.path().join("new.tar"),
        archive(&[("a", "1"), (&long, "22")]),
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let mut tar = std::process::Command::new("tar");
        let output = tar
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    run(&["-xf", "new.tar"]);
    assert_eq!(std::fs::read(folder.path().join(&long)).unwrap(), b"22");
    std::os::unix::fs::symlink(&long, folder.path().join("link")).unwrap();
    for format in ["gnu", "pax"] {
        let format = format!("--format={format}");
        run(&["-cf", "old.tar", &format, "a", "link", &long]);
        let found = files(&folder.path().join("old.tar")).unwrap();
        assert_eq!(found["a"].size, 1);
        assert_eq!(found["link"], found[&long]);
    }
}

#[test]
fn files_that_are_not_archives_are_refused() {
    let whole = archive(&[("a", "hello")]);
    for (bytes, part) in [
        (&b"\x1f\x8b"[..], "compressed"),
        (&b"ustar"[..], "cut off"),
        (&[b'x'; 1024], "not a tar archive"),
        (&whole[..514], "cut off"),
        (&whole[..300], "cut off"),
    ] {
        let error = read(bytes).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(read(&[]).unwrap().is_empty());
}
