use std::fs;
use std::path::Path;

use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;

use super::*;
use crate::proto::moby::filesync::v1::auth_client::AuthClient;
use crate::session::Session;
use crate::session::tests::connect;

async fn daemon(directory: &Path, configure: fn(Auth) -> Auth) -> AuthClient<Channel> {
    let auth = configure(Auth::new(Arc::new(Credentials::new(directory))));
    let session = Session::builder().auth(auth).build().unwrap();
    AuthClient::new(connect(session, CancellationToken::new()).await.0)
}

fn configured(json: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), json).unwrap();
    dir
}

async fn key(client: &mut AuthClient<Channel>, host: &str) -> Result<Vec<u8>, Status> {
    let request = GetTokenAuthorityRequest {
        host: host.into(),
        salt: b"salt".to_vec(),
    };
    client
        .get_token_authority(request)
        .await
        .map(|answer| answer.into_inner().public_key)
}

// me:s3cret
const CONFIG: &str = r#"{"auths": {"a": {"auth": "bWU6czNjcmV0"}, "i": {"identitytoken": "it"}, "bad": {"auth": "czNjcmV0"}}}"#;

#[tokio::test]
async fn passwords_and_identity_tokens_are_given() {
    let dir = configured(CONFIG);
    let mut client = daemon(dir.path(), |auth| auth).await;
    for (host, user, secret) in [("a", "me", "s3cret"), ("i", "", "it"), ("other", "", "")] {
        let answer = client
            .credentials(CredentialsRequest { host: host.into() })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            (answer.username.as_str(), answer.secret.as_str()),
            (user, secret),
            "{host}"
        );
    }
    let status = client
        .credentials(CredentialsRequest { host: "bad".into() })
        .await
        .err()
        .unwrap();
    assert!(
        status.message().contains("the credentials of bad"),
        "{status}"
    );
    assert!(!format!("{status:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_authority_is_the_same_in_the_next_session_and_signs_what_it_is_given() {
    let dir = configured(CONFIG);
    let first = key(&mut daemon(dir.path(), |auth| auth).await, "a")
        .await
        .unwrap();
    let mut client = daemon(dir.path(), |auth| auth).await;
    assert_eq!(key(&mut client, "a").await.unwrap(), first);
    assert_ne!(key(&mut client, "other").await.unwrap(), first);
    let request = VerifyTokenAuthorityRequest {
        host: "a".into(),
        payload: b"payload".to_vec(),
        salt: b"salt".to_vec(),
    };
    let signed = client
        .verify_token_authority(request)
        .await
        .unwrap()
        .into_inner()
        .signed;
    let (signature, payload) = signed.split_at(64);
    assert_eq!(payload, b"payload");
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, first)
        .verify(payload, signature)
        .unwrap();
}

#[tokio::test]
async fn registries_without_credentials_leave_no_seed() {
    let dir = configured("{}");
    key(&mut daemon(dir.path(), |auth| auth).await, "a")
        .await
        .unwrap();
    assert!(!dir.path().join(".token_seed").exists());
}

#[tokio::test]
async fn the_daemon_can_be_left_to_fetch_tokens() {
    let dir = configured(CONFIG);
    let mut client = daemon(dir.path(), Auth::without_tokens).await;
    // On this code the daemon falls back to credentials.
    assert_eq!(
        key(&mut client, "a").await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn tokens_are_fetched_here() {
    let dir = configured(r#"{"auths": {"a": {"registrytoken": "rt"}}}"#);
    let mut client = daemon(dir.path(), |auth| auth).await;
    let request = FetchTokenRequest {
        host: "a".into(),
        ..FetchTokenRequest::default()
    };
    let answer = client.fetch_token(request).await.unwrap().into_inner();
    assert_eq!((answer.token.as_str(), answer.expires_in), ("rt", 60));
    let mut failure = async |host: &str, realm: &str| {
        let request = FetchTokenRequest {
            host: host.into(),
            realm: realm.into(),
            ..FetchTokenRequest::default()
        };
        let status = client.fetch_token(request).await.err().unwrap();
        status.message().to_owned()
    };
    let message = failure("b", "https://127.0.0.1:1/").await;
    let expected = "cannot get a token for b from 127.0.0.1:1: ";
    assert!(message.starts_with(expected), "{message}");
    let message = failure("b", "http://127.0.0.1:1/").await;
    assert!(message.contains("over plain HTTP"), "{message}");
}
