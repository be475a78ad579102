use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::session::filesync::request::Request;

fn walked(root: &Path, include: &[&str], exclude: &[&str]) -> Result<Vec<String>, TransferError> {
    let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    let request = Request {
        include: owned(include),
        exclude: owned(exclude),
        ..Request::default()
    };
    let root = Beneath::open(root).unwrap();
    let filter = Filter::new(&root, &request)?;
    let mut paths = Vec::new();
    walk(&root, &filter, &|| false, &mut |stat, _| {
        paths.push(in_text(&stat.path).into_owned());
        Ok(())
    })?;
    Ok(paths)
}

fn tree(paths: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for path in paths {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    root
}

#[test]
fn paths_come_by_components_and_bytes() {
    let root = tree(&["a/x", "a.txt", "a-b/y", "a/b/c", "B", "é", "z"]);
    let paths = walked(root.path(), &[], &[]).unwrap();
    assert_eq!(
        paths,
        [
            "B", "a", "a/b", "a/b/c", "a/x", "a-b", "a-b/y", "a.txt", "z", "é"
        ]
    );
}

#[test]
fn parents_of_what_is_included_come_before_it_and_once() {
    let root = tree(&["a/b/c.rs", "a/b/d.rs", "a/e.txt", "f/g.txt", "h/i.rs"]);
    let paths = walked(root.path(), &["**/*.rs"], &[]).unwrap();
    assert_eq!(paths, ["a", "a/b", "a/b/c.rs", "a/b/d.rs", "h", "h/i.rs"]);
}

#[test]
fn an_exception_brings_the_excluded_directories_above_it() {
    let root = tree(&["a/b/keep", "a/b/drop", "a/c", "d"]);
    let paths = walked(root.path(), &[], &["a", "!a/b/keep"]).unwrap();
    assert_eq!(paths, ["a", "a/b", "a/b/keep", "d"]);
}

#[test]
fn exclusion_wins_over_inclusion() {
    let root = tree(&["a/x.rs", "a/y.rs", "b.rs"]);
    let paths = walked(root.path(), &["a", "*.rs"], &["**/y.rs"]).unwrap();
    assert_eq!(paths, ["a", "a/x.rs", "b.rs"]);
}

#[test]
fn names_that_are_not_utf8_are_sent_byte_for_byte() {
    let root = tree(&["a/x"]);
    for name in [&b"bad-\xff"[..], b"bad-\xfe\xe9"] {
        fs::write(root.path().join("a").join(OsStr::from_bytes(name)), "").unwrap();
    }
    let beneath = Beneath::open(root.path()).unwrap();
    let mut paths = Vec::new();
    walk(&beneath, &Filter::default(), &|| false, &mut |stat, _| {
        paths.push(stat.path.clone());
        Ok(())
    })
    .unwrap();
    assert_eq!(paths, [&b"a"[..], b"a/bad-\xfe\xe9", b"a/bad-\xff", b"a/x"]);
    // A pattern matches each such byte as one character.
    let excluded = ["a/bad-?"];
    let kept = ["a", "a/bad-\u{fffd}\u{fffd}", "a/x"];
    assert_eq!(walked(root.path(), &[], &excluded).unwrap(), kept);
}

#[test]
fn what_vanishes_while_walking_was_never_there() {
    let root = tree(&["a/x", "a/y", "b/z", "c"]);
    let paths = walked_while(root.path(), |path| {
        if path == "a/x" {
            fs::remove_file(root.path().join("a/y")).unwrap();
            fs::remove_dir_all(root.path().join("b")).unwrap();
        }
    });
    assert_eq!(paths, ["a", "a/x", "c"]);
}

/// Returns the paths, and calls `at` for each.
fn walked_while(root: &Path, mut at: impl FnMut(&str)) -> Vec<String> {
    let beneath = Beneath::open(root).unwrap();
    let mut paths = Vec::new();
    walk(&beneath, &Filter::default(), &|| false, &mut |stat, _| {
        let path = in_text(&stat.path).into_owned();
        at(&path);
        paths.push(path);
        Ok(())
    })
    .unwrap();
    paths
}

#[test]
fn a_folder_that_becomes_a_link_leads_nowhere() {
    let outside = tree(&["secret/key", "x/key"]);
    let swap = |path: &Path| {
        fs::rename(path, path.with_extension("old")).unwrap();
        symlink(outside.path(), path).unwrap();
    };
    // It is listed as a folder but replaced before it is entered, so its content is never read.
    let root = tree(&["a/secret/x", "b"]);
    let paths = walked_while(root.path(), |path| {
        if path == "a" {
            swap(&root.path().join("a"));
        }
    });
    assert_eq!(paths, ["a", "b"]);
    // It is replaced during the walk: its entries are read from its own descriptor, and a
    // folder in it has vanished.
    let root = tree(&["a/k", "a/secret/key", "a/x/y", "b"]);
    let paths = walked_while(root.path(), |path| {
        if path == "a/k" {
            swap(&root.path().join("a"));
        }
    });
    assert!(!paths.iter().any(|path| path.ends_with("key")), "{paths:?}");
    assert!(paths.ends_with(&["b".to_owned()]), "{paths:?}");
}

#[test]
fn a_walk_that_nobody_waits_for_stops() {
    let root = tree(&["a/x", "b/y"]);
    let beneath = Beneath::open(root.path()).unwrap();
    let stopped = walk(&beneath, &Filter::default(), &|| true, &mut |_, _| Ok(()));
    assert!(matches!(stopped, Err(TransferError::Closed)));
}

#[test]
fn deep_trees_do_not_exhaust_anything() {
    let root = tempfile::tempdir().unwrap();
    let deep = vec!["d"; 1500].join("/");
    fs::create_dir_all(root.path().join(&deep)).unwrap();
    assert_eq!(walked(root.path(), &[], &[]).unwrap().len(), 1500);
}
