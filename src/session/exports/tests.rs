//! Receiving, against a daemon in memory.

mod archive;
mod directory;
mod mirror;

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
