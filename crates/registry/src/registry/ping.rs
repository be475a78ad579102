//! Pings a registry.

use std::time::SystemTime;

use http::header::DATE;
use http::{Method, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::access::Access;
use super::answer::is_web_page;
use super::remote::{Ask, Target};
use super::{Client, Error};

/// The information in a registry's first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pong {
    /// True if the registry spoke plain HTTP.
    pub is_plain: bool,
    /// True if the registry requires a login for every request.
    pub asks_for_login: bool,
    /// The proxy of the request: `HOST:PORT`.
    pub proxy: Option<String>,
    /// The registry's clock, to the second, from the `Date` of its answer.
    pub time: Option<SystemTime>,
}

impl Client {
    /// Requests `GET /v2/` from a registry (`HOST[:PORT]`), without a login.
    ///
    /// # Errors
    /// If the registry cannot be reached; [`Error::NotARegistry`] if the host is not a registry.
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
