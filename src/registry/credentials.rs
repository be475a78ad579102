//! Whose name and password a registry gets: Docker's configuration, asked anew each time.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::config::Config;
use super::{Error, Secret, helper};

/// The key of Docker Hub in configurations and helpers.
const HUB: &str = "https://index.docker.io/v1/";
/// How long the answer of a helper is good. Within a build the daemon asks many times for the same registry; the tokens
/// that some helpers give live for five minutes.
const HELPER_ANSWER: Duration = Duration::from_secs(60);

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
    /// Whether there is nothing to tell.
    pub fn is_anonymous(&self) -> bool {
        self == &Self::default()
    }
}

/// Where credentials come from: `DOCKER_AUTH_CONFIG` first, then the helpers and entries of `config.json`.
///
/// The file is read at every question, so a login during a long build counts. Helpers are run one at a time, and asked
/// again after a minute.
///
/// ```no_run
/// # async fn example() -> Result<(), solvekit::registry::Error> {
/// use solvekit::registry::Credentials;
///
/// let credentials = Credentials::new("/home/me/.docker");
/// let credential = credentials.get("docker.io").await?;
/// println!("{}", credential.username);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Credentials {
    directory: Option<PathBuf>,
    environment: Option<Config>,
    /// Where helpers are, if not on PATH.
    helpers: Option<PathBuf>,
    helper_answers: Mutex<HashMap<String, (Instant, Option<Credential>)>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("directory", &self.directory)
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
        self.environment = Some(config);
        Ok(self)
    }

    /// The directory of the configuration.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The credential for a registry, by its host and port; anonymous when none is known. Docker Hub answers to
    /// `docker.io`, `index.docker.io` and `registry-1.docker.io`.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read, or the helper that it names fails.
    pub async fn get(&self, registry: &str) -> Result<Credential, Error> {
        let key = match registry {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB,
            other => other,
        };
        if let Some(config) = &self.environment
            && let Some(credential) = config.stored(key)?
        {
            return Ok(credential);
        }
        let config = self.read().await?;
        let stored = config.stored(key);
        let Some(helper) = config.helper(key) else {
            return Ok(stored?.unwrap_or_default());
        };
        // The entry beside a helper is a remainder, except for a registry token.
        let registry_token = stored.ok().flatten().unwrap_or_default().registry_token;
        let kept = self.ask_helper(helper, key).await?.unwrap_or_default();
        Ok(Credential {
            registry_token,
            ..kept
        })
    }

    async fn read(&self) -> Result<Config, Error> {
        let Some(directory) = &self.directory else {
            return Ok(Config::default());
        };
        let path = directory.join("config.json");
        match tokio::fs::read(&path).await {
            Ok(json) => Config::parse(&json, &path.display().to_string()),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(Config::default())
            }
            Err(source) => Err(Error::ReadConfig { path, source }),
        }
    }

    /// Asks the helper, or remembers what it said. Only one helper runs at a time: some fail otherwise.
    async fn ask_helper(&self, suffix: &str, key: &str) -> Result<Option<Credential>, Error> {
        let mut answers = self.helper_answers.lock().await;
        let question = format!("{suffix} {key}");
        if let Some((asked, answer)) = answers.get(&question)
            && asked.elapsed() < HELPER_ANSWER
        {
            return Ok(answer.clone());
        }
        let answer = helper::get(self.helpers.as_deref(), suffix, key).await?;
        answers.insert(question, (Instant::now(), answer.clone()));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A configuration directory, with a helper `docker-credential-test` of the given script.
    fn configured(config: &str, script: &str) -> (tempfile::TempDir, Credentials) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.json"), config).unwrap();
        // Written by another process: a descriptor that is open for writing here could be inherited by a process that
        // another test starts at this moment, and then the script cannot be run.
        let install = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1/docker-credential-test"; chmod +x "$1/docker-credential-test""#;
        let installed = std::process::Command::new("sh")
            .args(["-c", install, "sh"])
            .arg(dir.path())
            .arg(script)
            .status();
        assert!(installed.unwrap().success());
        let mut credentials = Credentials::new(dir.path());
        credentials.helpers = Some(dir.path().to_owned());
        (dir, credentials)
    }

    // user:file
    const FILE: &str = r#"{"auths": {"r.example": {"auth": "dXNlcjpmaWxl"}, "https://index.docker.io/v1/": {"auth": "dXNlcjpmaWxl"}}}"#;
    const STORE: &str =
        r#"{"credsStore": "test", "auths": {"r.example": {"auth": "dXNlcjpmaWxl"}}}"#;

    #[tokio::test]
    async fn the_file_is_read_at_every_question() {
        let (dir, credentials) = configured(FILE, "exit 1");
        assert_eq!(
            credentials
                .get("r.example")
                .await
                .unwrap()
                .password
                .expose(),
            "file"
        );
        assert!(
            credentials
                .get("other.example")
                .await
                .unwrap()
                .is_anonymous()
        );
        fs::write(dir.path().join("config.json"), "{}").unwrap();
        assert!(credentials.get("r.example").await.unwrap().is_anonymous());
        fs::remove_file(dir.path().join("config.json")).unwrap();
        assert!(credentials.get("r.example").await.unwrap().is_anonymous());
    }

    #[tokio::test]
    async fn docker_hub_has_one_entry_under_all_its_names() {
        let (_dir, credentials) = configured(FILE, "exit 1");
        for name in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
            assert_eq!(
                credentials.get(name).await.unwrap().username,
                "user",
                "{name}"
            );
        }
    }

    #[tokio::test]
    async fn the_environment_wins_and_the_file_fills_in() {
        let (_dir, credentials) = configured(FILE, "exit 1");
        // me:env
        let json = r#"{"auths": {"r.example": {"auth": "bWU6ZW52"}}}"#;
        let credentials = credentials.with_auth_config(json).unwrap();
        assert_eq!(
            credentials
                .get("r.example")
                .await
                .unwrap()
                .password
                .expose(),
            "env"
        );
        assert_eq!(
            credentials
                .get("docker.io")
                .await
                .unwrap()
                .password
                .expose(),
            "file"
        );
        let error = Credentials::none()
            .with_auth_config(r#"{"auths": {"r.example": {}}}"#)
            .unwrap_err();
        assert!(matches!(error, Error::MalformedAuth { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_helper_is_told_the_key_and_its_answer_holds_for_a_while() {
        let script = r#"echo run >> "$(dirname "$0")/runs"; printf '{"Username":"%s","Secret":"s3cret"}' "$1-$(cat)""#;
        let (dir, credentials) = configured(STORE, script);
        for _ in 0..2 {
            let credential = credentials.get("docker.io").await.unwrap();
            assert_eq!(credential.username, "get-https://index.docker.io/v1/");
            assert_eq!(credential.password.expose(), "s3cret");
        }
        assert_eq!(
            fs::read_to_string(dir.path().join("runs")).unwrap(),
            "run\n"
        );
    }

    #[tokio::test]
    async fn a_helpers_token_is_an_identity_token() {
        let (_dir, credentials) =
            configured(STORE, r#"echo '{"Username":"<token>","Secret":"t"}'"#);
        let credential = credentials.get("r.example").await.unwrap();
        assert_eq!(
            (
                credential.username.as_str(),
                credential.identity_token.expose()
            ),
            ("", "t")
        );
    }

    #[tokio::test]
    async fn a_helper_without_credentials_leaves_none_and_a_broken_one_is_an_error() {
        let (_dir, credentials) = configured(
            STORE,
            "echo credentials not found in native keychain; exit 1",
        );
        assert!(credentials.get("r.example").await.unwrap().is_anonymous());

        let (_dir, credentials) = configured(STORE, "echo the store is locked; exit 1");
        let error = credentials.get("r.example").await.unwrap_err().to_string();
        assert_eq!(
            error,
            "the credential helper docker-credential-test failed for r.example: the store is locked"
        );

        let (_dir, credentials) =
            configured(STORE, "echo '{\"Username\":\"u\",\"Secret\":[\"s3cret\"]}'");
        let error = credentials.get("r.example").await.unwrap_err().to_string();
        assert!(error.ends_with("its answer is not understood"), "{error}");
    }

    #[tokio::test]
    async fn a_helper_that_is_not_installed_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join("config.json"),
            r#"{"credHelpers": {"r.example": "nowhere"}}"#,
        )
        .unwrap();
        let error = Credentials::new(dir.path())
            .get("r.example")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("docker-credential-nowhere"),
            "{error}"
        );
    }

    #[test]
    fn nothing_secret_is_printed() {
        let credential = Credential {
            username: "me".into(),
            password: Secret::new("s3cret"),
            ..Credential::default()
        };
        assert!(!format!("{credential:?}").contains("s3cret"));
        let json = r#"{"auths": {"r.example": {"auth": "bWU6ZW52"}}}"#;
        let credentials = Credentials::none().with_auth_config(json).unwrap();
        assert!(!format!("{credentials:?}").contains("bWU6ZW52"));
    }
}
