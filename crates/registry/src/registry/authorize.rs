//! Answers a registry's challenge with a token from its token server, or with name and password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use http::{Method, StatusCode};
use reqwest::{Response, Url};

use super::access::Access;
use super::challenge::Challenge;
use super::remote::{Ask, Remote, Target};
use super::token::{self, TokenRequest};
use super::{Credential, Error};

/// The authorization for requests with the same scopes.
#[derive(Debug, Default)]
pub(super) struct Authorization {
    pub(super) value: Option<HeaderValue>,
    /// True if `/v2/` was already asked for a challenge after a refusal without one.
    asked: bool,
}

impl Remote {
    /// Tries to authorize after a refusal. Returns `false` if the refusal is final.
    ///
    /// With credentials, a refusal without a challenge is not final: some registries answer 401,
    /// 403 or 404 for content that needs a login. Their challenge is at `/v2/`.
    pub(super) async fn authorize(
        &self,
        current: &mut Authorization,
        ask: &Ask,
        answer: &Response,
    ) -> Result<bool, Error> {
        let status = answer.status();
        let challenge = match status {
            StatusCode::UNAUTHORIZED => Challenge::of(answer.headers()),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => None,
            _ => return Ok(false),
        };
        let (registry, path) = (ask.registry(), &ask.access.path);
        let mut from = answer.url().clone();
        let (challenge, credential) = match challenge {
            Some(challenge) => (challenge, self.credentials.get_for(registry, path).await?),
            None if current.value.is_some() || current.asked => return Ok(false),
            None => {
                current.asked = true;
                // If the credentials cannot be read, the refusal is final.
                let known = self.credentials.get_for(registry, path).await;
                let credential = known.unwrap_or_default();
                if credential.is_anonymous() {
                    return Ok(false);
                }
                match self.challenge(registry).await {
                    Some((challenge, url)) => {
                        from = url;
                        (challenge, credential)
                    }
                    None => return Ok(false),
                }
            }
        };
        current.value = self
            .answer_challenge(&ask.access, &challenge, &credential, &from)
            .await?;
        Ok(current.value.is_some())
    }

    /// Fetches the challenge of `/v2/`, with the address that it came from.
    async fn challenge(&self, registry: &str) -> Option<(Challenge, Url)> {
        let access = Access::login(registry);
        let ask = Ask::new(Method::GET, Target::Path(String::new()), access);
        let mut retries = self.waits.retries();
        let answer = self.patiently(&ask, None, &mut retries).await.ok()?;
        self.own_challenge(registry, &answer)
    }

    /// Returns the challenge of an answer, if the answer comes from the registry's own origin.
    pub(super) fn own_challenge(
        &self,
        registry: &str,
        answer: &Response,
    ) -> Option<(Challenge, Url)> {
        let own = self.is_own(registry, answer.url()).ok()?;
        let asks = own && answer.status() == StatusCode::UNAUTHORIZED;
        let challenge = Challenge::of(answer.headers()).filter(|_| asks)?;
        Some((challenge, answer.url().clone()))
    }

    /// Builds the authorization for a challenge; `None` if there are no credentials to send.
    pub(super) async fn answer_challenge(
        &self,
        access: &Access,
        challenge: &Challenge,
        credential: &Credential,
        from: &Url,
    ) -> Result<Option<HeaderValue>, Error> {
        let text = match challenge {
            Challenge::Bearer {
                realm,
                service,
                scopes,
            } => {
                let request = TokenRequest {
                    registry: access.registry.clone(),
                    realm: realm.clone(),
                    service: service.clone(),
                    scopes: with_scopes(&access.scopes, scopes),
                    client_id: "solvekit".to_owned(),
                };
                let (hosts, waits) = (&self.hosts, &self.waits);
                let token = token::fetch(hosts, waits, &request, credential, Some(from)).await?;
                format!("Bearer {}", token.token.expose())
            }
            Challenge::Basic => {
                let (user, password) = (&credential.username, &credential.password);
                if user.is_empty() && password.is_empty() {
                    return Ok(None);
                }
                let pair = format!("{user}:{}", password.expose());
                format!("Basic {}", STANDARD.encode(pair))
            }
        };
        let value = HeaderValue::from_str(&text).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Ok(value)
    }
}

/// Joins the scopes that a request needs with those that the registry adds.
fn with_scopes(own: &[String], named: &[String]) -> Vec<String> {
    let mut scopes = own.to_vec();
    for scope in named {
        if !own.iter().any(|own| covers(own, scope)) && !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    scopes
}

/// True if a scope is for the same resource and includes all actions of the other.
fn covers(own: &str, other: &str) -> bool {
    match (own.rsplit_once(':'), other.rsplit_once(':')) {
        (Some((resource, actions)), Some((other, needed))) => {
            let mut needed = needed.split(',');
            resource == other && needed.all(|action| actions.split(',').any(|own| own == action))
        }
        _ => own == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_own_scope_is_asked_for_too() {
        let own = ["repository:a:pull,push".to_owned()];
        let with = |named: &str| with_scopes(&own, &[named.to_owned()]);
        assert_eq!(with("repository:a:pull"), own);
        assert_eq!(with("repository:a:push,pull"), own);
        for other in ["repository:group/a:pull", "repository:a:delete", "odd"] {
            assert_eq!(with(other), [own[0].as_str(), other]);
        }
    }
}
