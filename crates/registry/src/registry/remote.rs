//! Sends requests to registries: scheme, authorization, redirects and retries. Callers decide what
//! to request.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Body, Response, Url};

use super::access::Access;
use super::authorize::Authorization;
use super::download::BlobStream;
use super::hosts::{Hosts, address};
use super::origin::{REDIRECTS, is_same_origin, location};
use super::refusal::Via;
use super::retry::Retries;
use super::waits::Waits;
use super::{ClientOptions, Credentials, Error};

/// The timeout for the start of an answer.
const ANSWER: Duration = Duration::from_secs(90);
/// The minimum timeout of an upload, to which time per byte is added.
const UPLOAD: Duration = Duration::from_secs(600);
const UPLOAD_BYTES_PER_SECOND: u64 = 32 << 10;

/// Connections to registries. The scheme, and the authorization for each scope, are cached.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) credentials: Arc<Credentials>,
    pub(super) hosts: Hosts,
    pub(super) waits: Waits,
    authorizations: Mutex<HashMap<Access, Cell>>,
}

/// An authorization, locked while it is fetched, so that concurrent requests fetch it once.
type Cell = Arc<tokio::sync::Mutex<Authorization>>;

/// Opens a body again for each attempt.
pub(super) type Opener =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<BlobStream, Error>> + Send>> + Send + Sync>;

/// The body of a request.
pub(super) enum Payload {
    /// No body.
    None,
    /// A manifest.
    Bytes(Bytes),
    /// A blob of this size.
    Stream(u64, Opener),
}

/// One request.
pub(super) struct Ask {
    pub(super) method: Method,
    /// A path below `/v2/`, or an address from the registry.
    pub(super) target: Target,
    pub(super) access: Access,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
}

/// The address of a request.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Path(String),
    Url(Url),
}

impl Ask {
    /// Creates a request without a body.
    pub(super) fn new(method: Method, target: Target, access: Access) -> Self {
        Self {
            method,
            target,
            access,
            headers: HeaderMap::new(),
            payload: Payload::None,
        }
    }

    pub(super) fn registry(&self) -> &str {
        &self.access.registry
    }

    /// True if the request can be retried unchanged. A blob upload resumes instead.
    fn repeats(&self) -> bool {
        !matches!(self.payload, Payload::Stream(..))
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
            waits: Waits::new(options),
            authorizations: Mutex::default(),
        }
    }

    /// Sends a request, with credentials if the registry asks for them. Retries transient failures.
    /// Returns the final answer, whatever its status.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Response, Error> {
        self.send_with(ask, &mut self.waits.retries()).await
    }

    /// As `send`, with the retries of a larger operation.
    pub(super) async fn send_with(
        &self,
        ask: &Ask,
        retries: &mut Retries,
    ) -> Result<Response, Error> {
        let cell = self.authorization(&ask.access);
        let mut authorized = false;
        loop {
            let used = cell.lock().await.value.clone();
            let answer = self.patiently(ask, used.as_ref(), retries).await?;
            if authorized || !self.is_own(ask.registry(), answer.url())? {
                // Another origin's challenge is not answered.
                return Ok(answer);
            }
            authorized = true;
            let mut current = cell.lock().await;
            // Another request may have fetched a new authorization meanwhile.
            if current.value == used && !self.authorize(&mut current, ask, &answer).await? {
                return Ok(answer);
            }
        }
    }

    /// Sends a request with this authorization, if any. Retries transient failures.
    pub(super) async fn patiently(
        &self,
        ask: &Ask,
        authorization: Option<&HeaderValue>,
        retries: &mut Retries,
    ) -> Result<Response, Error> {
        loop {
            let answer = self.once(ask, authorization).await;
            let wait = match &answer {
                _ if !ask.repeats() => None,
                Ok(answer) => retries.after_answer(answer.status(), answer.headers()),
                Err(error) => retries.after_error(error),
            };
            match wait {
                Some(wait) => self.waits.wait(ask.registry(), &wait).await,
                None => return answer,
            }
        }
    }

    /// Sends a request once.
    async fn once(
        &self,
        ask: &Ask,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let registry = ask.registry();
        let scheme = self.hosts.scheme(registry);
        let base = base(registry, scheme)?;
        let path = match &ask.target {
            Target::Url(url) => {
                self.hosts.check_way(registry, &base, url)?;
                return self.follow(ask, &base, url.clone(), authorization).await;
            }
            Target::Path(path) => path,
        };
        let join = |base: &Url| {
            let url = Url::parse(&format!("{base}{path}"));
            url.map_err(|_| bad_address(registry))
        };
        match self.follow(ask, &base, join(&base)?, authorization).await {
            // As in docker, a local registry may speak plain HTTP. A rejected certificate is not a
            // sign of that.
            Err(Error::Unreachable { source, .. })
                if scheme == "https"
                    && self.hosts.may_be_plain(registry)
                    && !is_certificate(&source) =>
            {
                let plain = self::base(registry, "http")?;
                let answer = self
                    .follow(ask, &plain, join(&plain)?, authorization)
                    .await?;
                self.hosts.has_answered(registry, "http");
                Ok(answer)
            }
            Ok(answer) => {
                self.hosts.has_answered(registry, scheme);
                Ok(answer)
            }
            failed => failed,
        }
    }

    /// Sends a request and follows its redirects. Only the registry's own origin gets credentials.
    async fn follow(
        &self,
        ask: &Ask,
        base: &Url,
        mut url: Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let registry = ask.registry();
        for _ in 0..REDIRECTS {
            let client = self.hosts.client(registry, &url)?;
            let mut request = client
                .request(ask.method.clone(), url.clone())
                .headers(ask.headers.clone())
                .body(ask.body().await?);
            if let Payload::Stream(size, _) = ask.payload {
                request = request.header(CONTENT_LENGTH, size);
            }
            if let Some(authorization) = authorization.filter(|_| is_same_origin(base, &url)) {
                request = request.header(AUTHORIZATION, authorization.clone());
            }
            let proxy = self.hosts.proxy(&url);
            let sent = tokio::time::timeout(ask.limit(), request.send()).await;
            let answer = sent
                .map_err(|_| Error::Silent {
                    registry: registry.to_owned(),
                    proxy: Via(proxy.clone()),
                    seconds: ask.limit().as_secs(),
                })?
                .map_err(|error| unreachable(registry, proxy, error))?;
            match redirect(ask, &answer) {
                Some(next) => {
                    self.hosts.check_way(registry, &url, &next)?;
                    url = next;
                }
                None => return Ok(answer),
            }
        }
        Err(Error::Redirects {
            registry: registry.to_owned(),
        })
    }

    /// True if the address has the registry's own scheme, host and port.
    pub(super) fn is_own(&self, registry: &str, url: &Url) -> Result<bool, Error> {
        let base = base(registry, self.hosts.scheme(registry))?;
        Ok(is_same_origin(&base, url))
    }

    fn authorization(&self, access: &Access) -> Cell {
        let mut all = self
            .authorizations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.entry(access.clone()).or_default().clone()
    }
}

/// Returns the base address of a registry's API.
fn base(registry: &str, scheme: &str) -> Result<Url, Error> {
    let text = format!("{scheme}://{}/v2/", address(registry));
    Url::parse(&text).map_err(|_| bad_address(registry))
}

fn bad_address(registry: &str) -> Error {
    Error::BadAddress {
        registry: registry.to_owned(),
    }
}

/// Returns the redirect's target. A request with a body is repeated only if the status keeps the
/// method.
fn redirect(ask: &Ask, answer: &Response) -> Option<Url> {
    let repeats = matches!(answer.status().as_u16(), 307 | 308);
    let reads = matches!(ask.method, Method::GET | Method::HEAD)
        && matches!(answer.status().as_u16(), 301..=303);
    if !repeats && !reads {
        return None;
    }
    location(answer.url(), answer.headers())
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

pub(super) fn unreachable(registry: &str, proxy: Option<String>, error: reqwest::Error) -> Error {
    Error::Unreachable {
        registry: registry.to_owned(),
        proxy: Via(proxy),
        // The address could contain a token.
        source: error.without_url(),
    }
}
