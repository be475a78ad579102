//! Receiving, against a daemon in memory.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::Mutex;

use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Request, Streaming as Messages};
use tonic_prost::ProstCodec;

use super::*;
use crate::proto::fsutil::types::packet::PacketType;
use crate::proto::fsutil::types::{Packet, Stat};
use crate::session::Session;
use crate::session::fsutil::mode;
use crate::session::tests::connect;

/// The daemon's end of an export, with messages of one kind.
struct Daemon<M> {
    messages: mpsc::Sender<M>,
    answers: Messages<M>,
    _channel: Channel,
}

impl<M: Message + Default + Send + 'static> Daemon<M> {
    async fn start(exports: Exports, exporter: &'static str) -> Result<Self, Status> {
        let session = Session::builder().exports(exports).build().unwrap();
        let (channel, _) = connect(session, CancellationToken::new()).await;
        let (messages, outgoing) = mpsc::channel(1000);
        let mut request = Request::new(ReceiverStream::new(outgoing));
        let metadata = request.metadata_mut();
        metadata.insert("buildkit-attachable-exporter-id", exporter.parse().unwrap());
        metadata.insert(
            "exporter-md-containerimage.digest",
            "sha256:abc".parse().unwrap(),
        );
        if let Some(exporter) = exporter.strip_suffix("+all") {
            metadata.insert("buildkit-attachable-exporter-id", exporter.parse().unwrap());
            metadata.insert("buildkit-exporter-multi-platform", "1".parse().unwrap());
        }
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(METHODS[0]);
        let answers = grpc
            .streaming(request, path, ProstCodec::<M, M>::default())
            .await?
            .into_inner();
        Ok(Self {
            messages,
            answers,
            _channel: channel,
        })
    }

    /// Ends the stream and returns the call's result.
    async fn end(mut self) -> Result<(), Status> {
        drop(self.messages);
        assert!(self.answers.message().await?.is_none());
        Ok(())
    }
}

#[tokio::test]
async fn an_archive_is_written_whole_and_described() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.tar");
    let answer = Arc::new(Mutex::new(None));
    let exports = Exports::new().with_file(0, &path).with_writer(1, {
        let answer = Arc::clone(&answer);
        move |description| {
            *answer.lock().unwrap() = description.get("containerimage.digest").cloned();
            Ok(Box::new(io::sink()))
        }
    });
    let daemon = Daemon::<BytesMessage>::start(exports.clone(), "0")
        .await
        .unwrap();
    for data in ["first ", "second"] {
        daemon
            .messages
            .send(BytesMessage { data: data.into() })
            .await
            .unwrap();
    }
    daemon.end().await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first second");

    Daemon::<BytesMessage>::start(exports.clone(), "1")
        .await
        .unwrap()
        .end()
        .await
        .unwrap();
    assert_eq!(answer.lock().unwrap().as_deref(), Some("sha256:abc"));
    assert_eq!(
        Daemon::<BytesMessage>::start(exports, "2")
            .await
            .err()
            .unwrap()
            .code(),
        Code::NotFound
    );
}

/// An HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags, 0, 0, 0, stream]);
    frame.extend_from_slice(payload);
    frame
}

/// Sends half an archive in hand-made HTTP/2, then the frames of `end`.
async fn break_off(exports: Exports, end: &[u8]) -> tokio::io::DuplexStream {
    use tokio::io::AsyncWriteExt;
    let (mut daemon, client) = tokio::io::duplex(64 * 1024);
    let session = Session::builder().exports(exports).build().unwrap();
    tokio::spawn(session.serve(client, CancellationToken::new()));
    // POST, http, the path as a literal.
    let mut headers = vec![0x83, 0x86, 0x04, METHODS[0].len() as u8];
    headers.extend_from_slice(METHODS[0].as_bytes());
    let half = [&[0, 0, 0, 0, 6, 0x0a, 4][..], b"half"].concat();
    let sent = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(1, 4, 1, &headers),
        frame(0, 0, 1, &half),
    ];
    daemon.write_all(&sent.concat()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    daemon.write_all(end).await.unwrap();
    daemon
}

#[tokio::test]
async fn an_archive_that_breaks_off_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let count = || fs::read_dir(dir.path()).unwrap().count();
    let exports = Exports::new().with_file(0, dir.path().join("out.tar"));

    // A complete stream creates the file.
    let daemon = break_off(exports.clone(), &frame(0, 1, 1, &[])).await;
    wait_until(|| dir.path().join("out.tar").exists()).await;
    fs::remove_file(dir.path().join("out.tar")).unwrap();
    drop(daemon);

    // RST_STREAM: CANCEL, as grpc-go sends it when a context ends, and NO_ERROR; then a lost
    // connection.
    for code in [8, 0] {
        let daemon = break_off(exports.clone(), &frame(3, 0, 1, &[0, 0, 0, code])).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        wait_until(|| count() == 0).await;
        drop(daemon);
    }
    drop(break_off(exports, &[]).await);
    wait_until(|| count() == 0).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(count(), 0);
}

#[tokio::test]
async fn a_destination_that_cannot_be_written_is_reported() {
    let exports = Exports::new().with_file(0, "/dev/null/out.tar");
    let status = Daemon::<BytesMessage>::start(exports, "0")
        .await
        .unwrap()
        .end()
        .await
        .unwrap_err();
    assert!(
        status
            .message()
            .starts_with("cannot write the result: Not a directory"),
        "{status}"
    );
}

async fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it did not happen");
}

/// A file of the daemon with its content.
fn file(path: &str, bits: u32, content: &'static str) -> (Stat, &'static str) {
    let stat = Stat {
        path: path.into(),
        mode: bits,
        size: content.len() as i64,
        mod_time: 1_000_000_007_000_000_009,
        uid: 12345,
        ..Stat::default()
    };
    (stat, content)
}

fn link(path: &str, target: &str, bits: u32) -> (Stat, &'static str) {
    (
        Stat {
            linkname: target.into(),
            ..file(path, bits, "").0
        },
        "",
    )
}

/// Sends the files like the daemon and returns the receiver's error, if any.
async fn send(root: &Path, files: &[(Stat, &'static str)]) -> Result<(), String> {
    send_to(Exports::new().with_directory(0, root), "0", files).await
}

async fn send_to(
    exports: Exports,
    exporter: &'static str,
    files: &[(Stat, &'static str)],
) -> Result<(), String> {
    let mut daemon = Daemon::<Packet>::start(exports, exporter).await.unwrap();
    let packet = |kind: PacketType| Packet {
        r#type: kind.into(),
        ..Packet::default()
    };
    for (stat, _) in files {
        let packet = Packet {
            stat: Some(stat.clone()),
            ..packet(PacketType::PacketStat)
        };
        daemon.messages.send(packet).await.unwrap();
    }
    daemon
        .messages
        .send(packet(PacketType::PacketStat))
        .await
        .unwrap();
    loop {
        let Some(answer) = daemon
            .answers
            .message()
            .await
            .map_err(|status| status.message().to_owned())?
        else {
            return Ok(());
        };
        match answer.r#type() {
            PacketType::PacketReq => {
                let data = Packet {
                    id: answer.id,
                    ..packet(PacketType::PacketData)
                };
                let (head, tail) = files[answer.id as usize].1.split_at(1);
                for part in [head, tail, ""] {
                    if part.is_empty() && !tail.is_empty() && part.len() == tail.len() {
                        continue;
                    }
                    let part = Packet {
                        data: part.into(),
                        ..data.clone()
                    };
                    // The receiver may have failed already; its answer says why.
                    let _ = daemon.messages.send(part).await;
                }
            }
            PacketType::PacketFin => daemon
                .messages
                .send(packet(PacketType::PacketFin))
                .await
                .unwrap(),
            PacketType::PacketErr => return Err(String::from_utf8(answer.data.into()).unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

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
