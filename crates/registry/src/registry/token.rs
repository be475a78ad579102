//! Bearer tokens, as the distribution project's token and OAuth2 specifications have them.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response, Url};

use super::error::Via;
use super::hosts::Hosts;
use super::message::{error_message, read_some};
use super::origin::{REDIRECTS, host_of, is_same_origin, location};
use super::retry::Retries;
use super::waits::Waits;
use super::{ClientOptions, Credential, Error, Secret};

/// What a registry's challenge demands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// The registry's host, for messages.
    pub registry: String,
    /// The token server's address.
    pub realm: String,
    /// The registry's name for the token server; can be empty.
    pub service: String,
    /// What the token is for, such as `repository:library/alpine:pull`.
    pub scopes: Vec<String>,
    /// How the asking program calls itself.
    pub client_id: String,
}

/// A bearer token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token itself.
    pub token: Secret,
    /// For how many seconds it is good; 60 when the server does not say.
    pub expires_in: u64,
    /// When it was issued, in seconds since 1970, if the server says.
    pub issued_at: Option<i64>,
}

/// Asks token servers, without a [`Client`](super::Client): for somebody else who got the challenge,
/// such as BuildKit. The connection setup waits until the first question.
#[derive(Debug)]
pub struct TokenClient {
    hosts: Hosts,
    waits: Waits,
}

/// The default life of a token in the specification.
const DEFAULT_EXPIRY: u64 = 60;
/// A server that takes longer than this is not coming.
const TIMEOUT: Duration = Duration::from_secs(30);
/// More than any token.
const ANSWER: usize = 1 << 20;

impl Default for TokenClient {
    fn default() -> Self {
        Self::new(ClientOptions::default())
    }
}

impl TokenClient {
    /// A client without connections.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            hosts: Hosts::new(&options),
            waits: Waits::new(&options),
        }
    }

    /// Gets a token. With a password or identity token by POST as OAuth2 has it, and where the
    /// server does not know that (400, 401, 404, 405) by GET with basic authentication; without
    /// credentials by GET. A registry token is given back as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Downgrade`] when the server speaks plain HTTP, or redirects to it, and that is not
    /// allowed for the registry; [`Error::TokenRedirect`] when it redirects credentials to another
    /// host; others when the server cannot be reached, refuses, or does not answer with a token.
    pub async fn fetch(
        &self,
        request: &TokenRequest,
        credential: &Credential,
    ) -> Result<Token, Error> {
        fetch(&self.hosts, &self.waits, request, credential, None).await
    }
}

/// Gets a token. `from` is where the challenge came from, if that is known.
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

/// One question to one server.
struct Question<'a> {
    request: &'a TokenRequest,
    credential: &'a Credential,
    realm: Url,
    hosts: &'a Hosts,
    waits: &'a Waits,
}

impl Question<'_> {
    /// The address of a GET, which has the question.
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

    /// The body of a POST.
    fn form(&self) -> String {
        // A URL's query is encoded as a form's body is.
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

    /// An identity token stands for user and password.
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

    /// True if a server that answered a POST so may know GET: some give 404, JFrog's 401, others 400
    /// or 405. An identity token is for POST alone, as far as 400 and 405 say.
    fn try_get_after(&self, status: StatusCode) -> bool {
        match status.as_u16() {
            401 | 404 => true,
            400 | 405 => !self.user().is_empty(),
            _ => false,
        }
    }

    /// Asks, also where the server redirects to, and again after passing failures.
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

    /// Where the question is to be put again. Another host is not told the credentials.
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
        // The address could hold a user's password.
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
    /// Reads an answer. Servers have `token`, `access_token` or both, and numbers in any shape; what
    /// is not understood counts as not there. The message of serde could quote the token.
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

/// A positive number of seconds, also as text or with a fraction.
fn whole_seconds(value: &serde_json::Value) -> Option<u64> {
    let number = match value {
        serde_json::Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    // More than fits becomes the most that does.
    (number >= 1.0).then_some(number as u64)
}

/// Seconds since 1970 of an RFC 3339 time. Go's zero time means that there is none.
fn seconds(time: &str) -> Option<i64> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let issued = OffsetDateTime::parse(time, &Rfc3339).ok()?;
    (issued.year() > 1).then(|| issued.unix_timestamp())
}

#[cfg(test)]
mod tests;
