//! Registry credentials for the daemon: `moby.filesync.v1.Auth`.
//!
//! A daemon that supports it asks only for tokens, which are fetched here: the credentials stay on
//! this machine. The daemon receives them only if a registry uses basic authentication, or if it
//! must fetch tokens itself.

mod authority;
mod seeds;

use std::path::PathBuf;
use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::MESSAGE_LIMIT;
use crate::proto::moby::filesync::v1::auth_server::{self, AuthServer};
use crate::proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use crate::registry::{ClientOptions, Credential, Credentials, TokenClient, TokenRequest};
use authority::Authority;

/// The methods of the service.
pub(super) const METHODS: [&str; 4] = [
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.Auth/FetchToken",
    "/moby.filesync.v1.Auth/GetTokenAuthority",
    "/moby.filesync.v1.Auth/VerifyTokenAuthority",
];

/// Answers the daemon's requests for registry credentials.
#[derive(Debug)]
pub struct Auth {
    credentials: Arc<Credentials>,
    tokens: TokenClient,
    fetch_tokens: bool,
}

impl Auth {
    /// Answers with these credentials.
    pub fn new(credentials: Arc<Credentials>) -> Self {
        Self {
            credentials,
            tokens: TokenClient::default(),
            fetch_tokens: true,
        }
    }

    /// Sets how token servers are reached: certificates, proxies, and insecure registries.
    /// Otherwise no credentials go to a token server over plain HTTP.
    #[must_use]
    pub fn with_registries(mut self, options: ClientOptions) -> Self {
        self.tokens = TokenClient::new(options);
        self
    }

    /// Sends credentials to the daemon and lets it fetch tokens itself
    /// (`BUILDKIT_NO_CLIENT_TOKEN`), for token servers that only the daemon can reach.
    pub fn without_tokens(mut self) -> Self {
        self.fetch_tokens = false;
        self
    }

    pub(super) fn into_service(self) -> AuthServer<Self> {
        AuthServer::new(self)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }

    async fn credential(&self, registry: &str) -> Result<Credential, Status> {
        self.credentials.get(registry).await.map_err(failed)
    }

    async fn authority(&self, registry: String, salt: &[u8]) -> Result<Authority, Status> {
        if !self.fetch_tokens {
            return Err(Status::unavailable("client side tokens disabled"));
        }
        let credential = self.credential(&registry).await?;
        let known = !(credential.password.is_empty() && credential.identity_token.is_empty());
        let seed = match self.credentials.directory() {
            Some(directory) if known => read_seed(directory.to_owned(), registry).await?,
            _ => Vec::new(),
        };
        Authority::new(salt, &seed)
            .ok_or_else(|| Status::internal("no key for the token authority"))
    }
}

async fn read_seed(directory: PathBuf, registry: String) -> Result<Vec<u8>, Status> {
    let read = tokio::task::spawn_blocking(move || seeds::seed(&directory, &registry)).await;
    let seed = read.map_err(|_| Status::cancelled("the session ends"))?;
    seed.map_err(|error| {
        Status::unknown(format!(
            "cannot read the seed of the token authority: {error}"
        ))
    })
}

/// Returns the repository that a token is for; of several, the one that is written to.
fn repository(scopes: &[String]) -> Option<&str> {
    let mut scopes = scopes.iter().filter_map(|scope| {
        let (path, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
        Some((path, actions.contains("push")))
    });
    let first = scopes.next()?;
    let written = std::iter::once(first).chain(scopes).find(|(_, push)| *push);
    Some(written.unwrap_or(first).0)
}

/// Joins the error with its causes; none of them holds a secret.
fn failed(error: crate::registry::Error) -> Status {
    Status::unknown(crate::causes::in_one_line(&error))
}

#[tonic::async_trait]
impl auth_server::Auth for Auth {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let credential = self.credential(&request.into_inner().host).await?;
        // An identity token is sent without a user name, so the daemon can tell it from a password.
        let (username, secret) = match credential.identity_token.is_empty() {
            true => (credential.username, credential.password),
            false => (String::new(), credential.identity_token),
        };
        Ok(Response::new(CredentialsResponse {
            username,
            secret: secret.expose().to_owned(),
        }))
    }

    async fn fetch_token(
        &self,
        request: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        let asked = request.into_inner();
        let credential = match repository(&asked.scopes) {
            Some(path) => self.credentials.get_for(&asked.host, path).await,
            None => self.credentials.get(&asked.host).await,
        };
        let credential = credential.map_err(failed)?;
        let request = TokenRequest {
            registry: asked.host,
            realm: asked.realm,
            service: asked.service,
            scopes: asked.scopes,
            client_id: asked.client_id,
        };
        let token = self
            .tokens
            .fetch(&request, &credential)
            .await
            .map_err(failed)?;
        Ok(Response::new(FetchTokenResponse {
            token: token.token.expose().to_owned(),
            expires_in: i64::try_from(token.expires_in).unwrap_or(i64::MAX),
            issued_at: token.issued_at.unwrap_or_default(),
        }))
    }

    async fn get_token_authority(
        &self,
        request: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        let asked = request.into_inner();
        let authority = self.authority(asked.host, &asked.salt).await?;
        Ok(Response::new(GetTokenAuthorityResponse {
            public_key: authority.public_key(),
        }))
    }

    async fn verify_token_authority(
        &self,
        request: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        let asked = request.into_inner();
        let authority = self.authority(asked.host, &asked.salt).await?;
        Ok(Response::new(VerifyTokenAuthorityResponse {
            signed: authority.sign(&asked.payload),
        }))
    }
}

#[cfg(test)]
mod tests {
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
        // The daemon falls back to credentials on this code.
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
}
