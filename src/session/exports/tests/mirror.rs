//! Destinations that keep nothing but what arrives: `mode=delete`.

use super::*;

#[tokio::test]
async fn a_mirror_holds_nothing_but_what_arrived() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("out");
    fs::create_dir_all(root.join("old/deep")).unwrap();
    fs::create_dir_all(root.join("kept/old")).unwrap();
    fs::create_dir(dir.path().join("outside")).unwrap();
    fs::write(dir.path().join("outside/file"), "").unwrap();
    for name in ["old/deep/file", "kept/stale", "changed", "kept/same"] {
        fs::write(root.join(name), "old").unwrap();
    }
    symlink(dir.path().join("outside"), root.join("kept/link")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd-\xff");
    fs::create_dir(root.join(odd)).unwrap();
    fs::write(root.join(odd).join(odd), "").unwrap();

    let files = [
        file("changed", 0o644, "new"),
        file("empty", mode::DIR | 0o755, ""),
        file("kept", mode::DIR | 0o755, ""),
        file("kept/same", 0o644, "same"),
    ];
    let exports = Exports::new().with_mirror(0, &root);
    send_to(exports, "0+all", &files).await.unwrap();
    let names = |path: &Path| {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&root), ["changed", "empty", "kept"]);
    assert_eq!(names(&root.join("kept")), ["same"]);
    assert_eq!(fs::read(root.join("changed")).unwrap(), b"new");
    assert!(dir.path().join("outside/file").exists());
}

#[tokio::test]
async fn nothing_is_removed_by_a_daemon_that_sends_in_parts_or_breaks_off() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("old"), "old").unwrap();
    let exports = Exports::new().with_mirror(0, dir.path());
    let refused = Daemon::<Packet>::start(exports.clone(), "0").await.err();
    assert_eq!(refused.unwrap().code(), Code::FailedPrecondition);
    assert!(exports.failure().unwrap().contains("mode=delete"));

    let mut daemon = Daemon::<Packet>::start(exports, "0+all").await.unwrap();
    let stat = Packet {
        r#type: PacketType::PacketStat.into(),
        stat: Some(file("new", 0o644, "").0),
        ..Packet::default()
    };
    daemon.messages.send(stat).await.unwrap();
    drop(daemon.messages);
    let answer = daemon.answers.message().await.unwrap().unwrap();
    assert_eq!(answer.r#type(), PacketType::PacketErr);
    daemon.answers.message().await.unwrap_err();
    assert!(dir.path().join("old").exists());
}
