use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;

use super::*;

fn folder() -> (tempfile::TempDir, Beneath) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("root/real/sub")).unwrap();
    fs::write(folder.path().join("root/real/file"), "inside").unwrap();
    fs::write(folder.path().join("secret"), "outside").unwrap();
    let root = folder.path().join("root");
    symlink("real/file", root.join("in")).unwrap();
    symlink("../secret", root.join("up")).unwrap();
    symlink(folder.path().join("secret"), root.join("absolute")).unwrap();
    symlink("..", root.join("parent")).unwrap();
    symlink("real", root.join("linked")).unwrap();
    let beneath = Beneath::open(&root).unwrap();
    (folder, beneath)
}

fn read(beneath: &Beneath, path: &str, links: Links) -> Result<String, BeneathError> {
    let mut text = String::new();
    beneath
        .file(Path::new(path), links)?
        .read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn links_are_followed_inside_only() {
    let (_folder, beneath) = folder();
    for path in ["real/file", "in", "linked/file"] {
        assert_eq!(read(&beneath, path, Links::Inside).unwrap(), "inside");
    }
    for path in [
        "up",
        "absolute",
        "parent/secret",
        "../secret",
        "linked/../up",
    ] {
        let error = read(&beneath, path, Links::Inside).unwrap_err();
        assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
    }
    for path in ["in", "linked/file"] {
        let error = read(&beneath, path, Links::Never).unwrap_err();
        assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
    }
    assert!(
        read(&beneath, "none", Links::Inside)
            .unwrap_err()
            .is_missing()
    );
}

#[test]
fn without_openat2_the_same_links_are_followed_and_nothing_leads_out() {
    let (_folder, beneath) = folder();
    let open = |path: &str, flags, links| beneath.step_by_step(path.as_bytes(), flags, links);
    for links in [Links::Inside, Links::Never] {
        assert!(open("real/file", FILE, links).is_ok());
        assert!(open("real/sub", DIRECTORY, links).is_ok());
        assert!(open(".", DIRECTORY, links).is_ok());
        for path in [
            "up",
            "absolute",
            "parent/secret",
            "../secret",
            "/etc/passwd",
        ] {
            let error = open(path, FILE, links).unwrap_err();
            assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
        }
        assert!(open("real/none", FILE, links).unwrap_err().is_missing());
        assert!(open("real/file/x", FILE, links).unwrap_err().is_missing());
    }
    for path in ["in", "linked/file"] {
        assert!(open(path, FILE, Links::Inside).is_ok(), "{path}");
        assert!(open(path, FILE, Links::Never).is_err(), "{path}");
    }
    assert!(open("linked/sub", DIRECTORY, Links::Inside).is_ok());
}

#[test]
#[cfg(target_os = "linux")]
fn pipes_devices_and_folders_are_no_files_and_nothing_waits_for_them() {
    let (folder, beneath) = folder();
    let pipe = folder.path().join("root/pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, 0o600.into(), 0).unwrap();
    for path in ["pipe", "real"] {
        let error = read(&beneath, path, Links::Inside).unwrap_err();
        assert!(matches!(error, BeneathError::NotRegular), "{path}: {error}");
    }
    assert_eq!(beneath.kind(b"pipe").unwrap(), Some(Kind::Pipe));
    assert_eq!(beneath.kind(b"none").unwrap(), None);
}
