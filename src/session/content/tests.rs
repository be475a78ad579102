//! The service against a gRPC client that behaves like the daemon, and like a hostile one.

mod reads;
mod stores;
mod uploads;

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
