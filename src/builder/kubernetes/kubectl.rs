//! Runs `kubectl`, which uses the user's context, configuration and credentials.

use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use super::super::{ClusterRefusal, Error, KubectlProblem};
use crate::client::ApiServer;

const PROGRAM: &str = "kubectl";
/// The timeout of a call.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The most characters of its output that are shown.
const SHOWN: usize = 1000;

/// The timeout of a call that asks no server.
const LOCAL: Duration = Duration::from_secs(5);

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
                return Err(failed(KubectlProblem::TimedOut {
                    after: self.patience,
                    server: Box::new(self.server().await),
                }));
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
            _ if refusal.is_none() && is_unreachable(&message) => KubectlProblem::Unreachable {
                server: Box::new(self.server().await),
                message,
            },
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

    /// Returns the server that `kubectl` asks, which it reads from the kubeconfig.
    async fn server(&self) -> ApiServer {
        let view = ["config", "view", "--minify", "--output=json"];
        let read = tokio::time::timeout(LOCAL, self.output(&view, None)).await;
        let printed = read.ok().and_then(Result::ok).map(|output| output.stdout);
        let parsed = serde_json::from_slice(&printed.unwrap_or_default());
        let config: Config = parsed.unwrap_or_default();
        let url = config
            .clusters
            .into_iter()
            .next()
            .map(|one| one.cluster.server);
        let stated = |text: String| (!text.is_empty()).then_some(text);
        ApiServer::new(url.and_then(stated), stated(config.current_context))
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

/// The part of a kubeconfig that names the server of the current context.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(rename = "current-context")]
    current_context: String,
    clusters: Vec<NamedCluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NamedCluster {
    cluster: ClusterConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClusterConfig {
    server: String,
}

/// True if a message of `kubectl` says that no server answers.
fn is_unreachable(message: &str) -> bool {
    let texts = [
        "The connection to the server",
        "Unable to connect to the server",
        "dial tcp",
        "i/o timeout",
        "TLS handshake timeout",
        "(Timeout)",
        "(ServiceUnavailable)",
    ];
    // A certificate that is not accepted comes from a server that answers.
    !message.contains("x509:") && texts.iter().any(|text| message.contains(text))
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
    fn a_server_that_does_not_answer_is_recognized_in_the_message() {
        for message in [
            "The connection to the server 10.0.0.1:6443 was refused - did you specify the right \
             host or port?",
            "Unable to connect to the server: dial tcp: lookup k8s.invalid: no such host",
            "Unable to connect to the server: net/http: TLS handshake timeout",
        ] {
            assert!(is_unreachable(message), "{message}");
        }
        for message in [
            "Unable to connect to the server: tls: failed to verify certificate: x509: certificate \
             signed by unknown authority",
            "context \"far\" does not exist",
        ] {
            assert!(!is_unreachable(message), "{message}");
        }
    }

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
