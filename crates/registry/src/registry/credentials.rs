//! Credentials for registries: read from Docker's and podman's configuration each time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::config::Config;
use super::config_file;
use super::helper::{Helper, NOTIFY_AFTER};
use super::keys::Asked;
use super::{Error, Notifier, Secret};
use crate::task::blocking;

/// The time for which a helper's answer is cached. The daemon asks for a registry many times per
/// build; the tokens of some helpers expire after five minutes.
const HELPER_ANSWER: Duration = Duration::from_secs(60);
/// The name of Docker's configuration file in its directory.
const FILE: &str = "config.json";

/// A helper's suffix and the requested key.
type Question = (String, String);

/// Credentials for a registry. If all fields are empty, the user is anonymous.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// The user's name.
    pub username: String,
    /// The password, or an access token in its place.
    pub password: Secret,
    /// A refresh token of the registry's token server, used in place of name and password.
    pub identity_token: Secret,
    /// A bearer token that is used unchanged.
    pub registry_token: Secret,
}

impl Credential {
    /// Returns a credential with name and password.
    pub fn of_user(username: impl Into<String>, password: Secret) -> Self {
        Self {
            username: username.into(),
            password,
            ..Self::default()
        }
    }

    /// Returns true if all fields are empty.
    pub fn is_anonymous(&self) -> bool {
        self == &Self::default()
    }
}

/// The sources of credentials: `DOCKER_AUTH_CONFIG`, then the helpers and entries of `config.json`,
/// then podman's files. In each source, credentials for a part of a registry (`registry/team`) take
/// precedence over those for the whole registry.
///
/// The files are read for each request, so a login during a long build takes effect. Helpers run
/// one at a time and without a time limit; their answers are cached for a minute. A helper is
/// killed when its caller is cancelled.
///
/// ```no_run
/// # async fn example() -> Result<(), solvekit_registry::registry::Error> {
/// use solvekit_registry::registry::Credentials;
///
/// let credentials = Credentials::new("/home/me/.docker")
///     .with_auth_file("/run/user/1000/containers/auth.json");
/// let credential = credentials.get_for("docker.io", "me/app").await?;
/// println!("{}", credential.username);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Credentials {
    providers: Vec<Arc<dyn CredentialProvider>>,
    pub(super) directory: Option<PathBuf>,
    pub(super) environment: Option<Config>,
    /// Podman's files, in the order of lookup.
    pub(super) others: Vec<PathBuf>,
    /// The directory of the helpers; `None` for PATH.
    pub(super) helpers: Option<PathBuf>,
    pub(super) default_helper: Option<String>,
    notifier: Option<Notifier>,
    pub(super) helper_answers: Mutex<HashMap<Question, (Instant, Option<Credential>)>>,
}

/// A source of credentials besides Docker's configuration: a cloud's tokens, a vault.
pub trait CredentialProvider: Send + Sync {
    /// Returns the credential for a registry (`registry.example.com:5000`, `docker.io`), or for one
    /// of its repositories; `None` if the provider has none.
    fn credential<'a>(&'a self, registry: &'a str, repository: Option<&'a str>) -> Provided<'a>;
}

/// The answer of a [`CredentialProvider`].
pub type Provided<'a> = Pin<
    Box<
        dyn Future<Output = Result<Option<Credential>, Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'a,
    >,
>;

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("directory", &self.directory)
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Uses the `config.json` in this directory (`$DOCKER_CONFIG`, usually `~/.docker`). The file
    /// need not exist.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            ..Self::default()
        }
    }

    /// Returns no credentials for any registry.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the JSON of `DOCKER_AUTH_CONFIG` as the first source: `{"auths": {REGISTRY: {"auth":
    /// BASE64}}}`.
    ///
    /// # Errors
    ///
    /// If the JSON is malformed, or an entry has no credentials.
    pub fn with_auth_config(mut self, json: &str) -> Result<Self, Error> {
        let config = Config::parse(json.as_bytes(), "DOCKER_AUTH_CONFIG")?;
        config.check()?;
        self.environment = Some(config.without_helpers());
        Ok(self)
    }

    /// Adds a podman file (`auth.json`, containers-auth.json(5)) as the last source. It need not
    /// exist.
    #[must_use]
    pub fn with_auth_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.others.push(path.into());
        self
    }

    /// Adds a provider, which is asked before all configuration.
    #[must_use]
    pub fn with_provider(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.providers.push(provider);
        self
    }

    /// Sets the helper, by its suffix such as `secretservice`, that [`Credentials::store`] uses and
    /// configures if the configuration has no credentials yet.
    #[must_use]
    pub fn with_default_helper(mut self, suffix: impl Into<String>) -> Self {
        self.default_helper = Some(suffix.into());
        self
    }

    /// Sets the notifier for slow credential helpers and their messages: a helper may wait for the
    /// user.
    #[must_use]
    pub fn with_notifier(mut self, notifier: Notifier) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// Returns the directory of the configuration.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Returns the credential for a registry, by host and port; anonymous if there is none. Docker
    /// Hub is `docker.io`, `index.docker.io` or `registry-1.docker.io`. If only a part of the
    /// registry has credentials, they are used for the whole registry, as docker does.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be read, or its helper fails.
    pub async fn get(&self, registry: &str) -> Result<Credential, Error> {
        let repository = None;
        self.look_up(Asked {
            registry,
            repository,
        })
        .await
    }

    /// Returns the credential for a repository, named without its registry (`library/alpine`): that
    /// of the longest matching path, else that of the registry.
    ///
    /// # Errors
    ///
    /// As [`Credentials::get`].
    pub async fn get_for(&self, registry: &str, repository: &str) -> Result<Credential, Error> {
        let repository = Some(repository);
        self.look_up(Asked {
            registry,
            repository,
        })
        .await
    }

    async fn look_up(&self, asked: Asked<'_>) -> Result<Credential, Error> {
        for provider in &self.providers {
            let provided = provider.credential(asked.registry, asked.repository).await;
            let provided = provided.map_err(|source| Error::Provider {
                registry: asked.registry.to_owned(),
                source,
            })?;
            if let Some(found) = provided {
                return Ok(found);
            }
        }
        if let Some(config) = &self.environment
            && let Some(found) = self.look_up_in(config, asked).await?
        {
            return Ok(found);
        }
        for path in self.file().iter().chain(&self.others) {
            let config = read(path).await?;
            if let Some(found) = self.look_up_in(&config, asked).await? {
                return Ok(found);
            }
        }
        Ok(Credential::default())
    }

    async fn look_up_in(
        &self,
        config: &Config,
        asked: Asked<'_>,
    ) -> Result<Option<Credential>, Error> {
        for part in asked.parts() {
            // Helpers are not run for every folder of a path; an empty entry marks a part that they
            // store.
            if config.has(&part)
                && let Some(found) = self.kept(config, &part).await?
            {
                return Ok(Some(found));
            }
        }
        for (place, name) in asked.whole().into_iter().enumerate() {
            // Helpers store Docker Hub under the first of its names.
            if (place == 0 || config.has(name) || config.has_own_helper(name))
                && let Some(found) = self.kept(config, name).await?
            {
                return Ok(Some(found));
            }
            if config.helper(name).is_none()
                && let Some(other) = config.other_name(name)
                && let Some(found) = self.kept(config, other).await?
            {
                return Ok(Some(found));
            }
        }
        match config.any_part(asked.registry) {
            Some(part) if asked.repository.is_none() => self.kept(config, part).await,
            _ => Ok(None),
        }
    }

    /// Returns the credential that the configuration or its helper stores under exactly this key.
    async fn kept(&self, config: &Config, key: &str) -> Result<Option<Credential>, Error> {
        let stored = config.stored(key);
        let credential = match config.helper(key) {
            None => stored?.unwrap_or_default(),
            // An entry beside a helper is outdated, except for its registry token.
            Some(helper) => Credential {
                registry_token: stored.ok().flatten().unwrap_or_default().registry_token,
                ..self.ask_helper(helper, key).await?.unwrap_or_default()
            },
        };
        Ok(Some(credential).filter(|credential| !credential.is_anonymous()))
    }

    /// Runs the helper or returns its cached answer. Only one helper runs at a time, because some
    /// fail otherwise.
    async fn ask_helper(&self, suffix: &str, key: &str) -> Result<Option<Credential>, Error> {
        let mut answers = self.helper_answers.lock().await;
        let question = (suffix.to_owned(), key.to_owned());
        if let Some((asked, answer)) = answers.get(&question)
            && asked.elapsed() < HELPER_ANSWER
        {
            return Ok(answer.clone());
        }
        let answer = self.helper(suffix, key).get().await?;
        answers.insert(question, (Instant::now(), answer.clone()));
        Ok(answer)
    }

    pub(super) fn helper<'a>(&'a self, suffix: &'a str, key: &'a str) -> Helper<'a> {
        Helper {
            directory: self.helpers.as_deref(),
            suffix,
            key,
            quiet: NOTIFY_AFTER,
            notifier: self.notifier.as_ref(),
        }
    }

    /// Returns the path of Docker's configuration file.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|folder| folder.join(FILE))
    }
}

pub(super) async fn read(path: &Path) -> Result<Config, Error> {
    let path = path.to_owned();
    blocking(move || config_file::read_config(&path)).await
}

#[cfg(test)]
mod tests;
