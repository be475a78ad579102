//! Archives: one stream of bytes.

use super::*;

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
async fn a_writer_that_blocks_does_not_delay_the_end_of_the_session() {
    /// Blocks until the other end is dropped.
    struct Blocked(std::sync::mpsc::Receiver<()>);
    impl Write for Blocked {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(data.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (release, blocked) = std::sync::mpsc::channel();
    let blocked = Mutex::new(Some(blocked));
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let exports = Exports::new().with_writer(0, move |_| {
        begun.send(()).unwrap();
        let blocked = blocked.lock().unwrap().take();
        Ok(Box::new(Blocked(blocked.unwrap())))
    });
    let cancelled = CancellationToken::new();
    let session = Session::builder().exports(exports).build().unwrap();
    let (channel, served) = connect(session, cancelled.clone()).await;
    let (messages, outgoing) = mpsc::channel(1);
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static(METHODS[0]);
    let request = Request::new(ReceiverStream::new(outgoing));
    let codec = ProstCodec::<BytesMessage, BytesMessage>::default();
    let _answers = grpc.streaming(request, path, codec).await.unwrap();
    let data = "archive".into();
    messages.send(BytesMessage { data }).await.unwrap();
    has_begun.recv().await.unwrap();
    cancelled.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), served).await;
    ended.expect("it ends").unwrap().unwrap();
    drop(release);
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
            .starts_with("cannot write /dev/null/out.tar: Not a directory"),
        "{status}"
    );
}
