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
mod tests;
