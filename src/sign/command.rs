//! Signs with a program, such as `cosign`.

use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use super::Error;
use crate::oci::Reference;
use crate::steps::Step;

/// The most bytes of its output that are read.
const OUTPUT: u64 = 1 << 20;
/// The time to read its output after it has exited.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The placeholder for the image.
const IMAGE: &str = "{}";

/// A program and its arguments. `{}` in an argument is replaced by `REPOSITORY@DIGEST`; without it,
/// that becomes the last argument. No shell is involved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignCommand {
    program: String,
    arguments: Vec<String>,
}

impl SignCommand {
    /// Takes a program and its arguments.
    pub fn new(program: impl Into<String>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        Self {
            program: program.into(),
            arguments: arguments.collect(),
        }
    }

    /// `cosign sign --yes`, which takes keys and identities from its environment.
    pub fn cosign() -> Self {
        Self::new("cosign", &["sign", "--yes", IMAGE])
    }

    /// Splits a command line at white space; `None` if it is empty.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let program = words.next()?.to_owned();
        let arguments = words.map(str::to_owned).collect();
        Some(Self { program, arguments })
    }

    /// The program.
    pub fn program(&self) -> &str {
        &self.program
    }

    fn arguments(&self, image: &str) -> Vec<String> {
        let filled = self.arguments.iter();
        let mut arguments: Vec<String> = filled.map(|it| it.replace(IMAGE, image)).collect();
        if !self.arguments.iter().any(|it| it.contains(IMAGE)) {
            arguments.push(image.to_owned());
        }
        arguments
    }

    /// Runs it, and shows its output.
    pub(super) async fn run(&self, image: &Reference, step: &dyn Step) -> Result<(), Error> {
        let image = image.to_string();
        let failed = |source| Error::Start {
            program: self.program.clone(),
            source,
        };
        let mut child = Command::new(&self.program)
            .args(self.arguments(&image))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (ignored, last_line) = (Mutex::default(), Mutex::default());
        let status = {
            let shown = async {
                tokio::join!(show(out, step, &ignored), show(err, step, &last_line));
            };
            let mut shown = std::pin::pin!(shown);
            tokio::select! {
                () = &mut shown => child.wait().await,
                status = child.wait() => {
                    // A background process that it started can keep its outputs open.
                    let _ = tokio::time::timeout(LAST_WORDS, shown).await;
                    status
                }
            }
        };
        let status = status.map_err(failed)?;
        let last_line = last_line.into_inner().unwrap_or_default();
        match status.success() {
            true => Ok(()),
            false => Err(Error::Failed {
                program: self.program.clone(),
                image,
                status,
                last_line,
            }),
        }
    }
}

/// Shows the lines of an output, and stores the last one that is not empty.
async fn show(output: Option<impl AsyncRead + Unpin>, step: &dyn Step, last: &Mutex<String>) {
    let Some(mut output) = output else {
        return;
    };
    let mut lines = BufReader::new((&mut output).take(OUTPUT)).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if !line.is_empty() {
            step.log(line.clone());
            if let Ok(mut last) = last.lock() {
                *last = line;
            }
        }
    }
    // Read the rest too, so that the program does not block.
    let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Unseen;

    #[test]
    fn the_image_stands_where_it_is_wanted_or_last() {
        let image = "r.test/a@sha256:00";
        let arguments = |line: &str| SignCommand::parse(line).unwrap().arguments(image);
        assert_eq!(arguments("sign --x {} y"), ["--x", image, "y"]);
        assert_eq!(
            arguments("sign --ref=docker://{}"),
            [format!("--ref=docker://{image}")]
        );
        assert_eq!(arguments("sign -v"), ["-v", image]);
        assert_eq!(SignCommand::parse("  "), None);
    }

    #[tokio::test]
    async fn a_failure_has_the_last_line_and_the_status() {
        let image = Reference::parse("r.test/a:1").unwrap();
        let command = SignCommand::new("sh", &["-c", "echo no key >&2; exit 3", IMAGE]);
        let error = command.run(&image, &Unseen).await.unwrap_err();
        assert_eq!(error.to_string(), "sh failed (exit status: 3): no key");
        let absent = SignCommand::new("/no/such/program", &[]);
        let error = absent.run(&image, &Unseen).await.unwrap_err();
        assert!(matches!(error, Error::Start { .. }));
    }

    #[tokio::test]
    async fn a_program_that_leaves_an_agent_running_has_ended() {
        let image = Reference::parse("r.test/a:1").unwrap();
        let agent = "(sleep 60 >&2 &) ; echo bad key >&2; exit 4";
        let command = SignCommand::new("sh", &["-c", agent, IMAGE]);
        let started = std::time::Instant::now();
        let error = command.run(&image, &Unseen).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(30));
        assert!(
            error.to_string().ends_with("(exit status: 4): bad key"),
            "{error}"
        );
    }
}
