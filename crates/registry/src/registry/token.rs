//! Bearer tokens, according to the distribution project's token and OAuth2 specifications.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response, Url};

use super::hosts::Hosts;
use super::message::{error_message, read_some};
use super::origin::{REDIRECTS, host_of, is_same_origin, location};
use super::refusal::Via;
use super::retry::Retries;
use super::waits::Waits;
use super::{ClientOptions, Credential, Error, Secret};

/// The token that a registry's challenge demands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// The registry's host, for messages.
    pub registry: String,
    /// The token server's address.
    pub realm: String,
    /// The registry's name at the token server; can be empty.
    pub service: String,
    /// The scopes of the token, such as `repository:library/alpine:pull`.
    pub scopes: Vec<String>,
    /// The client's identifier.
    pub client_id: String,
}

/// A bearer token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token itself.
    pub token: Secret,
    /// The token's lifetime in seconds; 60 if the server does not say.
    pub expires_in: u64,
    /// The issue time in seconds since 1970, if the server sends it.
    pub issued_at: Option<i64>,
}

/// Fetches tokens without a [`Client`](super::Client), for other programs that received the
/// challenge, such as BuildKit. It connects on first use.
#[derive(Debug)]
pub struct TokenClient {
    hosts: Hosts,
    waits: Waits,
}

/// A token's default lifetime in the specification.
const DEFAULT_EXPIRY: u64 = 60;
/// The timeout of a token request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const ANSWER: usize = 1 << 20;

impl Default for TokenClient {
    fn default() -> Self {
        Self::new(ClientOptions::default())
    }
}

impl TokenClient {
    /// Creates a client. It does not connect yet.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            hosts: Hosts::new(&options),
            waits: Waits::new(&options),
        }
    }

    /// Fetches a token. With a password or identity token it uses OAuth2's POST and, if the server
    /// does not support that (400, 401, 404, 405), GET with basic authentication. Without
    /// credentials it uses GET. A registry token is returned unchanged.
    ///
    /// # Errors
    ///
    /// [`Error::Downgrade`] if the server speaks plain HTTP, or redirects to it, and that is not
    /// allowed for the registry; [`Error::TokenRedirect`] if it redirects credentials to another
    /// host; others if the server cannot be reached, refuses, or does not answer with a token.
    pub async fn fetch(
        &self,
        request: &TokenRequest,
        credential: &Credential,
    ) -> Result<Token, Error> {
        fetch(&self.hosts, &self.waits, request, credential, None).await
    }
}

/// Fetches a token. `from` is the origin of the challenge, if known.
pub(super) async fn fetch(
    hosts: &Hosts,
    waits: &Waits,
    request: &TokenRequest,
    credential: &Credential,
    from: Option<&Url>,
) -> Result<Token, Error> {
    if !credential.registry_token.is_empty() {
        let token = credential.registry_token.clone();
        return Ok(Token {
            token,
            expires_in: DEFAULT_EXPIRY,
            issued_at: None,
        });
    }
    let bad_realm = || Error::BadRealm {
        registry: request.registry.clone(),
    };
    let realm = Url::parse(&request.realm).map_err(|_| bad_realm())?;
    if !matches!(realm.scheme(), "http" | "https") || !realm.has_host() {
        return Err(bad_realm());
    }
    hosts.check_realm(&request.registry, from, &realm)?;
    let question = Question {
        request,
        credential,
        realm,
        hosts,
        waits,
    };
    if question.secret().is_empty() {
        return question.ask(Method::GET).await;
    }
    match question.ask(Method::POST).await {
        Err(Error::TokenRefused { status, .. }) if question.try_get_after(status) => {
            question.ask(Method::GET).await
        }
        answered => answered,
    }
}

/// A request to one token server.
struct Question<'a> {
    request: &'a TokenRequest,
    credential: &'a Credential,
    realm: Url,
    hosts: &'a Hosts,
    waits: &'a Waits,
}

impl Question<'_> {
    /// Returns the address of the GET request.
    fn with_query(&self, mut url: Url) -> Url {
        {
            let mut query = url.query_pairs_mut();
            if !self.request.service.is_empty() {
                query.append_pair("service", &self.request.service);
            }
            for scope in &self.request.scopes {
                query.append_pair("scope", scope);
            }
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        url
    }

    /// Returns the body of the POST request.
    fn form(&self) -> String {
        // A form's body uses the same encoding as a URL's query.
        let mut form = self.realm.clone();
        {
            let mut pairs = form.query_pairs_mut();
            pairs.clear();
            if !self.request.scopes.is_empty() {
                pairs.append_pair("scope", &self.request.scopes.join(" "));
            }
            pairs.append_pair("service", &self.request.service);
            pairs.append_pair("client_id", &self.request.client_id);
            match self.user() {
                "" => pairs
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", self.secret().expose()),
                user => pairs
                    .append_pair("grant_type", "password")
                    .append_pair("username", user)
                    .append_pair("password", self.secret().expose()),
            };
        }
        form.query().unwrap_or_default().to_owned()
    }

    /// Returns the identity token, which replaces user and password, or the password.
    fn secret(&self) -> &Secret {
        match self.credential.identity_token.is_empty() {
            true => &self.credential.password,
            false => &self.credential.identity_token,
        }
    }

    fn user(&self) -> &str {
        if self.credential.identity_token.is_empty() {
            &self.credential.username
        } else {
            ""
        }
    }

    /// True if a server with this answer to POST may support GET: some answer 404, JFrog 401,
    /// others 400 or 405. After 400 and 405 an identity token allows no GET.
    fn try_get_after(&self, status: StatusCode) -> bool {
        match status.as_u16() {
            401 | 404 => true,
            400 | 405 => !self.user().is_empty(),
            _ => false,
        }
    }

    /// Sends the request, follows redirects, and retries transient failures.
    async fn ask(&self, method: Method) -> Result<Token, Error> {
        let mut url = match method {
            Method::GET => self.with_query(self.realm.clone()),
            _ => self.realm.clone(),
        };
        let mut retries = self.waits.retries();
        for _ in 0..REDIRECTS {
            let answer = self.patiently(&method, &url, &mut retries).await?;
            match self.redirect(&url, &answer)? {
                Some(next) => url = next,
                None => return self.token(answer).await,
            }
        }
        Err(Error::Redirects {
            registry: self.server(),
        })
    }

    async fn patiently(
        &self,
        method: &Method,
        url: &Url,
        retries: &mut Retries,
    ) -> Result<Response, Error> {
        loop {
            let sent = self.build(method, url)?.timeout(TIMEOUT).send().await;
            let sent = sent.map_err(|error| self.broken(error));
            let wait = match &sent {
                Ok(answer) => retries.after_answer(answer.status(), answer.headers()),
                Err(error) => retries.after_error(error),
            };
            match wait {
                Some(wait) => self.waits.wait(&self.server(), &wait).await,
                None => return sent,
            }
        }
    }

    fn build(&self, method: &Method, url: &Url) -> Result<RequestBuilder, Error> {
        let http = self.hosts.client(&self.request.registry, url)?;
        let request = http.request(method.clone(), url.clone());
        Ok(match (method, self.secret()) {
            (&Method::GET, secret) if secret.is_empty() => request,
            (&Method::GET, secret) => request.basic_auth(self.user(), Some(secret.expose())),
            _ => request
                .header(
                    CONTENT_TYPE,
                    "application/x-www-form-urlencoded; charset=utf-8",
                )
                .body(self.form()),
        })
    }

    /// Returns the redirect's target. Another host does not get the credentials.
    fn redirect(&self, url: &Url, answer: &Response) -> Result<Option<Url>, Error> {
        if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(next) = location(url, answer.headers()) else {
            return Ok(None);
        };
        let registry = &self.request.registry;
        self.hosts.check_way(registry, url, &next)?;
        if !self.secret().is_empty() && !is_same_origin(&self.realm, &next) {
            return Err(Error::TokenRedirect {
                registry: registry.clone(),
                server: self.server(),
                host: host_of(&next),
            });
        }
        Ok(Some(next))
    }

    async fn token(&self, answer: Response) -> Result<Token, Error> {
        let status = answer.status();
        if !status.is_success() {
            let text = read_some(answer).await;
            return Err(Error::TokenRefused {
                registry: self.request.registry.clone(),
                server: self.server(),
                scopes: self.request.scopes.clone(),
                status,
                message: self.secret().redact(&error_message(&text)),
            });
        }
        let body = self.read(answer).await?;
        Token::read(&body).ok_or_else(|| Error::NoToken {
            registry: self.request.registry.clone(),
            server: self.server(),
        })
    }

    async fn read(&self, mut answer: Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.broken(error))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER {
                return Err(Error::TooLarge {
                    of: format!("the answer of {}", self.server()),
                    limit: ANSWER as u64,
                });
            }
        }
        Ok(body)
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        // The address could contain a password.
        let source = error.without_url();
        Error::TokenServer {
            registry: self.request.registry.clone(),
            server: self.server(),
            proxy: Via(self.hosts.proxy(&self.realm)),
            source,
        }
    }

    fn server(&self) -> String {
        host_of(&self.realm)
    }
}

impl Token {
    /// Parses an answer. Servers send `token`, `access_token` or both, and numbers in any form;
    /// malformed fields are ignored. serde's message could quote the token, so it is dropped.
    fn read(body: &[u8]) -> Option<Self> {
        let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
        Some(Self {
            token: Secret::new(text("access_token").or_else(|| text("token"))?),
            expires_in: whole_seconds(&answer["expires_in"]).unwrap_or(DEFAULT_EXPIRY),
            issued_at: text("issued_at").and_then(seconds),
        })
    }
}

/// Parses a positive number of seconds, also as text or with a fraction.
fn whole_seconds(value: &serde_json::Value) -> Option<u64> {
    let number = match value {
        serde_json::Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    // The cast saturates.
    (number >= 1.0).then_some(number as u64)
}

/// Returns the seconds since 1970 of an RFC 3339 time. Go's zero time means none.
fn seconds(time: &str) -> Option<i64> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let issued = OffsetDateTime::parse(time, &Rfc3339).ok()?;
    (issued.year() > 1).then(|| issued.unix_timestamp())
}

#[cfg(test)]
mod tests;
