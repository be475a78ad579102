//! Credential helpers: programs named `docker-credential-SUFFIX` that store credentials elsewhere.
//!
//! Requests and answers go over stdin and stdout, never through arguments, which other users can
//! see.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::process::Command;

use super::{Credential, Error, Notifier, Secret};
use crate::text::one_line;

/// The largest answer that is read, in bytes.
const ANSWER: u64 = 1 << 20;
/// The number of bytes of stderr that are kept.
const STDERR_LIMIT: usize = 4 << 10;
/// The number of characters shown of a failed helper's message.
const SHOWN: usize = 500;
/// After this time the user is notified: the helper may need a PIN, a browser or a device code.
pub(super) const NOTIFY_AFTER: Duration = Duration::from_secs(3);
/// The stdout of a failing helper that has no credentials for the key.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The time for which stderr is still read after the helper has exited.
const STDERR_GRACE: Duration = Duration::from_millis(100);
/// The user name that marks an identity token in a helper's answer.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Secret,
}

/// A helper and one key of its credentials.
pub(super) struct Helper<'a> {
    /// The directory of the helpers; `None` for PATH.
    pub(super) directory: Option<&'a Path>,
    /// The helper's suffix from the configuration.
    pub(super) suffix: &'a str,
    /// The key of the credentials.
    pub(super) key: &'a str,
    /// After this time the notifier is called.
    pub(super) quiet: Duration,
    /// Called when the helper takes long.
    pub(super) notifier: Option<&'a Notifier>,
}

impl Helper<'_> {
    /// Returns the credentials; `None` if the helper has none.
    pub(super) async fn get(&self) -> Result<Option<Credential>, Error> {
        let output = self.run("get", self.key.as_bytes()).await?;
        let Some(output) = output.into_answer(|output| self.failed(output))? else {
            return Ok(None);
        };
        // serde's message could quote the answer, which contains a secret.
        let answer: Answer = serde_json::from_slice(&output)
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

    /// Stores the credentials in the helper.
    pub(super) async fn store(&self, credential: &Credential) -> Result<(), Error> {
        let (user, secret) = match credential.identity_token.is_empty() {
            true => (credential.username.as_str(), &credential.password),
            false => (TOKEN_USER, &credential.identity_token),
        };
        let request =
            serde_json::json!({"ServerURL": self.key, "Username": user, "Secret": secret.expose()});
        let output = self.run("store", request.to_string().as_bytes()).await?;
        output.into_answer(|output| self.failed(secret.redact(&output)))?;
        Ok(())
    }

    /// Removes the credentials from the helper, if any.
    pub(super) async fn erase(&self) -> Result<(), Error> {
        let output = self.run("erase", self.key.as_bytes()).await?;
        output.into_answer(|output| self.failed(output))?;
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

    async fn run(&self, action: &str, input: &[u8]) -> Result<HelperOutput, Error> {
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

    /// Runs the helper without a time limit. It is killed if the caller is cancelled.
    async fn converse(
        &self,
        program: &Path,
        action: &str,
        input: &[u8],
    ) -> std::io::Result<HelperOutput> {
        let mut child = Command::new(program)
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper may answer without reading its input.
            let _ = stdin.write_all(input).await;
        }
        let mut complaint = Complaint::default();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, status) = {
            let answer = async {
                let mut bytes = Vec::new();
                if let Some(output) = stdout {
                    // Reading stops at the limit.
                    output.take(ANSWER).read_to_end(&mut bytes).await?;
                }
                Ok::<_, std::io::Error>((bytes, child.wait().await?))
            };
            let listening = self.listen(stderr, &mut complaint);
            let (mut answer, mut listening) = (std::pin::pin!(answer), std::pin::pin!(listening));
            tokio::select! {
                answered = &mut answer => {
                    // Its last output may still be in the pipe, which its children can hold open.
                    let _ = tokio::time::timeout(STDERR_GRACE, listening).await;
                    answered?
                }
                () = &mut listening => answer.await?,
            }
        };
        Ok(HelperOutput {
            status,
            stdout,
            stderr: complaint.text,
        })
    }

    /// Collects the helper's stderr. After a while each line is forwarded at once, because it may
    /// contain instructions for the user. Returns at the end of stderr, after calling the notifier.
    async fn listen(&self, stderr: Option<impl AsyncRead + Unpin>, complaint: &mut Complaint) {
        let mut lines = stderr.map(|stderr| BufReader::new(stderr.take(ANSWER)).split(b'\n'));
        let mut quiet = std::pin::pin!(tokio::time::sleep(self.quiet));
        let mut is_notified = false;
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
                        if is_notified {
                            self.tell(&line);
                        }
                        complaint.add(&line);
                    }
                    None if is_notified => return,
                    None => lines = None,
                },
                () = &mut quiet, if !is_notified => {
                    is_notified = true;
                    self.tell(&format!(
                        "waiting for the credential helper {} ({})",
                        one_line(&self.program()),
                        one_line(self.key)
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

/// The beginning of a helper's stderr.
#[derive(Default)]
struct Complaint {
    text: String,
}

impl Complaint {
    fn add(&mut self, line: &str) {
        if self.text.len() < STDERR_LIMIT {
            self.text.extend(line.chars().take(STDERR_LIMIT));
            self.text.push('\n');
        }
    }
}

/// A helper's output and exit status.
struct HelperOutput {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: String,
}

impl HelperOutput {
    /// Returns the answer; `None` if the helper has nothing under the key.
    fn into_answer(self, failed: impl Fn(String) -> Error) -> Result<Option<Vec<u8>>, Error> {
        if self.status.success() {
            return Ok(Some(self.stdout));
        }
        let output = String::from_utf8_lossy(&self.stdout);
        match output.trim() {
            NOT_FOUND => Ok(None),
            output => {
                let output = [output, &self.stderr]
                    .into_iter()
                    .flat_map(|text| text.lines());
                let output: Vec<&str> = output
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .collect();
                Err(failed(match output.is_empty() {
                    true => self.status.to_string(),
                    false => output.join("; ").chars().take(SHOWN).collect(),
                }))
            }
        }
    }
}
