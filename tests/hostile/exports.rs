//! Malicious results: a daemon that writes to unrequested places, or that never ends.

use std::fs;
use std::path::Path;

use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::daemon::attack;
use super::proto::fsutil::types::packet::PacketType;
use super::proto::fsutil::types::{Packet, Stat};
use super::support::folder_of;

const DIRECTORY: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;

fn folder() -> tempfile::TempDir {
    folder_of(&[("context/Dockerfile", "FROM scratch\n"), ("kept", "kept")])
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

fn stat(path: &str, mode: u32, size: i64, linkname: &str) -> Packet {
    Packet {
        stat: Some(Stat {
            path: path.into(),
            mode,
            size,
            linkname: linkname.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Sends packets to an exporter; returns how the client ends the call.
async fn export(session: &Channel, exporter: &str, packets: Vec<Packet>) -> Result<(), Status> {
    let (sender, outgoing) = tokio::sync::mpsc::channel(64);
    let mut request = Request::new(ReceiverStream::new(outgoing));
    let id = exporter.parse().unwrap();
    request
        .metadata_mut()
        .insert("buildkit-attachable-exporter-id", id);
    let mut grpc = tonic::client::Grpc::new(session.clone());
    grpc.ready()
        .await
        .map_err(|error| Status::unknown(error.to_string()))?;
    let method = http::uri::PathAndQuery::from_static("/moby.filesync.v1.FileSend/DiffCopy");
    let codec = ProstCodec::<Packet, Packet>::default();
    let mut answers = grpc.streaming(request, method, codec).await?.into_inner();
    for packet in packets {
        if sender.send(packet).await.is_err() {
            break;
        }
    }
    drop(sender);
    while answers.message().await?.is_some() {}
    Ok(())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_build_without_outputs_takes_none() {
    let folder = folder();
    let context = path(&folder, "context");
    let (answers, _) = attack(&[&context], async |session| {
        let mut codes = Vec::new();
        for exporter in ["0", "1", "4294967295", "-1"] {
            let sent = export(&session, exporter, vec![stat("x", 0o644, 0, "")]).await;
            codes.push(sent.unwrap_err().code());
        }
        codes
    });
    assert_eq!(answers, [Code::NotFound; 4]);
    assert_eq!(names(folder.path()), ["context", "kept"]);
}

#[test]
fn nothing_is_written_outside_of_the_folder_and_it_is_called_incomplete() {
    let folder = folder();
    let (context, out) = (path(&folder, "context"), path(&folder, "out"));
    let outside = folder.path().to_owned();
    let (answers, finished) = attack(&["-o", &out, &context], async move |session| {
        let outside = outside.to_str().unwrap().to_owned();
        let long = "d/".repeat(5000) + "x";
        let mut answers = Vec::new();
        for packets in [
            vec![stat("../written", 0o644, 0, "")],
            vec![stat(&format!("{outside}/written"), 0o644, 0, "")],
            vec![
                stat("l", SYMLINK | 0o777, 0, ".."),
                stat("l/written", 0o644, 0, ""),
            ],
            vec![
                stat("m", SYMLINK | 0o777, 0, &outside),
                stat("m/kept", 0o644, 0, ""),
            ],
            vec![stat("hard", 0o644, 0, "../kept")],
            vec![stat("", DIRECTORY | 0o755, 0, "")],
            vec![stat(&long, 0o644, 0, "")],
        ] {
            answers.push(export(&session, "0", packets).await);
        }
        answers
    });
    for answer in answers {
        let message = answer.unwrap_err().message().to_owned();
        let refused =
            message.contains("does not stay inside") || message.contains("a path of more");
        assert!(refused, "{message}");
    }
    assert_eq!(names(folder.path()), ["context", "kept", "out"]);
    assert_eq!(fs::read(folder.path().join("kept")).unwrap(), b"kept");
    let printed = format!("the folder {out} is incomplete");
    finished.failed_with(1, &[&printed]);
}

#[test]
fn a_folder_of_a_bake_file_that_is_incomplete_is_reported_too() {
    let folder = folder();
    let (context, out) = (path(&folder, "context"), path(&folder, "out"));
    let file = path(&folder, "bake.json");
    let target = serde_json::json!({
        "context": context, "output": [{"type": "local", "dest": out}]
    });
    let text = serde_json::json!({"target": {"default": target}}).to_string();
    fs::write(&file, text).unwrap();
    let (_, finished) = attack(&["bake", "--allow=fs=*", "-f", &file], async |session| {
        let files = vec![stat("a", 0o644, 0, ""), stat("../b", 0o644, 0, "")];
        export(&session, "0", files).await
    });
    finished.failed_with(1, &[&format!("the folder {out} is incomplete")]);
}

#[test]
fn data_that_nobody_asked_for_is_refused() {
    let folder = folder();
    let (context, out) = (path(&folder, "context"), path(&folder, "out"));
    let (answer, _) = attack(&["-o", &out, &context], async |session| {
        let data = Packet {
            r#type: PacketType::PacketData.into(),
            id: 7,
            data: vec![0; 1000].into(),
            ..Default::default()
        };
        export(&session, "0", vec![data]).await
    });
    let message = answer.unwrap_err().message().to_owned();
    assert!(message.contains("which it was not asked for"), "{message}");
}

#[test]
fn an_archive_that_breaks_off_leaves_nothing() {
    let folder = folder();
    let context = path(&folder, "context");
    let output = format!("type=tar,dest={}", path(&folder, "out.tar"));
    let (_, _) = attack(&["-o", &output, &context], async |session| {
        let half = Packet {
            data: vec![1; 100].into(),
            ..Default::default()
        };
        let sending = export(&session, "0", vec![half]);
        // Abandoned in the middle.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1), sending).await;
    });
    let names = names(folder.path());
    assert!(!names.iter().any(|name| name.starts_with('.')), "{names:?}");
}
