//! Runs `kubectl`, which uses the user's context, configuration and credentials.

use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use super::super::{ClusterRefusal, Error, KubectlProblem};

const PROGRAM: &str = "kubectl";
/// The timeout of a call.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The most characters of its output that are shown.
const SHOWN: usize = 1000;

/// `kubectl` for one cluster and namespace.
#[derive(Debug, Clone)]
pub(super) struct Kubectl {
    /// The kubeconfig file or list of files; `None` for the environment's.
    pub(super) kubeconfig: Option<String>,
    /// The namespace; `None` for that of the configuration's context.
    pub(super) namespace: Option<String>,
    pub(super) patience: Duration,
}

impl Kubectl {
    /// Runs `kubectl` with these arguments and returns its output. `action` describes the purpose
    /// for errors.
    pub(super) async fn run(&self, action: &str, arguments: &[&str]) -> Result<Vec<u8>, Error> {
        self.run_with(action, arguments, None).await
    }

    /// As `run`, with an object on standard input.
    pub(super) async fn run_with(
        &self,
        action: &str,
        arguments: &[&str],
        input: Option<&[u8]>,
    ) -> Result<Vec<u8>, Error> {
        let failed = |source| Error::Kubectl {
            action: action.to_owned(),
            source,
        };
        let run = self.output(arguments, input);
        let output = match tokio::time::timeout(self.patience, run).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NotOnPath {
                    program: PROGRAM.to_owned(),
                });
            }
            Ok(Err(error)) => return Err(failed(KubectlProblem::Start(error))),
            Err(_) => {
                let after = self.patience;
                return Err(failed(KubectlProblem::TimedOut { after }));
            }
        };
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = match error_text(&output.stderr) {
            text if text.is_empty() => output.status.to_string(),
            text => text,
        };
        let refusal = ClusterRefusal::in_message(&message);
        Err(failed(match self.missing_files() {
            Some(paths) if refusal.is_none() => KubectlProblem::NoKubeconfig { paths },
            _ => KubectlProblem::Failed { message, refusal },
        }))
    }

    /// Returns an object as JSON; `None` if the output is empty, because the object does not exist.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        action: &str,
        arguments: &[&str],
    ) -> Result<Option<T>, Error> {
        let get = ["get", "--ignore-not-found", "--output=json"];
        let arguments: Vec<&str> = get.iter().chain(arguments).copied().collect();
        let printed = self.run(action, &arguments).await?;
        if printed.trim_ascii().is_empty() {
            return Ok(None);
        }
        let parsed = serde_json::from_slice(&printed);
        parsed.map(Some).map_err(|error| Error::Kubectl {
            action: action.to_owned(),
            source: KubectlProblem::Answer(error),
        })
    }

    /// Starts a call whose output is read while it runs. It is killed when it is dropped.
    pub(super) fn spawn(&self, verb: &[&str], arguments: &[&str]) -> io::Result<Child> {
        let mut command = self.command();
        command.args(verb).args(arguments);
        command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    async fn output(&self, arguments: &[&str], input: Option<&[u8]>) -> io::Result<Output> {
        let stdin = match input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        };
        let mut command = self.command();
        let mut child = command
            .args(arguments)
            .stdin(stdin)
            .stderr(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let write = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // If it stops reading, its own output says why.
                let _ = stdin.write_all(input).await;
            }
        };
        let (output, ()) = tokio::join!(child.wait_with_output(), write);
        output
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        if let Some(namespace) = &self.namespace {
            command.arg(format!("--namespace={namespace}"));
        }
        command.stdout(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Returns the files of the kubeconfig list if none of them exists. `kubectl` then asks a
    /// cluster on this machine, and its message does not name them.
    fn missing_files(&self) -> Option<Vec<PathBuf>> {
        let list = self.kubeconfig.as_deref()?;
        let paths: Vec<PathBuf> = std::env::split_paths(list).collect();
        (!paths.iter().any(|path| path.exists())).then_some(paths)
    }
}

/// Returns the error output in one line, without log lines.
fn error_text(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let shown = crate::client::without_log_lines(&text);
    let shown = shown.join(" ");
    let shown = shown.strip_prefix("error: ").unwrap_or(&shown);
    shown.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_are_left_out_of_the_message() {
        let stderr = "E1121 15:04:05.678901    1234 memcache.go:265] couldn't get current server \
                      API \
                    group list\nThe connection to the server localhost:8080 was refused - did you \
                    specify the right host or port?\n";
        assert!(error_text(stderr.as_bytes()).starts_with("The connection to the server"));
        assert_eq!(error_text(b"error: no context\n"), "no context");
        assert_eq!(
            error_text(b"E1121 15:04:05 only this\n"),
            "E1121 15:04:05 only this"
        );
        assert_eq!(error_text(b""), "");
    }
}
