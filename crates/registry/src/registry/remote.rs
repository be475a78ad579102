//! Requests to registries: scheme, authorization, redirects and waits. What is asked for is decided elsewhere.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use reqwest::{Body, Response, Url};

use super::access::Access;
use super::challenge::Challenge;
use super::download::BlobStream;
use super::hosts::{Hosts, address};
use super::patience::Patience;
use super::token::{self, TokenRequest};
use super::{ClientOptions, Credential, Credentials, Error, Notifier};

/// How many redirects one request follows.
const REDIRECTS: usize = 10;
/// How long a registry may take to begin with its answer.
const ANSWER: Duration = Duration::from_secs(90);
/// The least that an upload has, and what it gets for each byte.
const UPLOAD: Duration = Duration::from_secs(600);
const UPLOAD_BYTES_PER_SECOND: u64 = 32 << 10;

/// Registries that are talked to. What is learnt of one is kept: its scheme, and the authorization for each scope.
#[derive(Debug)]
pub(super) struct Remote {
    credentials: Arc<Credentials>,
    hosts: Hosts,
    notifier: Option<Notifier>,
    authorizations: Mutex<HashMap<Access, Cell>>,
}

/// An authorization; locked while it is fetched, so that it is fetched once however many ask.
type Cell = Arc<tokio::sync::Mutex<Option<HeaderValue>>>;

/// Opens a body once more, for each time that the request is sent.
pub(super) type Opener =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<BlobStream, Error>> + Send>> + Send + Sync>;

/// What is sent along.
pub(super) enum Payload {
    /// Nothing.
    None,
    /// A manifest.
    Bytes(Bytes),
    /// A blob of this size.
    Stream(u64, Opener),
}

/// One request.
pub(super) struct Ask {
    pub(super) method: Method,
    /// A path below `/v2/`, or an address that the registry gave.
    pub(super) target: Target,
    pub(super) access: Access,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Path(String),
    Url(Url),
}

impl Ask {
    /// A request without a body.
    pub(super) fn new(method: Method, target: Target, access: Access) -> Self {
        Self {
            method,
            target,
            access,
            headers: HeaderMap::new(),
            payload: Payload::None,
        }
    }

    fn registry(&self) -> &str {
        &self.access.registry
    }

    async fn body(&self) -> Result<Body, Error> {
        Ok(match &self.payload {
            Payload::None => Body::default(),
            Payload::Bytes(bytes) => Body::from(bytes.clone()),
            Payload::Stream(_, open) => Body::wrap_stream(open().await?),
        })
    }

    fn limit(&self) -> Duration {
        match &self.payload {
            Payload::Stream(size, _) => {
                UPLOAD + Duration::from_secs(size / UPLOAD_BYTES_PER_SECOND)
            }
            _ => ANSWER,
        }
    }
}

impl Remote {
    pub(super) fn new(credentials: Arc<Credentials>, options: &ClientOptions) -> Self {
        Self {
            credentials,
            hosts: Hosts::new(options),
            notifier: options.notifier.clone(),
            authorizations: Mutex::default(),
        }
    }

    /// Sends a request: with credentials when the registry asks for them, again after the wait that it demands. Any answer
    /// is given back, with any status.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Response, Error> {
        let cell = self.authorization(&ask.access);
        let mut patience = Patience::default();
        let mut authorized = false;
        loop {
            let used = cell.lock().await.clone();
            let answer = self.once(ask, used.as_ref()).await?;
            if answer.status() == StatusCode::UNAUTHORIZED && !authorized {
                authorized = true;
                let mut current = cell.lock().await;
                // Another request may have got a new one in the meantime.
                if *current == used {
                    let path = &ask.access.path;
                    let credential = self.credentials.get_for(ask.registry(), path).await?;
                    *current = self
                        .meet(&ask.access, answer.headers(), &credential)
                        .await?;
                }
                if current.is_some() {
                    continue;
                }
            }
            match patience.after(answer.status(), answer.headers()) {
                Some(wait) => self.wait(ask.registry(), wait).await,
                None => return Ok(answer),
            }
        }
    }

    /// Sends a request with this authorization or none, once.
    pub(super) async fn once(
        &self,
        ask: &Ask,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let registry = ask.registry();
        let path = match &ask.target {
            Target::Url(url) => return self.follow(ask, url.clone(), authorization).await,
            Target::Path(path) => path,
        };
        let url = |scheme: &str| {
            let text = format!("{scheme}://{}/v2/{path}", address(registry));
            Url::parse(&text).map_err(|_| Error::BadAddress {
                registry: registry.to_owned(),
            })
        };
        let scheme = self.hosts.scheme(registry);
        match self.follow(ask, url(scheme)?, authorization).await {
            // As docker does: a registry on this machine may speak plain HTTP. A certificate that is refused is no sign of it.
            Err(Error::Unreachable { source, .. })
                if scheme == "https"
                    && self.hosts.may_be_plain(registry)
                    && !is_certificate(&source) =>
            {
                let answer = self.follow(ask, url("http")?, authorization).await?;
                self.hosts.is_plain(registry);
                Ok(answer)
            }
            answered => answered,
        }
    }

    /// Sends to an address, and to where that redirects to. Only the registry itself is told who asks.
    async fn follow(
        &self,
        ask: &Ask,
        mut url: Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let registry = ask.registry();
        for _ in 0..REDIRECTS {
            let host = host_of(&url);
            let own = host == host_of_address(&url, address(registry));
            let client = self.hosts.client(if own { registry } else { &host })?;
            let mut request = client
                .request(ask.method.clone(), url.clone())
                .headers(ask.headers.clone())
                .body(ask.body().await?);
            if let Payload::Stream(size, _) = ask.payload {
                request = request.header(CONTENT_LENGTH, size);
            }
            if let Some(authorization) = authorization.filter(|_| own) {
                request = request.header(AUTHORIZATION, authorization.clone());
            }
            let sent = tokio::time::timeout(ask.limit(), request.send()).await;
            let answer = sent
                .map_err(|_| Error::Silent {
                    registry: registry.to_owned(),
                    seconds: ask.limit().as_secs(),
                })?
                .map_err(|error| unreachable(registry, error))?;
            match redirect(ask, &answer) {
                Some(next) => url = next,
                None => return Ok(answer),
            }
        }
        Err(Error::Redirects {
            registry: registry.to_owned(),
        })
    }

    /// The authorization that a challenge demands; `None` when it demands what cannot be had: the answer says why then.
    pub(super) async fn meet(
        &self,
        access: &Access,
        headers: &HeaderMap,
        credential: &Credential,
    ) -> Result<Option<HeaderValue>, Error> {
        let text = match Challenge::of(headers) {
            Some(Challenge::Bearer { realm, service }) => {
                let request = TokenRequest {
                    registry: access.registry.clone(),
                    realm,
                    service,
                    scopes: access.scopes.clone(),
                    client_id: "solvekit".to_owned(),
                };
                let http = self.token_client(&request, &access.registry)?;
                let token = token::fetch(&http, &request, credential).await?;
                format!("Bearer {}", token.token.expose())
            }
            Some(Challenge::Basic) if !credential.is_anonymous() => {
                use base64::Engine as _;
                let pair = format!("{}:{}", credential.username, credential.password.expose());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                format!("Basic {pair}")
            }
            _ => return Ok(None),
        };
        let value = HeaderValue::from_str(&text).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Ok(value)
    }

    /// The token server is met with what its own host has of certificates, or the registry's if it is the same host.
    fn token_client(
        &self,
        request: &TokenRequest,
        registry: &str,
    ) -> Result<reqwest::Client, Error> {
        let host = Url::parse(&request.realm).map(|realm| host_of(&realm));
        match host {
            Ok(host) if host != address(registry) => self.hosts.client(&host),
            _ => self.hosts.client(registry),
        }
    }

    fn authorization(&self, access: &Access) -> Cell {
        let mut all = self
            .authorizations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.entry(access.clone()).or_default().clone()
    }

    async fn wait(&self, registry: &str, wait: Duration) {
        if let Some(notifier) = &self.notifier {
            let seconds = wait.as_secs_f32().ceil();
            notifier.tell(&format!(
                "{registry} limits how often it is asked: waiting {seconds} s"
            ));
        }
        tokio::time::sleep(wait).await;
    }
}

/// Where to go on. What has a body goes on only where it may be sent again.
fn redirect(ask: &Ask, answer: &Response) -> Option<Url> {
    let repeats = matches!(answer.status().as_u16(), 307 | 308);
    let reads = matches!(ask.method, Method::GET | Method::HEAD)
        && matches!(answer.status().as_u16(), 301..=303);
    if !repeats && !reads {
        return None;
    }
    location(answer)
}

/// The `Location` of an answer, as an address.
pub(super) fn location(answer: &Response) -> Option<Url> {
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    let url = answer.url().join(location).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// `HOST[:PORT]`; a scheme's own port is left out.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The same of a registry's address, were it in a URL of the same scheme.
fn host_of_address(like: &Url, address: &str) -> String {
    Url::parse(&format!("{}://{address}", like.scheme()))
        .map_or_else(|_| address.to_owned(), |url| host_of(&url))
}

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

pub(super) fn unreachable(registry: &str, error: reqwest::Error) -> Error {
    Error::Unreachable {
        registry: registry.to_owned(),
        // The address could hold a token.
        source: error.without_url(),
    }
}
