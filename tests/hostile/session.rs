//! A daemon may only request what this build was given in its session.

use std::fs;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::daemon::attack;
use super::proto::fsutil::types::packet::PacketType;
use super::proto::fsutil::types::{Packet, Stat};
use super::proto::moby::buildkit::secrets::v1::GetSecretRequest;
use super::proto::moby::buildkit::secrets::v1::secrets_client::SecretsClient;
use super::proto::moby::filesync::v1::auth_client::AuthClient;
use super::proto::moby::filesync::v1::file_sync_client::FileSyncClient;
use super::proto::moby::filesync::v1::{CredentialsRequest, FetchTokenRequest};
use super::proto::moby::sshforward::v1::ssh_client::SshClient;
use super::proto::moby::sshforward::v1::{BytesMessage, CheckAgentRequest};
use super::support::folder_of;

fn context() -> tempfile::TempDir {
    folder_of(&[
        ("context/Dockerfile", "FROM scratch\nCOPY . /\n"),
        ("context/file", "inside"),
        ("secret", "hunter2"),
        ("mine", "given"),
    ])
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

async fn secret(session: &Channel, id: &str) -> Result<Vec<u8>, Code> {
    let request = GetSecretRequest {
        id: id.to_owned(),
        ..Default::default()
    };
    let answer = SecretsClient::new(session.clone())
        .get_secret(request)
        .await;
    answer
        .map(|it| it.into_inner().data)
        .map_err(|it| it.code())
}

#[test]
fn only_the_secrets_that_were_given_are_recorded() {
    let folder = context();
    let given = format!("id=mine,src={}", path(&folder, "mine"));
    let context = path(&folder, "context");
    let outside = path(&folder, "secret");
    let ((mine, others), _) = attack(&["--secret", &given, &context], async move |session| {
        let mine = secret(&session, "mine").await;
        let mut others = Vec::new();
        let asked = [
            "",
            "PATH",
            "HOME",
            "GIT_AUTH_TOKEN",
            "/etc/passwd",
            "../secret",
            "mine/../mine",
        ];
        for id in asked.into_iter().chain([outside.as_str()]) {
            others.push((id.to_owned(), secret(&session, id).await));
        }
        (mine, others)
    });
    assert_eq!(mine.unwrap(), b"given");
    for (id, answer) in others {
        assert_eq!(answer, Err(Code::NotFound), "{id:?}");
    }
}

/// A daemon may request every login, because it pulls the images in a Dockerfile with them. It gets
/// nothing else.
#[test]
fn logins_are_listed_by_name_only() {
    let folder = context();
    let context = path(&folder, "context");
    let (answers, _) = attack(&[&context], async |session| {
        let mut answers = Vec::new();
        for host in [
            "registry.test",
            "",
            "../../etc/passwd",
            "registry.test\0",
            "a\nb",
        ] {
            let request = CredentialsRequest {
                host: host.to_owned(),
            };
            let answer = AuthClient::new(session.clone()).credentials(request).await;
            answers.push(answer.map(|it| it.into_inner().secret).unwrap_or_default());
        }
        answers
    });
    assert_eq!(answers[0], "hunter3");
    assert!(answers[1..].iter().all(String::is_empty), "{answers:?}");
}

/// The daemon chooses the realm of a token: no password is sent there unencrypted.
#[test]
fn no_password_goes_to_a_token_server_over_plain_http() {
    let folder = context();
    let context = path(&folder, "context");
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let realm = format!("http://{}/token", server.local_addr().unwrap());
    let (answer, _) = attack(&[&context], async move |session| {
        let request = FetchTokenRequest {
            host: "registry.test".to_owned(),
            realm,
            service: "registry.test".to_owned(),
            scopes: vec!["repository:a/b:pull".to_owned()],
            ..Default::default()
        };
        let asked = AuthClient::new(session)
            .fetch_token(request)
            .await
            .map(drop);
        asked.map_err(|status| status.message().to_owned())
    });
    assert!(answer.is_err(), "{answer:?}");
    assert!(server.accept().is_err(), "the token server was called");
}

#[test]
fn agents_that_were_not_given_are_not_there() {
    let folder = context();
    let context = path(&folder, "context");
    let (answer, _) = attack(&[&context], async |session| {
        let request = CheckAgentRequest {
            id: "default".to_owned(),
        };
        SshClient::new(session).check_agent(request).await.map(drop)
    });
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
}

/// Sends one message to an agent; returns the type of its answer.
async fn ask_agent(session: &Channel, message: &[u8]) -> Result<u8, Status> {
    let (sender, outgoing) = tokio::sync::mpsc::channel(4);
    let data = message.to_vec().into();
    sender.send(BytesMessage { data }).await.unwrap();
    let mut client = SshClient::new(session.clone());
    let request = Request::new(ReceiverStream::new(outgoing));
    let mut answers = client.forward_agent(request).await?.into_inner();
    let next = tokio::time::timeout(Duration::from_secs(20), answers.next());
    let answer = next.await.expect("an agent answers or ends");
    let answer = answer.unwrap_or_else(|| Err(Status::aborted("it ended")))?;
    Ok(answer.data.get(4).copied().unwrap_or_default())
}

#[test]
fn an_agent_lists_and_signs_and_is_never_changed() {
    let folder = context();
    let context = path(&folder, "context");
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ssh/ed25519");
    let ssh = format!("default={key}");
    let ((listed, refused, broken), _) = attack(&["--ssh", &ssh, &context], async |session| {
        let listed = ask_agent(&session, &[0, 0, 0, 1, 11]).await;
        let mut refused = Vec::new();
        // Add, remove, remove all, add from a card, lock, unlock, add with constraints, an
        // extension, and an unknown message.
        for kind in [17, 18, 19, 20, 22, 23, 25, 27, 255] {
            refused.push((kind, ask_agent(&session, &[0, 0, 0, 1, kind]).await));
        }
        let mut broken = Vec::new();
        for message in [
            &[0xff; 8][..],
            &[0x7f, 0xff, 0xff, 0xff, 13],
            &[0, 0, 0, 2, 13, 0],
        ] {
            broken.push(ask_agent(&session, message).await);
        }
        (listed, refused, broken)
    });
    assert_eq!(listed.unwrap(), 12);
    for (kind, answer) in refused {
        assert_eq!(answer.unwrap(), 5, "{kind}");
    }
    // An excessive length ends the stream; a truncated request is rejected.
    assert!(broken[0].is_err() && broken[1].is_err(), "{broken:?}");
    assert_eq!(broken[2].as_ref().unwrap(), &5);
}

/// The stats that a transfer sends, or the error that ends it.
async fn listed(session: &Channel, headers: &[(&'static str, &str)]) -> Result<Vec<Stat>, Status> {
    let (_open, outgoing) = tokio::sync::mpsc::channel::<Packet>(4);
    let mut request = Request::new(ReceiverStream::new(outgoing));
    for (name, value) in headers {
        request.metadata_mut().append(*name, value.parse().unwrap());
    }
    let mut client = FileSyncClient::new(session.clone());
    let mut packets = client.diff_copy(request).await?.into_inner();
    let mut stats = Vec::new();
    while let Some(packet) = packets.message().await? {
        match packet.stat {
            Some(stat) => stats.push(stat),
            None if packet.r#type() == PacketType::PacketErr => {
                return Err(Status::aborted(String::from_utf8_lossy(&packet.data)));
            }
            None => break,
        }
    }
    Ok(stats)
}

#[test]
fn only_the_folders_of_the_build_are_there() {
    let folder = context();
    let context = path(&folder, "context");
    let (answers, _) = attack(&[&context], async |session| {
        let mut answers = Vec::new();
        for name in [
            "",
            "/",
            "..",
            ".",
            "etc",
            "/etc",
            "dockerfile",
            "context/..",
            "../context",
        ] {
            let listed = listed(&session, &[("dir-name", name)]).await;
            answers.push((name, listed.map(drop).map_err(|status| status.code())));
        }
        answers
    });
    for (name, answer) in answers {
        assert_eq!(answer, Err(Code::NotFound), "{name:?}");
    }
}

#[test]
fn paths_to_follow_and_patterns_lead_nowhere_else() {
    let folder = context();
    let context = path(&folder, "context");
    for (link, target) in [("up", ".."), ("root", "/"), ("key", "../secret")] {
        std::os::unix::fs::symlink(target, folder.path().join("context").join(link)).unwrap();
    }
    let (answers, _) = attack(&[&context], async |session| {
        let mut answers = Vec::new();
        let wanted = [
            "../secret",
            "/etc/passwd",
            "up/secret",
            "root/etc/passwd",
            "key",
            "up",
            "root",
        ];
        for path in wanted {
            for header in ["followpaths", "include-patterns"] {
                let headers = [("dir-name", "context"), (header, path)];
                answers.push((path, listed(&session, &headers).await));
            }
        }
        answers
    });
    for (asked, stats) in answers {
        for stat in stats.into_iter().flatten() {
            let name = String::from_utf8(stat.path).unwrap();
            let inside = ["Dockerfile", "file", "up", "root", "key"].contains(&name.as_str());
            assert!(inside, "{asked}: {name}");
        }
    }
}

#[test]
fn files_that_were_not_listed_are_not_sent_however_often_they_are_asked_for() {
    let folder = context();
    let context = path(&folder, "context");
    let (answer, _) = attack(&[&context], async |session| {
        let (sender, outgoing) = tokio::sync::mpsc::channel::<Packet>(64);
        let mut request = Request::new(ReceiverStream::new(outgoing));
        request
            .metadata_mut()
            .insert("dir-name", "context".parse().unwrap());
        let mut client = FileSyncClient::new(session);
        let mut packets = client.diff_copy(request).await.unwrap().into_inner();
        tokio::spawn(async move {
            for id in (0..u32::MAX).cycle() {
                let packet = Packet {
                    r#type: PacketType::PacketReq.into(),
                    id: id % 1000,
                    ..Default::default()
                };
                if sender.send(packet).await.is_err() {
                    return;
                }
            }
        });
        let mut data = Vec::new();
        while let Ok(Some(packet)) = packets.message().await {
            if packet.r#type() == PacketType::PacketErr {
                return (String::from_utf8_lossy(&packet.data).into_owned(), data);
            }
            data.extend_from_slice(&packet.data);
        }
        (String::new(), data)
    });
    assert!(answer.0.contains("the daemon asked for"), "{answer:?}");
    assert!(!String::from_utf8_lossy(&answer.1).contains("hunter2"));
}

#[test]
fn the_context_is_what_it_was_when_the_build_began() {
    let folder = context();
    let context = path(&folder, "context");
    let (top, moved) = (folder.path().join("context"), folder.path().join("moved"));
    let outside = folder.path().to_owned();
    let (stats, _) = attack(&[&context], async move |session| {
        fs::rename(&top, moved).unwrap();
        std::os::unix::fs::symlink(outside, &top).unwrap();
        listed(&session, &[("dir-name", "context")]).await
    });
    let paths: Vec<_> = stats.unwrap().into_iter().map(|stat| stat.path).collect();
    assert_eq!(paths, [&b"Dockerfile"[..], b"file"]);
}
