//! Credential helpers: programs named `docker-credential-SUFFIX` that keep credentials elsewhere.
//!
//! What they are told and what they say goes over stdin and stdout, never through arguments, which everybody can see.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::process::Command;

use super::{Credential, Error, Notifier, Secret};

/// Far more than any answer.
const ANSWER: u64 = 1 << 20;
/// As much of what it says on stderr as is kept.
const COMPLAINT: usize = 4 << 10;
/// As much of what a failing helper said as is shown, in characters.
const SHOWN: usize = 500;
/// After this time somebody may want to know what is waited for: a PIN, a browser, a device code.
pub(super) const QUIET: Duration = Duration::from_secs(3);
/// What a helper says on stdout, failing, when it simply has no credentials.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// How long a helper's stderr is read after it has ended.
const LAST_WORDS: Duration = Duration::from_millis(100);
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
    /// From when on it is told that the helper takes its time.
    pub(super) quiet: Duration,
    /// Is told that.
    pub(super) notifier: Option<&'a Notifier>,
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
        let conversation = self.converse(&program, action, input);
        conversation.await.map_err(|source| Error::RunHelper {
            helper: self.program(),
            registry: self.key.to_owned(),
            source,
        })
    }

    /// Runs the helper for as long as it takes; it is killed when nobody waits for it any more.
    async fn converse(&self, program: &Path, action: &str, input: &[u8]) -> std::io::Result<Said> {
        let mut child = Command::new(program)
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper may answer without reading.
            let _ = stdin.write_all(input).await;
        }
        let mut complaint = Complaint::default();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, status) = {
            let answer = async {
                let mut bytes = Vec::new();
                if let Some(output) = stdout {
                    // One that says too much finds nobody listening any more.
                    output.take(ANSWER).read_to_end(&mut bytes).await?;
                }
                Ok::<_, std::io::Error>((bytes, child.wait().await?))
            };
            let listening = self.listen(stderr, &mut complaint);
            let (mut answer, mut listening) = (std::pin::pin!(answer), std::pin::pin!(listening));
            tokio::select! {
                answered = &mut answer => {
                    // Its last words may still be on their way; what it started can hold the pipe
                    // open.
                    let _ = tokio::time::timeout(LAST_WORDS, listening).await;
                    answered?
                }
                () = &mut listening => answer.await?,
            }
        };
        Ok(Said {
            status,
            stdout,
            stderr: complaint.text,
        })
    }

    /// Keeps what the helper says on stderr. From a while on it is told at once: it may be what the
    /// user has to do. Returns when the helper says no more and the wait was told.
    async fn listen(&self, stderr: Option<impl AsyncRead + Unpin>, complaint: &mut Complaint) {
        let mut lines = stderr.map(|stderr| BufReader::new(stderr).split(b'\n'));
        let mut quiet = std::pin::pin!(tokio::time::sleep(self.quiet));
        let mut told = false;
        loop {
            let line = async {
                match &mut lines {
                    Some(lines) => lines.next_segment().await.ok().flatten(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                line = line => match line {
                    Some(line) => {
                        let line = String::from_utf8_lossy(&line).trim().to_owned();
                        if told {
                            self.tell(&line);
                        }
                        complaint.add(&line);
                    }
                    None if told => return,
                    None => lines = None,
                },
                () = &mut quiet, if !told => {
                    told = true;
                    self.tell(&format!(
                        "waiting for the credential helper {} ({})",
                        self.program(),
                        self.key
                    ));
                    complaint.text.lines().for_each(|line| self.tell(line));
                    if lines.is_none() {
                        return;
                    }
                }
            }
        }
    }

    fn tell(&self, line: &str) {
        if let Some(notifier) = self.notifier.filter(|_| !line.is_empty()) {
            notifier.tell(line);
        }
    }
}

/// The beginning of what a helper says on stderr.
#[derive(Default)]
struct Complaint {
    text: String,
}

impl Complaint {
    fn add(&mut self, line: &str) {
        if self.text.len() < COMPLAINT {
            self.text.extend(line.chars().take(COMPLAINT));
            self.text.push('\n');
        }
    }
}

/// What a helper said, and how it ended.
struct Said {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: String,
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
            said => {
                let said = [said, &self.stderr]
                    .into_iter()
                    .flat_map(|text| text.lines());
                let said: Vec<&str> = said
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .collect();
                Err(failed(match said.is_empty() {
                    true => self.status.to_string(),
                    false => said.join("; ").chars().take(SHOWN).collect(),
                }))
            }
        }
    }
}
