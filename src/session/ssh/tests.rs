use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::*;
use crate::proto::moby::sshforward::v1::ssh_client::SshClient;
use crate::session::Session;
use crate::session::tests::connect;

/// An agent that answers every message with type 12 and the request.
fn agent() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u32().await {
                    let mut request = vec![0; length as usize];
                    stream.read_exact(&mut request).await.unwrap();
                    stream.write_u32(length + 1).await.unwrap();
                    stream.write_u8(12).await.unwrap();
                    stream.write_all(&request).await.unwrap();
                }
            });
        }
    });
    (dir, path)
}

async fn daemon(agents: SshAgents) -> SshClient<tonic::transport::Channel> {
    let session = Session::builder().ssh_agents(agents).build().unwrap();
    SshClient::new(connect(session, CancellationToken::new()).await.0)
}

#[tokio::test]
async fn only_given_agents_are_known() {
    let (_dir, path) = agent();
    let mut client = daemon(SshAgents::new().with_socket("", &path).unwrap()).await;
    for id in ["", "default"] {
        client
            .check_agent(CheckAgentRequest { id: id.into() })
            .await
            .unwrap();
    }
    let status = client
        .check_agent(CheckAgentRequest { id: "other".into() })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn keys_are_listed_and_used_but_not_changed() {
    let (_dir, path) = agent();
    let mut client = daemon(SshAgents::new().with_socket("work", &path).unwrap()).await;
    let (requests, outgoing) = mpsc::channel(8);
    let mut request = Request::new(ReceiverStream::new(outgoing));
    request
        .metadata_mut()
        .insert("buildkit.ssh.id", "work".parse().unwrap());
    let mut answers = client.forward_agent(request).await.unwrap().into_inner();
    // List, add a key (17), sign with a payload; cut into odd pieces.
    for piece in [
        &[0, 0, 0][..],
        &[1, 11, 0, 0, 0, 1],
        &[17, 0, 0, 0, 3, 13],
        &[7, 8],
    ] {
        requests
            .send(BytesMessage {
                data: Bytes::copy_from_slice(piece),
            })
            .await
            .unwrap();
    }
    let mut got = Vec::new();
    while got.len() < 6 + 5 + 8 {
        got.extend_from_slice(&answers.message().await.unwrap().unwrap().data);
    }
    assert_eq!(
        got,
        [0, 0, 0, 2, 12, 11, 0, 0, 0, 1, 5, 0, 0, 0, 4, 12, 13, 7, 8]
    );
    drop(requests);
    assert!(answers.message().await.unwrap().is_none());
}

#[tokio::test]
async fn an_agent_that_is_gone_is_named() {
    let (dir, path) = agent();
    let agents = SshAgents::new().with_socket("", &path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut client = daemon(agents).await;
    let status = client
        .forward_agent(tokio_stream::empty())
        .await
        .unwrap_err();
    assert!(
        status.message().contains(&dir.path().display().to_string()),
        "{status}"
    );
}

#[test]
fn only_sockets_are_agents() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = SshAgents::new().with_socket("", file.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot use {} as SSH agent default", file.path().display())
    );
}
