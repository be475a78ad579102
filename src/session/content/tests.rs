//! The service against a gRPC client that behaves like the daemon, and like a hostile one.

use std::fs;
use std::path::Path;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;

use super::api::content_client::ContentClient;
use super::api::{ReadContentRequest, WriteAction, WriteContentRequest, WriteContentResponse};
use super::*;
use crate::session::Session;
use crate::session::tests::connect;

struct Daemon {
    content: ContentClient<Channel>,
    folder: tempfile::TempDir,
    stores: ContentStores,
    _served: JoinHandle<Result<(), crate::session::Error>>,
}

/// Two stores of the same folder: `w` is writable, `r` is read-only.
async fn daemon() -> Daemon {
    let folder = tempfile::tempdir().unwrap();
    let stores = ContentStores::new()
        .with_writable("w", folder.path())
        .with("r", folder.path());
    let session = Session::builder().content(stores.clone()).build().unwrap();
    let (channel, served) = connect(session, CancellationToken::new()).await;
    Daemon {
        content: ContentClient::new(channel).max_decoding_message_size(MESSAGE_LIMIT),
        folder,
        stores,
        _served: served,
    }
}

fn to<T>(store: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert(STORE_ID, store.parse().unwrap());
    request
}

fn put(folder: &Path, bytes: &[u8]) -> Digest {
    let digest = Digest::sha256(bytes);
    let place = folder.join("blobs/sha256");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(digest.hex()), bytes).unwrap();
    digest
}

fn step(action: WriteAction, offset: usize, data: &[u8]) -> WriteContentRequest {
    WriteContentRequest {
        action: action.into(),
        r#ref: "upload".to_owned(),
        offset: offset as i64,
        data: data.to_vec().into(),
        ..Default::default()
    }
}

fn write(offset: usize, data: &[u8]) -> WriteContentRequest {
    step(WriteAction::Write, offset, data)
}

fn commit(offset: usize, expected: &Digest) -> WriteContentRequest {
    WriteContentRequest {
        expected: expected.to_string(),
        ..step(WriteAction::Commit, offset, b"")
    }
}

impl Daemon {
    async fn read(&mut self, digest: &str, offset: i64, size: i64) -> Result<Vec<u8>, Status> {
        let digest = digest.to_owned();
        let request = to(
            "r",
            ReadContentRequest {
                digest,
                offset,
                size,
            },
        );
        let mut parts = self.content.read(request).await?.into_inner();
        let mut data = Vec::new();
        while let Some(part) = parts.message().await? {
            assert_eq!(part.offset, offset + data.len() as i64);
            data.extend_from_slice(&part.data);
        }
        Ok(data)
    }

    /// Sends the requests at once and returns the last answer.
    async fn write(
        &mut self,
        store: &str,
        requests: Vec<WriteContentRequest>,
    ) -> Result<WriteContentResponse, Status> {
        let request = to(store, stream::iter(requests));
        let mut answers = self.content.write(request).await?.into_inner();
        let mut last = None;
        while let Some(answer) = answers.message().await? {
            last = Some(answer);
        }
        Ok(last.expect("an answer"))
    }

    async fn info(&mut self, store: &str, digest: &str) -> Result<api::Info, Status> {
        let digest = digest.to_owned();
        let info = self
            .content
            .info(to(store, api::InfoRequest { digest }))
            .await?;
        Ok(info.into_inner().info.unwrap())
    }

    /// Returns the relative paths of all files in the folder.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(
                        path.strip_prefix(&self.folder)
                            .unwrap()
                            .display()
                            .to_string(),
                    ),
                }
            }
        }
        found
    }
}

#[tokio::test]
async fn a_blob_is_written_in_steps_and_read_in_parts() {
    let mut daemon = daemon().await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = Digest::sha256(&bytes);
    let mut steps: Vec<_> = (0..3)
        .map(|n| write(n << 20, &bytes[n << 20..bytes.len().min((n + 1) << 20)]))
        .collect();
    steps.insert(0, step(WriteAction::Stat, 0, b""));
    steps.push(commit(bytes.len(), &digest));
    let last = daemon.write("w", steps).await.unwrap();
    assert_eq!(
        (last.offset, last.digest.as_str()),
        (3_000_000, digest.as_str())
    );
    assert_eq!(daemon.files(), [format!("blobs/sha256/{}", digest.hex())]);
    assert_eq!(daemon.stores.last_written("w"), Some(digest.clone()));
    assert_eq!(
        daemon.info("r", digest.as_str()).await.unwrap().size,
        3_000_000
    );
    for (offset, size, range) in [
        (0, 0, 0..3_000_000),
        (0, -1, 0..3_000_000),
        (1_000_001, 0, 1_000_001..3_000_000),
        (5, 300_000, 5..300_005),
        (2_999_999, 50, 2_999_999..3_000_000),
        (2_999_999, i64::MAX, 2_999_999..3_000_000),
        (3_000_000, 0, 3_000_000..3_000_000),
    ] {
        let part = daemon.read(digest.as_str(), offset, size).await.unwrap();
        assert!(part == bytes[range], "{offset} {size}");
    }
}

#[tokio::test]
async fn what_is_no_digest_reaches_no_file() {
    let mut daemon = daemon().await;
    fs::write(daemon.folder.path().join("secret"), "x").unwrap();
    let long = format!("sha256:{}", "../".repeat(22).trim_end_matches('/'));
    for digest in [
        "",
        "sha256:../../secret",
        "../../secret",
        "sha256:",
        &long,
        "sha256:/etc/passwd",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
    ] {
        let read = daemon.read(digest, 0, 0).await.unwrap_err();
        let info = daemon.info("w", digest).await.unwrap_err();
        assert_eq!(
            [read.code(), info.code()],
            [Code::InvalidArgument; 2],
            "{digest}"
        );
        let mut commit = commit(1, &Digest::sha256(b"x"));
        digest.clone_into(&mut commit.expected);
        if !digest.is_empty() {
            let written = daemon
                .write("w", vec![write(0, b"x"), commit])
                .await
                .unwrap_err();
            assert_eq!(written.code(), Code::InvalidArgument, "{digest}");
        }
    }
    // The name of an upload does not lead outside either.
    let mut named = write(0, b"x");
    "../../../evil".clone_into(&mut named.r#ref);
    daemon.write("w", vec![named]).await.unwrap();
    assert_eq!(daemon.files(), ["secret"]);
}

#[tokio::test]
async fn reads_outside_of_the_blob_are_refused() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"hello");
    for (offset, code) in [
        (6, Code::OutOfRange),
        (i64::MAX, Code::OutOfRange),
        (-1, Code::InvalidArgument),
        (i64::MIN, Code::InvalidArgument),
    ] {
        let refused = daemon.read(digest.as_str(), offset, 1).await.unwrap_err();
        assert_eq!(refused.code(), code, "{offset}");
    }
    let missing = daemon
        .read(Digest::sha256(b"other").as_str(), 0, 0)
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert_eq!(daemon.stores.failure(), None);
}

#[tokio::test]
async fn uploads_that_do_not_hold_what_they_announce_leave_nothing() {
    let hello = Digest::sha256(b"hello");
    let announced = |total: i64| WriteContentRequest {
        total,
        ..write(0, b"hello")
    };
    for (steps, code) in [
        (
            vec![write(0, b"hellO"), commit(5, &hello)],
            Code::FailedPrecondition,
        ),
        (
            vec![announced(6), commit(5, &hello)],
            Code::FailedPrecondition,
        ),
        (vec![announced(4)], Code::FailedPrecondition),
        (vec![announced(-1)], Code::InvalidArgument),
        (vec![write(0, b"hel"), write(2, b"lo")], Code::OutOfRange),
        (vec![write(0, b"hel"), write(4, b"lo")], Code::OutOfRange),
        (vec![write(7, b"hello")], Code::OutOfRange),
        (
            vec![
                write(0, b"x"),
                WriteContentRequest {
                    offset: -1,
                    ..write(0, b"x")
                },
            ],
            Code::InvalidArgument,
        ),
        // As in the reference, offset 0 restarts the upload.
        (
            vec![write(0, b"hello"), commit(0, &hello)],
            Code::FailedPrecondition,
        ),
        (
            vec![WriteContentRequest {
                action: 9,
                ..write(0, b"x")
            }],
            Code::InvalidArgument,
        ),
        (
            vec![WriteContentRequest {
                r#ref: String::new(),
                ..write(0, b"x")
            }],
            Code::InvalidArgument,
        ),
        (
            vec![WriteContentRequest {
                r#ref: "x".repeat(5000),
                ..write(0, b"x")
            }],
            Code::InvalidArgument,
        ),
    ] {
        let mut daemon = daemon().await;
        let refused = daemon.write("w", steps.clone()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{steps:?}");
        assert_eq!(daemon.files(), [""; 0], "{steps:?}");
        // The name is free again.
        let steps = vec![write(0, b"jello"), write(0, b"hello"), commit(5, &hello)];
        daemon.write("w", steps).await.unwrap();
        assert_eq!(daemon.files().len(), 1);
    }
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_taken_again_unless_it_is_damaged() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"hello");
    let announced = |total: i64| WriteContentRequest {
        total,
        expected: digest.to_string(),
        ..step(WriteAction::Stat, 0, b"")
    };
    for total in [0, 5] {
        let refused = daemon.write("w", vec![announced(total)]).await.unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists);
    }
    assert_eq!(daemon.stores.last_written("w"), Some(digest.clone()));
    for damaged in ["he", "hellO"] {
        let blob = daemon.folder.path().join("blobs/sha256").join(digest.hex());
        fs::write(blob, damaged).unwrap();
        let steps = vec![announced(5), write(0, b"hello"), commit(5, &digest)];
        daemon.write("w", steps).await.unwrap();
        assert_eq!(daemon.read(digest.as_str(), 0, 0).await.unwrap(), b"hello");
    }
}

#[tokio::test]
async fn a_damaged_manifest_is_not_sent() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"{}");
    fs::write(
        daemon.folder.path().join("blobs/sha256").join(digest.hex()),
        "[]",
    )
    .unwrap();
    let refused = daemon.read(digest.as_str(), 0, 0).await.unwrap_err();
    assert_eq!(refused.code(), Code::DataLoss);
    assert!(daemon.stores.failure().unwrap().contains(digest.hex()));
}

#[tokio::test]
async fn stores_are_distinguished_and_keep_their_rights() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"x");
    let refused = daemon.write("r", vec![write(0, b"x")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let unknown = daemon.info("x", digest.as_str()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let delete = api::DeleteContentRequest {
        digest: digest.to_string(),
    };
    let refused = daemon.content.delete(to("w", delete)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let nameless = daemon
        .content
        .info(api::InfoRequest::default())
        .await
        .unwrap_err();
    assert_eq!(nameless.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_upload_is_seen_by_others_and_can_be_given_up() {
    let mut daemon = daemon().await;
    let (requests, receiver) = mpsc::channel(1);
    requests
        .send(WriteContentRequest {
            total: 9,
            ..write(0, b"hello")
        })
        .await
        .unwrap();
    let mut answers = daemon
        .content
        .write(to("w", ReceiverStream::new(receiver)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().offset, 5);
    let name = "upload".to_owned();
    let status = daemon
        .content
        .status(to(
            "w",
            api::StatusRequest {
                r#ref: name.clone(),
            },
        ))
        .await
        .unwrap();
    let status = status.into_inner().status.unwrap();
    assert_eq!((status.offset, status.total), (5, 9));
    let all = daemon
        .content
        .list_statuses(to("w", api::ListStatusesRequest::default()))
        .await
        .unwrap();
    assert_eq!(all.into_inner().statuses, [status]);
    let busy = daemon.write("w", vec![write(0, b"x")]).await.unwrap_err();
    assert_eq!(busy.code(), Code::Unavailable);
    assert_eq!(daemon.files().len(), 1);

    daemon
        .content
        .abort(to("w", api::AbortRequest { r#ref: name }))
        .await
        .unwrap();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Aborted);
    assert_eq!(daemon.files(), [""; 0]);
    drop(requests);
}

#[tokio::test]
async fn blobs_are_listed_and_labels_taken() {
    let mut daemon = daemon().await;
    for number in 0..150 {
        put(daemon.folder.path(), format!("{number}").as_bytes());
    }
    fs::write(daemon.folder.path().join("blobs/sha256/notes.txt"), "").unwrap();
    let mut blocks = daemon
        .content
        .list(to("r", api::ListContentRequest::default()))
        .await
        .unwrap()
        .into_inner();
    let mut listed = 0;
    while let Some(block) = blocks.message().await.unwrap() {
        listed += block.info.len();
    }
    assert_eq!(listed, 150);
    let info = api::Info {
        digest: Digest::sha256(b"7").to_string(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        ..Default::default()
    };
    let request = api::UpdateRequest {
        info: Some(info),
        update_mask: None,
    };
    let updated = daemon
        .content
        .update(to("w", request))
        .await
        .unwrap()
        .into_inner()
        .info
        .unwrap();
    assert_eq!((updated.size, updated.labels["a"].as_str()), (1, "b"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let stores = ContentStores::new().with_writable("w", "/proc/nowhere");
    let session = Session::builder().content(stores.clone()).build().unwrap();
    let (channel, _served) = connect(session, CancellationToken::new()).await;
    let request = to("w", stream::iter([write(0, b"x")]));
    let mut answers = ContentClient::new(channel)
        .write(request)
        .await
        .unwrap()
        .into_inner();
    let refused = answers.message().await.unwrap_err();
    assert!(refused.message().contains("/proc/nowhere"), "{refused}");
    assert!(stores.failure().unwrap().contains("/proc/nowhere"));
}

/// For any order of requests: a blob's name always holds that blob, and no other file is left at
/// the end.
#[test]
fn no_sequence_of_requests_makes_a_wrong_blob() {
    use proptest::prelude::*;
    let requests = proptest::collection::vec(
        (
            0..4_i32,
            0..3_usize,
            -1..8_i64,
            proptest::collection::vec(97..100_u8, 0..4),
            0..9_i64,
        ),
        1..12,
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let checked = runner.run(&requests, |steps| {
        runtime.block_on(async {
            let mut daemon = daemon().await;
            let steps: Vec<_> = steps
                .into_iter()
                .map(
                    |(action, expected, offset, data, total)| WriteContentRequest {
                        action,
                        r#ref: "upload".to_owned(),
                        total,
                        expected: [
                            String::new(),
                            Digest::sha256(b"ab").to_string(),
                            Digest::sha256(&data).to_string(),
                        ][expected]
                            .clone(),
                        offset,
                        data: data.into(),
                        labels: BTreeMap::new(),
                    },
                )
                .collect();
            let _ = daemon.write("w", steps).await;
            for file in daemon.files() {
                let hex = file.strip_prefix("blobs/sha256/").expect("a blob");
                let bytes = fs::read(daemon.folder.path().join(&file)).unwrap();
                assert_eq!(Digest::sha256(&bytes).hex(), hex);
            }
        });
        Ok(())
    });
    checked.unwrap();
}
