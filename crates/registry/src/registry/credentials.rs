//! Whose name and password a registry gets: Docker's configuration and podman's, asked anew each time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::config::Config;
use super::config_file;
use super::helper::{Helper, QUIET};
use super::keys::Asked;
use super::{Error, Notifier, Secret};
use crate::task::blocking;

/// How long the answer of a helper is good. Within a build the daemon asks many times for the same registry; the tokens
/// that some helpers give live for five minutes.
const HELPER_ANSWER: Duration = Duration::from_secs(60);
/// Docker's configuration, in its directory.
const FILE: &str = "config.json";

/// A helper's suffix and a key.
type Question = (String, String);

/// What a registry is told about who asks. All fields empty: nobody in particular.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// The user's name.
    pub username: String,
    /// The password, or an access token in its place.
    pub password: Secret,
    /// A refresh token of the registry's token server, used in place of name and password.
    pub identity_token: Secret,
    /// A bearer token to be used as it is.
    pub registry_token: Secret,
}

impl Credential {
    /// A name and a password.
    pub fn of_user(username: impl Into<String>, password: Secret) -> Self {
        Self {
            username: username.into(),
            password,
            ..Self::default()
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_anonymous(&self) -> bool {
        self == &Self::default()
    }
}

/// Where credentials come from: `DOCKER_AUTH_CONFIG` first, then the helpers and entries of `config.json`, then podman's
/// files. In each, what is kept for a part of a registry (`registry/team`) goes before what is kept for all of it.
///
/// The files are read at every question, so a login during a long build counts. Helpers are run one at a time, for as long as they
/// take, and asked again after a minute. One that nobody waits for any more is killed.
///
/// ```no_run
/// # async fn example() -> Result<(), solvekit_registry::registry::Error> {
/// use solvekit_registry::registry::Credentials;
///
/// let credentials = Credentials::new("/home/me/.docker").with_auth_file("/run/user/1000/containers/auth.json");
/// let credential = credentials.get_for("docker.io", "me/app").await?;
/// println!("{}", credential.username);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Credentials {
    pub(super) directory: Option<PathBuf>,
    environment: Option<Config>,
    /// Podman's files, asked in their order.
    others: Vec<PathBuf>,
    /// Where helpers are, if not on PATH.
    pub(super) helpers: Option<PathBuf>,
    pub(super) default_helper: Option<String>,
    notifier: Option<Notifier>,
    pub(super) helper_answers: Mutex<HashMap<Question, (Instant, Option<Credential>)>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("directory", &self.directory)
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// The credentials of the `config.json` in the directory (`$DOCKER_CONFIG`, usually `~/.docker`). It need not exist.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            ..Self::default()
        }
    }

    /// No credentials, for any registry.
    pub fn none() -> Self {
        Self::default()
    }

    /// Puts the JSON of `DOCKER_AUTH_CONFIG` before everything else: `{"auths": {REGISTRY: {"auth": BASE64}}}`.
    ///
    /// # Errors
    ///
    /// When it is no such JSON, or an entry has no credentials.
    pub fn with_auth_config(mut self, json: &str) -> Result<Self, Error> {
        let config = Config::parse(json.as_bytes(), "DOCKER_AUTH_CONFIG")?;
        config.check()?;
        self.environment = Some(config.without_helpers());
        Ok(self)
    }

    /// Puts a file of podman's (`auth.json`, containers-auth.json(5)) behind everything that there is. It need not exist.
    #[must_use]
    pub fn with_auth_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.others.push(path.into());
        self
    }

    /// Names the helper that [`Credentials::store`] uses when the configuration keeps no credentials yet, and that it then
    /// makes the configuration's: its suffix, such as `secretservice`.
    #[must_use]
    pub fn with_default_helper(mut self, suffix: impl Into<String>) -> Self {
        self.default_helper = Some(suffix.into());
        self
    }

    /// Tells when a credential helper takes more than a moment, and what it says then: it may wait for the user.
    #[must_use]
    pub fn with_notifier(mut self, notifier: Notifier) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// The directory of the configuration.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The credential for a registry, by its host and port; anonymous when none is known. Docker Hub answers to
    /// `docker.io`, `index.docker.io` and `registry-1.docker.io`. Where there are only credentials for a part of it, they
    /// are taken for the whole, as docker does.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read, or the helper that it names fails.
    pub async fn get(&self, registry: &str) -> Result<Credential, Error> {
        let repository = None;
        self.look_up(Asked {
            registry,
            repository,
        })
        .await
    }

    /// The credential for a repository, which is named without the registry (`library/alpine`): that of the longest part of
    /// its path, else that of the registry.
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
            // Helpers are not asked for every folder of a path; what they keep has an empty entry.
            if config.has(&part)
                && let Some(found) = self.kept(config, &part).await?
            {
                return Ok(Some(found));
            }
        }
        for (place, name) in asked.whole().into_iter().enumerate() {
            // Of Docker Hub's names helpers know the first.
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

    /// What the configuration or its helper keeps under exactly that key.
    async fn kept(&self, config: &Config, key: &str) -> Result<Option<Credential>, Error> {
        let stored = config.stored(key);
        let credential = match config.helper(key) {
            None => stored?.unwrap_or_default(),
            // The entry beside a helper is a remainder, except for a registry token.
            Some(helper) => Credential {
                registry_token: stored.ok().flatten().unwrap_or_default().registry_token,
                ..self.ask_helper(helper, key).await?.unwrap_or_default()
            },
        };
        Ok(Some(credential).filter(|credential| !credential.is_anonymous()))
    }

    /// Asks the helper, or remembers what it said. Only one helper runs at a time: some fail otherwise.
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
            quiet: QUIET,
            notifier: self.notifier.as_ref(),
        }
    }

    /// Docker's configuration file.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|folder| folder.join(FILE))
    }
}

async fn read(path: &Path) -> Result<Config, Error> {
    let path = path.to_owned();
    blocking(move || config_file::read_config(&path)).await
}

#[cfg(test)]
mod tests;
