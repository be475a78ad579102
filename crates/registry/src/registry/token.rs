//! Bearer tokens, as the distribution project's token and OAuth2 specifications have them.

use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::tls::Trust;
use super::{Credential, Error, Secret};

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

/// Asks token servers. The connection setup waits until the first question.
#[derive(Debug, Default)]
pub struct TokenClient {
    http: OnceCell<Client>,
}

/// The default life of a token in the specification.
const DEFAULT_EXPIRY: u64 = 60;
/// A server that takes longer than this is not coming.
const TIMEOUT: Duration = Duration::from_secs(30);
/// As much of an error's text as is worth a look.
const ERROR_TEXT: usize = 64 * 1024;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    token: Secret,
    access_token: Secret,
    expires_in: u64,
    issued_at: Option<String>,
}

impl TokenClient {
    /// A client without connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gets a token. With a password or identity token by POST as OAuth2 has it, and where the server does not know
    /// that (401, 404, 405) by GET with basic authentication; without credentials by GET. A registry token is given
    /// back as it is.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, refuses, or does not answer with a token.
    pub async fn fetch(
        &self,
        request: &TokenRequest,
        credential: &Credential,
    ) -> Result<Token, Error> {
        let http = self
            .http
            .get_or_try_init(|| async { Trust::default().client(Policy::default()) });
        fetch(http.await?, request, credential).await
    }
}

/// Gets a token by this HTTP client.
pub(super) async fn fetch(
    http: &Client,
    request: &TokenRequest,
    credential: &Credential,
) -> Result<Token, Error> {
    if !credential.registry_token.is_empty() {
        let token = credential.registry_token.clone();
        return Ok(Token {
            token,
            expires_in: DEFAULT_EXPIRY,
            issued_at: None,
        });
    }
    let bad_realm = |_| Error::BadRealm {
        registry: request.registry.clone(),
    };
    let realm = Url::parse(&request.realm).map_err(bad_realm)?;
    let question = Question {
        request,
        credential,
        realm,
        http,
    };
    if credential.password.is_empty() && credential.identity_token.is_empty() {
        return question.ask(question.get()).await;
    }
    match question.ask(question.post()).await {
        Err(Error::TokenRefused { status, .. }) if question.try_get_after(status) => {
            question.ask(question.get()).await
        }
        answered => answered,
    }
}

/// One question to one server.
struct Question<'a> {
    request: &'a TokenRequest,
    credential: &'a Credential,
    realm: Url,
    http: &'a Client,
}

impl Question<'_> {
    fn get(&self) -> RequestBuilder {
        let mut url = self.realm.clone();
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
        let get = self.http.get(url);
        match self.secret() {
            secret if secret.is_empty() => get,
            secret => get.basic_auth(self.user(), Some(secret.expose())),
        }
    }

    fn post(&self) -> RequestBuilder {
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
        self.http
            .post(self.realm.clone())
            .header(
                CONTENT_TYPE,
                "application/x-www-form-urlencoded; charset=utf-8",
            )
            .body(form.query().unwrap_or_default().to_owned())
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

    /// Whether a server that answered a POST so may know GET: some give 404, JFrog's 401, others 405.
    fn try_get_after(&self, status: StatusCode) -> bool {
        match status {
            StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED => true,
            StatusCode::METHOD_NOT_ALLOWED => !self.user().is_empty(),
            _ => false,
        }
    }

    async fn ask(&self, question: RequestBuilder) -> Result<Token, Error> {
        let agent = concat!("solvekit/", env!("CARGO_PKG_VERSION"));
        let answer = question
            .header(USER_AGENT, agent)
            .timeout(TIMEOUT)
            .send()
            .await
            .map_err(|error| self.broken(error))?;
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
        let body = answer.bytes().await.map_err(|error| self.broken(error))?;
        // Not understood is the same as no token: serde's message could quote it.
        let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
        let token = if answer.access_token.is_empty() {
            answer.token
        } else {
            answer.access_token
        };
        if token.is_empty() {
            return Err(Error::NoToken {
                registry: self.request.registry.clone(),
                server: self.server(),
            });
        }
        Ok(Token {
            token,
            expires_in: if answer.expires_in == 0 {
                DEFAULT_EXPIRY
            } else {
                answer.expires_in
            },
            issued_at: answer.issued_at.as_deref().and_then(seconds),
        })
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        // The address could hold a user's password.
        let source = error.without_url();
        Error::TokenServer {
            registry: self.request.registry.clone(),
            server: self.server(),
            source,
        }
    }

    fn server(&self) -> String {
        let host = self.realm.host_str().unwrap_or_default();
        self.realm
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

/// Seconds since 1970 of an RFC 3339 time. Go's zero time means that there is none.
fn seconds(time: &str) -> Option<i64> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let issued = OffsetDateTime::parse(time, &Rfc3339).ok()?;
    (issued.year() > 1).then(|| issued.unix_timestamp())
}

pub(super) async fn read_some(mut answer: reqwest::Response) -> Vec<u8> {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() > ERROR_TEXT {
            break;
        }
    }
    text
}

/// What an error's body says, behind a colon: the messages of a registry's errors, `details` as Docker Hub has it, or
/// OAuth2's description. Pages of HTML say nothing.
pub(super) fn error_message(body: &[u8]) -> String {
    use serde_json::Value;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error["message"].as_str());
    let mut messages: Vec<&str> = errors.collect();
    messages.extend(
        ["details", "message", "error_description"]
            .iter()
            .filter_map(|&key| body[key].as_str()),
    );
    match messages.is_empty() {
        true => String::new(),
        false => format!(
            ": {}",
            messages.join("; ").chars().take(300).collect::<String>()
        ),
    }
}

#[cfg(test)]
mod tests;
