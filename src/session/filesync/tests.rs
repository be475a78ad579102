//! The protocol against a receiver in memory that behaves like the daemon's.

mod changes;
mod receiver;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Streaming as Messages};

use super::*;
use crate::proto::fsutil::types::packet::PacketType;
use crate::proto::fsutil::types::{Packet, Stat};
use crate::proto::moby::filesync::v1::file_sync_client::FileSyncClient;
use crate::session::Session;
use crate::session::tests::connect;

/// The daemon's end of a transfer.
struct Receiver {
    requests: mpsc::Sender<Packet>,
    packets: Messages<Packet>,
    _channel: Channel,
}

/// The files and stats that were received.
#[derive(Debug, Default)]
struct Received {
    stats: Vec<Stat>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Received {
    fn paths(&self) -> Vec<&str> {
        let paths = self
            .stats
            .iter()
            .map(|stat| std::str::from_utf8(&stat.path));
        paths.map(Result::unwrap).collect()
    }
}

impl Receiver {
    async fn start(root: &Path, headers: &[(&'static str, &'static str)]) -> Result<Self, Status> {
        Self::of(Directories::new().with("context", root).unwrap(), headers).await
    }

    async fn of(
        directories: Directories,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Self, Status> {
        let session = Session::builder().directories(directories).build().unwrap();
        let (channel, _) = connect(session, CancellationToken::new()).await;
        let (requests, outgoing) = mpsc::channel(1000);
        let mut request = tonic::Request::new(ReceiverStream::new(outgoing));
        for &(key, value) in headers {
            request.metadata_mut().append(key, value.parse().unwrap());
        }
        let packets = FileSyncClient::new(channel.clone())
            .diff_copy(request)
            .await?
            .into_inner();
        Ok(Self {
            requests,
            packets,
            _channel: channel,
        })
    }

    async fn send(&self, kind: PacketType, id: u32) {
        self.requests
            .send(Packet {
                r#type: kind.into(),
                id,
                ..Packet::default()
            })
            .await
            .unwrap();
    }

    async fn next(&mut self) -> Result<Packet, Status> {
        let packet = tokio::time::timeout(Duration::from_secs(10), self.packets.message())
            .await
            .unwrap()?;
        packet.ok_or_else(|| Status::ok("end"))
    }

    /// Receives all stats, requests the files that `wanted` selects while more arrive, reads them,
    /// then sends FIN.
    async fn receive(mut self, wanted: impl Fn(&Stat) -> bool) -> Result<Received, Status> {
        let mut received = Received::default();
        let mut pending = BTreeMap::new();
        let mut all_listed = false;
        while !all_listed || !pending.is_empty() {
            let packet = self.next().await?;
            match (packet.r#type(), packet.stat) {
                (PacketType::PacketStat, Some(stat)) => {
                    let id = u32::try_from(received.stats.len()).unwrap();
                    if stat.mode & 0xfff8_0000 & !(0b111 << 20) == 0
                        && stat.linkname.is_empty()
                        && wanted(&stat)
                    {
                        let path = String::from_utf8_lossy(&stat.path).into_owned();
                        pending.insert(id, (path, Vec::new()));
                        self.send(PacketType::PacketReq, id).await;
                    }
                    received.stats.push(stat);
                }
                (PacketType::PacketStat, None) => all_listed = true,
                (PacketType::PacketData, _) if packet.data.is_empty() => {
                    let (path, data) = pending.remove(&packet.id).unwrap();
                    received.files.insert(path, data);
                }
                (PacketType::PacketData, _) => pending
                    .get_mut(&packet.id)
                    .unwrap()
                    .1
                    .extend_from_slice(&packet.data),
                (PacketType::PacketErr, _) => {
                    return Err(Status::aborted(String::from_utf8_lossy(&packet.data)));
                }
                other => panic!("{other:?}"),
            }
        }
        self.send(PacketType::PacketFin, 0).await;
        assert_eq!(self.next().await?.r#type(), PacketType::PacketFin);
        let end = self.next().await.unwrap_err();
        assert_eq!((end.code(), end.message()), (Code::Ok, "end"));
        Ok(received)
    }
}

const CONTEXT: &[(&str, &str)] = &[("dir-name", "context")];

#[tokio::test]
async fn files_arrive_whole_whatever_their_size() {
    let root = tempfile::tempdir().unwrap();
    let sizes = [0, 1, 65_535, 65_536, 65_537, 1_000_000];
    fs::create_dir(root.path().join("d")).unwrap();
    for size in sizes {
        let data: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        fs::write(root.path().join(format!("d/{size}")), data).unwrap();
    }
    let received = Receiver::start(root.path(), CONTEXT)
        .await
        .unwrap()
        .receive(|_| true)
        .await
        .unwrap();
    assert_eq!(received.files.len(), sizes.len());
    for (path, data) in &received.files {
        assert_eq!(&fs::read(root.path().join(path)).unwrap(), data, "{path}");
    }
}

#[tokio::test]
async fn many_small_files_are_asked_for_while_the_list_still_arrives() {
    let root = tempfile::tempdir().unwrap();
    for n in 0..3000 {
        let dir = root.path().join(format!("d{}", n / 100));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("f{n}")), n.to_string()).unwrap();
    }
    let received = Receiver::start(root.path(), CONTEXT)
        .await
        .unwrap()
        .receive(|_| true)
        .await
        .unwrap();
    assert_eq!(received.files.len(), 3000);
    assert!(
        received
            .files
            .iter()
            .all(|(path, data)| path.ends_with(&format!("f{}", String::from_utf8_lossy(data))))
    );
}

#[tokio::test]
async fn nothing_is_read_that_is_not_asked_for() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "a").unwrap();
    let received = Receiver::start(root.path(), CONTEXT)
        .await
        .unwrap()
        .receive(|_| false)
        .await
        .unwrap();
    assert_eq!((received.paths(), received.files.len()), (vec!["a"], 0));
}

#[tokio::test]
async fn the_headers_say_what_is_sent() {
    let root = tempfile::tempdir().unwrap();
    for path in ["src/größe.rs", "src/x.log", "docs/a.md", "target/x"] {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        fs::write(root.path().join(path), "").unwrap();
    }
    std::os::unix::fs::symlink("docs", root.path().join("link")).unwrap();
    let headers = [
        ("dir-name", "context"),
        ("exclude-patterns", "**/*.log"),
        ("include-patterns", "src%2Fgr%C3%B6%C3%9Fe.*"),
        ("include-patterns-encoded", "1"),
        ("followpaths", "link"),
    ];
    let received = Receiver::start(root.path(), &headers)
        .await
        .unwrap()
        .receive(|_| true)
        .await
        .unwrap();
    assert_eq!(
        received.paths(),
        ["docs", "docs/a.md", "link", "src", "src/größe.rs"]
    );
}

#[tokio::test]
async fn later_names_of_a_file_are_links_to_the_first_that_is_sent() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "data").unwrap();
    for name in ["b", "c"] {
        fs::hard_link(root.path().join("a"), root.path().join(name)).unwrap();
    }
    let headers = [("dir-name", "context"), ("exclude-patterns", "a")];
    let received = Receiver::start(root.path(), &headers)
        .await
        .unwrap()
        .receive(|_| true)
        .await
        .unwrap();
    let links: Vec<_> = received
        .stats
        .iter()
        .map(|s| (s.path.as_slice(), s.linkname.as_slice(), s.size))
        .collect();
    assert_eq!(links, [(&b"b"[..], &b""[..], 4), (b"c", b"b", 4)]);
    assert_eq!(received.files["b"], b"data");
}

#[tokio::test]
async fn unknown_directories_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let refused = Receiver::start(root.path(), &[("dir-name", "etc")])
        .await
        .err()
        .unwrap();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::NotFound, "this build offers no directory \"etc\"")
    );
}

#[tokio::test]
async fn a_malformed_pattern_fails_the_transfer() {
    let root = tempfile::tempdir().unwrap();
    let headers = [("dir-name", "context"), ("exclude-patterns", "a[")];
    let error = Receiver::start(root.path(), &headers)
        .await
        .unwrap()
        .receive(|_| true)
        .await
        .unwrap_err();
    assert!(error.message().contains("\"a[\""), "{error}");
}

#[tokio::test]
async fn names_and_targets_that_are_not_utf8_arrive_byte_for_byte() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = tempfile::tempdir().unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"f\xff\xfe");
    fs::write(root.path().join(odd), "data").unwrap();
    std::os::unix::fs::symlink(odd, root.path().join("link")).unwrap();
    let received = Receiver::start(root.path(), CONTEXT).await.unwrap();
    let received = received.receive(|_| true).await.unwrap();
    let stats: Vec<_> = received
        .stats
        .iter()
        .map(|s| (&s.path[..], &s.linkname[..]))
        .collect();
    assert_eq!(
        stats,
        [(&b"f\xff\xfe"[..], &b""[..]), (b"link", b"f\xff\xfe")]
    );
    assert_eq!(received.files["f\u{fffd}\u{fffd}"], b"data");
}

#[tokio::test]
async fn a_socket_is_an_empty_file() {
    let root = tempfile::tempdir().unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(root.path().join("s")).unwrap();
    let received = Receiver::start(root.path(), CONTEXT)
        .await
        .unwrap()
        .receive(|_| true)
        .await
        .unwrap();
    assert_eq!(received.files["s"], b"");
}

#[test]
fn only_directories_can_be_offered() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("f");
    fs::write(&file, "").unwrap();
    for path in [file, root.path().join("missing")] {
        let error = Directories::new().with("context", &path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot use directory {}", path.display())
        );
    }
}
