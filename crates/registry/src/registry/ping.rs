//! Asks whether a registry answers, and how.

use std::time::SystemTime;

use http::header::DATE;
use http::{Method, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::access::Access;
use super::answer::is_web_page;
use super::remote::{Ask, Target};
use super::{Client, Error};

/// What a registry's first answer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pong {
    /// True if it spoke plain HTTP.
    pub is_plain: bool,
    /// True if it asks for a login before it answers anything.
    pub asks_for_login: bool,
    /// The proxy in between: `HOST:PORT`.
    pub proxy: Option<String>,
    /// Its clock, to the second, from the `Date` of its answer.
    pub time: Option<SystemTime>,
}

impl Client {
    /// Asks a registry (`HOST[:PORT]`) for its API, `GET /v2/`, without a login.
    ///
    /// # Errors
    /// If it cannot be reached; [`Error::NotARegistry`] if something else answers there.
    pub async fn ping(&self, registry: &str) -> Result<Pong, Error> {
        let access = Access::login(registry);
        let ask = Ask::new(Method::GET, Target::Path(String::new()), access);
        let mut retries = self.remote.waits.retries();
        let answer = self.remote.patiently(&ask, None, &mut retries).await?;
        let status = answer.status();
        let asks_for_login = status == StatusCode::UNAUTHORIZED;
        if is_web_page(&answer) || !(status.is_success() || asks_for_login) {
            return Err(Error::NotARegistry {
                host: registry.to_owned(),
                status,
            });
        }
        let date = answer
            .headers()
            .get(DATE)
            .and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
        Ok(Pong {
            is_plain: answer.url().scheme() == "http",
            asks_for_login,
            proxy: self.remote.hosts.proxy(answer.url()),
            time: date.map(SystemTime::from),
        })
    }
}
