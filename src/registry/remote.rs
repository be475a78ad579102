//! Reading from registries: which scheme and authorization a repository wants, and bytes that are what was asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT, WWW_AUTHENTICATE};
use reqwest::{Client, Response};
use tokio::sync::OnceCell;

use super::token::{error_message, http_client, read_some};
use super::{Credentials, Error, TokenClient, TokenRequest};
use crate::oci::{Reference, media_type};

/// More than any manifest or config.
const LIMIT: usize = 8 << 20;

/// Registries that are read from. What is learnt of one is kept: its scheme, and the authorization of each repository.
#[derive(Debug)]
pub(super) struct Remote {
    credentials: Arc<Credentials>,
    tokens: TokenClient,
    http: OnceCell<Client>,
    plain: Mutex<HashMap<String, bool>>,
    authorizations: Mutex<HashMap<String, HeaderValue>>,
}

/// What a registry answered.
pub(super) struct Answer {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// What is read of a repository.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    /// A manifest or index, by tag or digest.
    Manifest(&'a str),
    /// A blob, by digest.
    Blob(&'a str),
}

impl What<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Manifest(name) | Self::Blob(name) => name,
        }
    }

    fn path(&self) -> String {
        match self {
            Self::Manifest(name) => format!("manifests/{name}"),
            Self::Blob(name) => format!("blobs/{name}"),
        }
    }
}

impl Remote {
    pub(super) fn new(credentials: Arc<Credentials>) -> Self {
        Self {
            credentials,
            tokens: TokenClient::new(),
            http: OnceCell::new(),
            plain: Mutex::default(),
            authorizations: Mutex::default(),
        }
    }

    /// Reads, with credentials when the registry asks for them.
    pub(super) async fn read(&self, of: &Reference, what: What<'_>) -> Result<Answer, Error> {
        let mut answer = self.ask(of, what).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.authorize(of, answer.headers()).await?;
            answer = self.ask(of, what).await?;
        }
        let status = answer.status();
        if !status.is_success() {
            let text = read_some(answer).await;
            return Err(Error::Refused {
                registry: of.domain().to_owned(),
                repository: of.path().to_owned(),
                what: what.name().to_owned(),
                status,
                message: error_message(&text),
            });
        }
        let content_type = answer.headers().get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        Ok(Answer {
            content_type: content_type.unwrap_or_default().to_owned(),
            body: read_all(of, answer).await?,
        })
    }

    async fn ask(&self, of: &Reference, what: What<'_>) -> Result<Response, Error> {
        let registry = of.domain();
        let plain = *lock(&self.plain).get(registry).unwrap_or(&false);
        if plain {
            return self.send("http", of, what).await;
        }
        match self.send("https", of, what).await {
            // As docker does: a registry on this machine may speak plain HTTP.
            Err(Error::Unreachable { source, .. })
                if is_local(registry) && !is_certificate(&source) =>
            {
                let answer = self.send("http", of, what).await?;
                lock(&self.plain).insert(registry.to_owned(), true);
                Ok(answer)
            }
            answered => answered,
        }
    }

    async fn send(&self, scheme: &str, of: &Reference, what: What<'_>) -> Result<Response, Error> {
        let http = self
            .http
            .get_or_try_init(|| async { http_client() })
            .await?;
        let host = match of.domain() {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let url = format!("{scheme}://{host}/v2/{}/{}", of.path(), what.path());
        let accept = [
            media_type::OCI_INDEX,
            media_type::DOCKER_MANIFEST_LIST,
            media_type::OCI_MANIFEST,
            media_type::DOCKER_MANIFEST,
            "*/*",
        ];
        let mut request = http
            .get(url)
            .header(USER_AGENT, concat!("solvekit/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, accept.join(", "));
        if let Some(authorization) = lock(&self.authorizations).get(&of.name()) {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request.send().await.map_err(|error| unreachable(of, error))
    }

    /// Answers the registry's challenge: a token, or name and password.
    async fn authorize(&self, of: &Reference, headers: &HeaderMap) -> Result<(), Error> {
        let credential = self.credentials.get_for(of.domain(), of.path()).await?;
        let challenge = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(Challenge::parse);
        let text = match challenge {
            Some(Challenge::Bearer { realm, service }) => {
                let request = TokenRequest {
                    registry: of.domain().to_owned(),
                    realm,
                    service,
                    scopes: vec![format!("repository:{}:pull", of.path())],
                    client_id: "solvekit".to_owned(),
                };
                let token = self.tokens.fetch(&request, &credential).await?;
                format!("Bearer {}", token.token.expose())
            }
            Some(Challenge::Basic) if !credential.is_anonymous() => {
                use base64::Engine as _;
                let pair = format!("{}:{}", credential.username, credential.password.expose());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                format!("Basic {pair}")
            }
            // The second answer says what is wrong.
            _ => return Ok(()),
        };
        if let Ok(mut value) = HeaderValue::from_str(&text) {
            value.set_sensitive(true);
            lock(&self.authorizations).insert(of.name(), value);
        }
        Ok(())
    }
}

/// A certificate that is refused is no sign of plain HTTP.
fn is_certificate(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.to_string().contains("certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreachable(of: &Reference, error: reqwest::Error) -> Error {
    Error::Unreachable {
        registry: of.domain().to_owned(),
        source: error.without_url(),
    }
}

async fn read_all(of: &Reference, mut answer: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unreachable(of, error))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > LIMIT {
            return Err(Error::BadContent {
                reference: of.to_string(),
                reason: format!("it is larger than {} MiB", LIMIT >> 20),
            });
        }
    }
    Ok(body)
}

/// `localhost`, `127.0.0.0/8`, `[::1]`, with or without port.
fn is_local(registry: &str) -> bool {
    let host = match registry.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => registry,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// `WWW-Authenticate`.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Bearer { realm: String, service: String },
    Basic,
}

impl Challenge {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, parameters) = text.split_once(' ').unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let get = |name: &str| {
            let start = parameters.find(&format!("{name}=\""))? + name.len() + 2;
            let length = parameters[start..].find('"')?;
            Some(parameters[start..start + length].to_owned())
        };
        Some(Self::Bearer {
            realm: get("realm")?,
            service: get("service").unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = Challenge::parse(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull""#,
        );
        assert_eq!(
            bearer,
            Some(Challenge::Bearer {
                realm: "https://auth.docker.io/token".to_owned(),
                service: "registry.docker.io".to_owned()
            })
        );
        assert_eq!(
            Challenge::parse("Basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        assert_eq!(Challenge::parse("Bearer x"), None);
    }

    #[test]
    fn only_registries_of_this_machine_may_be_plain() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:80", "[::1]:5000"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["docker.io", "localhost.example.com", "10.0.0.1:5000"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
