//! Credential helpers: programs named `docker-credential-SUFFIX` that keep credentials elsewhere.
//!
//! What they are told and what they say goes over stdin and stdout, never through arguments, which everybody can see.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{Credential, Error, Secret};

/// Far more than any answer.
const ANSWER: u64 = 1 << 20;
/// What a helper says on stdout, failing, when it simply has no credentials.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name under which helpers give an identity token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Secret,
}

/// A helper, for what it keeps under one key.
pub(super) struct Helper<'a> {
    /// Where helpers are, if not on PATH.
    pub(super) directory: Option<&'a Path>,
    /// What the configuration calls it.
    pub(super) suffix: &'a str,
    /// Whose credentials.
    pub(super) key: &'a str,
    /// How long it has to answer.
    pub(super) limit: Duration,
}

impl Helper<'_> {
    /// Asks for the credentials. `None` when it has none.
    pub(super) async fn get(&self) -> Result<Option<Credential>, Error> {
        let said = self.run("get", self.key.as_bytes()).await?;
        let Some(said) = said.or_nothing(|said| self.failed(said))? else {
            return Ok(None);
        };
        // serde's message could quote the answer.
        let answer: Answer = serde_json::from_slice(&said)
            .map_err(|_| self.failed("its answer is not understood".to_owned()))?;
        Ok(Some(match answer.username.as_str() {
            TOKEN_USER => Credential {
                identity_token: answer.secret,
                ..Credential::default()
            },
            _ => Credential {
                username: answer.username,
                password: answer.secret,
                ..Credential::default()
            },
        }))
    }

    /// Gives it the credentials to keep.
    pub(super) async fn store(&self, credential: &Credential) -> Result<(), Error> {
        let (user, secret) = match credential.identity_token.is_empty() {
            true => (credential.username.as_str(), &credential.password),
            false => (TOKEN_USER, &credential.identity_token),
        };
        let told =
            serde_json::json!({"ServerURL": self.key, "Username": user, "Secret": secret.expose()});
        let said = self.run("store", told.to_string().as_bytes()).await?;
        said.or_nothing(|said| self.failed(secret.redact(&said)))?;
        Ok(())
    }

    /// Makes it forget the credentials; also when it has none.
    pub(super) async fn erase(&self) -> Result<(), Error> {
        let said = self.run("erase", self.key.as_bytes()).await?;
        said.or_nothing(|said| self.failed(said))?;
        Ok(())
    }

    fn program(&self) -> String {
        format!("docker-credential-{}", self.suffix)
    }

    fn failed(&self, message: String) -> Error {
        Error::HelperFailed {
            helper: self.program(),
            registry: self.key.to_owned(),
            message,
        }
    }

    async fn run(&self, action: &str, input: &[u8]) -> Result<Said, Error> {
        if self.suffix.contains('/') {
            return Err(self.failed("its name has a slash".to_owned()));
        }
        let program = match self.directory {
            Some(directory) => directory.join(self.program()),
            None => PathBuf::from(self.program()),
        };
        let (helper, registry) = (self.program(), self.key.to_owned());
        match tokio::time::timeout(self.limit, converse(&program, action, input)).await {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(source)) => Err(Error::RunHelper {
                helper,
                registry,
                source,
            }),
            Err(_) => Err(Error::HelperTimeout {
                helper,
                registry,
                seconds: self.limit.as_secs(),
            }),
        }
    }
}

/// What a helper said, and how it ended.
struct Said {
    status: ExitStatus,
    stdout: Vec<u8>,
}

impl Said {
    /// The answer; `None` when there is nothing under the key.
    fn or_nothing(self, failed: impl Fn(String) -> Error) -> Result<Option<Vec<u8>>, Error> {
        if self.status.success() {
            return Ok(Some(self.stdout));
        }
        let said = String::from_utf8_lossy(&self.stdout);
        match said.trim() {
            NOT_FOUND => Ok(None),
            said => Err(failed(
                first_line(said).unwrap_or_else(|| self.status.to_string()),
            )),
        }
    }
}

/// Runs the helper; it is killed when nobody waits for it any more.
async fn converse(program: &Path, action: &str, input: &[u8]) -> std::io::Result<Said> {
    let mut child = Command::new(program)
        .arg(action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper may answer without reading.
        let _ = stdin.write_all(input).await;
    }
    let mut stdout = Vec::new();
    if let Some(output) = child.stdout.take() {
        // One that says too much finds nobody listening any more.
        output.take(ANSWER).read_to_end(&mut stdout).await?;
    }
    let status = child.wait().await?;
    Ok(Said { status, stdout })
}

/// The first line of what a failing helper said, not too long.
fn first_line(said: &str) -> Option<String> {
    let line = said.lines().next().filter(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}
