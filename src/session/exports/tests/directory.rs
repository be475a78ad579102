//! Directories: many files, received one beside another.

use super::*;

#[tokio::test]
async fn a_directory_arrives_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("made/out");
    let files = [
        file("bin", mode::DIR | 0o555, ""),
        file("bin/tool", mode::from_permissions(0o4755), "tool"),
        link("bin/twin", "bin/tool", 0o755),
        file("empty", 0o600, ""),
        link("link", "bin/tool", mode::SYMLINK | 0o777),
        file("pipe", mode::NAMED_PIPE | 0o640, ""),
        file("read-only", 0o400, "x and more"),
    ];
    send(&root, &files).await.unwrap();
    let metadata = |path: &str| root.join(path).symlink_metadata().unwrap();
    assert_eq!(fs::read(root.join("bin/tool")).unwrap(), b"tool");
    assert_eq!(fs::read(root.join("read-only")).unwrap(), b"x and more");
    assert_eq!(metadata("empty").len(), 0);
    for (path, want) in [
        ("bin", 0o40555),
        ("bin/tool", 0o104755),
        ("pipe", 0o10640),
        ("read-only", 0o100400),
    ] {
        assert_eq!(metadata(path).mode(), want, "{path}");
    }
    assert_eq!(metadata("bin/twin").ino(), metadata("bin/tool").ino());
    assert_eq!(
        fs::read_link(root.join("link")).unwrap(),
        Path::new("bin/tool")
    );
    for path in ["bin", "bin/tool", "empty", "link", "pipe", "read-only"] {
        let found = metadata(path);
        assert_eq!(
            (found.mtime(), found.mtime_nsec()),
            (1_000_000_007, 9),
            "{path}"
        );
        assert_eq!(found.uid(), rustix::process::getuid().as_raw(), "{path}");
    }
}

#[tokio::test]
async fn names_and_targets_that_are_not_utf8_are_written_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let odd = |path: &[u8], (mut stat, content): (Stat, &'static str)| {
        stat.path = path.to_vec();
        (stat, content)
    };
    let mut link = link("", "", mode::SYMLINK | 0o777);
    link.0.linkname = b"d\xff/f\xfe".to_vec();
    let files = [
        odd(b"d\xff", file("", mode::DIR | 0o755, "")),
        odd(b"d\xff/f\xfe", file("", 0o644, "content")),
        odd(b"link", link),
    ];
    send(dir.path(), &files).await.unwrap();
    let path = dir.path().join(std::ffi::OsStr::from_bytes(b"d\xff/f\xfe"));
    assert_eq!(fs::read(path).unwrap(), b"content");
    assert_eq!(fs::read(dir.path().join("link")).unwrap(), b"content");
}

#[tokio::test]
async fn what_is_there_stays_or_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("f"), "outside").unwrap();
    let at = |path: &str| dir.path().join(path);
    fs::write(at("kept"), "kept").unwrap();
    fs::create_dir_all(at("was-directory/deep")).unwrap();
    fs::write(at("was-file"), "old").unwrap();
    symlink(outside.path().join("f"), at("was-link")).unwrap();
    symlink(outside.path(), at("was-link-to-directory")).unwrap();
    let files = [
        file("was-directory", 0o644, "file"),
        file("was-file", mode::DIR | 0o755, ""),
        file("was-link", 0o644, "file"),
        file("was-link-to-directory", mode::DIR | 0o755, ""),
        file("was-link-to-directory/f", 0o644, "file"),
    ];
    send(dir.path(), &files).await.unwrap();
    assert_eq!(fs::read(at("kept")).unwrap(), b"kept");
    for path in ["was-directory", "was-link", "was-link-to-directory/f"] {
        assert_eq!(fs::read(at(path)).unwrap(), b"file", "{path}");
    }
    assert!(at("was-file").is_dir());
    assert_eq!(fs::read(outside.path().join("f")).unwrap(), b"outside");
}

#[tokio::test]
async fn nothing_is_written_outside() {
    for files in [
        vec![file("../x", 0o644, "x")],
        vec![file("/tmp/solvekit-escaped", 0o644, "x")],
        vec![
            link("l", "/tmp", mode::SYMLINK | 0o777),
            file("l/solvekit-escaped", 0o644, "x"),
        ],
        vec![
            link("l", "../..", mode::SYMLINK | 0o777),
            file("l/x", 0o644, "x"),
        ],
        vec![link("hard", "../secret", 0o644)],
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret"), "s").unwrap();
        let error = send(&dir.path().join("out"), &files).await.unwrap_err();
        assert!(
            error.contains("does not stay inside the destination"),
            "{error}"
        );
        assert!(!Path::new("/tmp/solvekit-escaped").exists());
    }
}

#[tokio::test]
async fn more_files_than_can_be_asked_for_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..3000)
        .map(|n| file(&format!("f{n:04}"), 0o644, "content"))
        .collect();
    send(dir.path(), &files).await.unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3000);
    assert_eq!(fs::read(dir.path().join("f2999")).unwrap(), b"content");
}

#[tokio::test]
async fn folders_are_completed_after_their_files_whoever_wrote_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for folder in 0..5 {
        files.push(file(&format!("d{folder}"), mode::DIR | 0o555, ""));
        let inside = (0..60).map(|n| file(&format!("d{folder}/f{n:02}"), 0o640, "content"));
        files.extend(inside);
    }
    send(dir.path(), &files).await.unwrap();
    for (stat, content) in &files {
        let path = std::ffi::OsStr::from_bytes(&stat.path);
        let path = dir.path().join(path);
        let found = fs::metadata(&path).unwrap();
        let permissions = mode::to_permissions(stat.mode);
        assert_eq!(found.mode() & 0o7777, permissions, "{path:?}");
        assert_eq!(
            (found.mtime(), found.mtime_nsec()),
            (1_000_000_007, 9),
            "{path:?}"
        );
        if found.is_file() {
            assert_eq!(fs::read(&path).unwrap(), content.as_bytes(), "{path:?}");
        }
    }
}

#[tokio::test]
async fn hard_links_are_made_after_the_files_of_all_threads() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..200)
        .flat_map(|n| {
            let name = format!("f{n:03}");
            let link = link(&format!("{name}-link"), &name, 0o644);
            [file(&name, 0o644, "content"), link]
        })
        .collect();
    send(dir.path(), &files).await.unwrap();
    for n in 0..200 {
        let at = |name: String| fs::metadata(dir.path().join(name)).unwrap();
        let (file, link) = (at(format!("f{n:03}")), at(format!("f{n:03}-link")));
        assert_eq!((file.ino(), file.nlink(), file.len()), (link.ino(), 2, 7));
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_ends_the_transfer() {
    let dir = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = (0..200)
        .map(|n| file(&format!("f{n:03}"), 0o644, "content"))
        .collect();
    files[100].0.path = vec![b'x'; 300];
    let error = send(dir.path(), &files).await.unwrap_err();
    assert!(error.starts_with("cannot create xxx"), "{error}");
    assert!(error.ends_with("File name too long"), "{error}");
}

#[tokio::test]
async fn the_senders_error_is_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::<Packet>::start(Exports::new().with_directory(0, dir.path()), "0")
        .await
        .unwrap();
    let packet = Packet {
        r#type: PacketType::PacketErr.into(),
        data: "snapshot is gone".into(),
        ..Packet::default()
    };
    daemon.messages.send(packet).await.unwrap();
    assert_eq!(
        daemon.answers.message().await.unwrap().unwrap().r#type(),
        PacketType::PacketErr
    );
    let status = daemon.answers.message().await.unwrap_err();
    assert_eq!(
        status.message(),
        "the daemon failed to send the files: snapshot is gone"
    );
}

#[tokio::test]
async fn a_directory_that_breaks_off_has_no_half_files() {
    let dir = tempfile::tempdir().unwrap();
    let broken = BrokenFolders::default();
    let exports = Exports::new().with_directory(0, dir.path());
    let exports = exports.noted_in(broken.clone());
    let mut daemon = Daemon::<Packet>::start(exports, "0").await.unwrap();
    let packet = |kind: PacketType, id| Packet {
        r#type: kind.into(),
        id,
        ..Packet::default()
    };
    let data = |id, text: &'static str| Packet {
        data: text.into(),
        ..packet(PacketType::PacketData, id)
    };
    for name in ["half", "never", "whole"] {
        let stat = Packet {
            stat: Some(file(name, 0o644, "content").0),
            ..packet(PacketType::PacketStat, 0)
        };
        daemon.messages.send(stat).await.unwrap();
    }
    for _ in 0..3 {
        let asked = daemon.answers.message().await.unwrap().unwrap();
        assert_eq!(asked.r#type(), PacketType::PacketReq);
    }
    for packet in [data(0, "con"), data(2, "content"), data(2, "")] {
        daemon.messages.send(packet).await.unwrap();
    }
    wait_until(|| fs::read(dir.path().join("whole")).is_ok_and(|text| text == b"content")).await;
    wait_until(|| dir.path().join("half").exists()).await;
    drop(daemon);
    wait_until(|| !dir.path().join("half").exists()).await;
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    wait_until(|| broken.paths() == [dir.path()]).await;

    // A later complete export makes the folder complete.
    let exports = Exports::new().with_directory(0, dir.path());
    let files = [file("whole", 0o644, "content")];
    send_to(exports.noted_in(broken.clone()), "0", &files)
        .await
        .unwrap();
    wait_until(|| broken.paths().is_empty()).await;
}
