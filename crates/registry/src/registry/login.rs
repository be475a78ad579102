//! Checks a name and a password with a registry.

use http::{Method, StatusCode};

use super::access::Access;
use super::answer::is_web_page;
use super::message::{error_message, read_some};
use super::remote::{Ask, Target};
use super::{Client, Credential, Error};

impl Client {
    /// Checks a credential with a registry (`HOST[:PORT]`), without looking at the configuration.
    /// Returns `false` if the registry never asks for credentials, so they could not be checked.
    ///
    /// # Errors
    /// [`Error::LoginRefused`] if the registry refuses; [`Error::TokenRefused`] if its token server
    /// refuses; [`Error::NotARegistry`] if the host is not a registry; others if it cannot be
    /// reached.
    pub async fn authenticate(
        &self,
        registry: &str,
        credential: &Credential,
    ) -> Result<bool, Error> {
        let ask = Ask::new(
            Method::GET,
            Target::Path(String::new()),
            Access::login(registry),
        );
        let remote = &self.remote;
        let mut retries = remote.waits.retries();
        let mut answer = remote.patiently(&ask, None, &mut retries).await?;
        let asks = answer.status() == StatusCode::UNAUTHORIZED;
        if let Some((challenge, from)) = remote.own_challenge(registry, &answer)
            && let Some(authorization) = remote
                .answer_challenge(&ask.access, &challenge, credential, &from)
                .await?
        {
            let again = remote.patiently(&ask, Some(&authorization), &mut retries);
            answer = again.await?;
        }
        let status = answer.status();
        if is_web_page(&answer) && !status.is_server_error() {
            return Err(Error::NotARegistry {
                host: registry.to_owned(),
                status,
            });
        }
        if status.is_success() {
            return Ok(asks);
        }
        let text = read_some(answer).await;
        let message = error_message(&text);
        Err(Error::LoginRefused {
            registry: registry.to_owned(),
            status,
            message: credential.password.redact(&message),
        })
    }
}
