//! Processes in a container: input, output, the size of their terminal, signals, exit code.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{Bridge, Error, caps};
use crate::client::{AnswerProblem, Failure, failed};
use crate::llb::{Secret, Security};
use crate::proto::moby::buildkit::v1::frontend as proto;
use crate::proto::pb;
use crate::session;
use proto::exec_message::Input;

/// The most bytes of input in one message, as in the reference.
const PIECE: usize = 32 * 1024;
/// The most messages that wait to be sent.
const QUEUE: usize = 16;
/// The code of a process that was never started, or whose exit is unknown.
const UNKNOWN: u32 = 255;

/// A process to start.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ProcessRequest {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Variables as `NAME=value`. The daemon adds `PATH`, and `TERM` for a terminal.
    pub env: Vec<String>,
    /// The working directory; empty is `/`.
    pub cwd: String,
    /// The user; empty is root.
    pub user: String,
    /// True to give it a terminal. All its output is then standard output.
    pub terminal: bool,
    /// True if it may read standard input.
    pub input: bool,
    /// The security mode.
    pub security: Security,
    /// Secrets of the session that become variables.
    pub secret_env: Vec<Secret>,
}

/// A running process.
#[derive(Debug)]
pub struct Process {
    input: ProcessInput,
    answers: Streaming<proto::ExecMessage>,
    exit: Option<Exit>,
    /// The number of its output streams that are still open.
    open: usize,
}

/// The input of a process: standard input, terminal size, signals. Clones share it.
#[derive(Debug, Clone)]
pub struct ProcessInput {
    bridge: Bridge,
    process: String,
    messages: mpsc::Sender<proto::ExecMessage>,
}

/// A piece of a process's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessOutput {
    /// True for standard error.
    pub is_error: bool,
    /// The bytes.
    pub data: Bytes,
}

/// The exit of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct Exit {
    /// Its exit code; 255 also means that the process could not be started.
    pub code: i32,
    /// The daemon's failure, unless the code is 0.
    pub failure: Option<Failure>,
}

impl ProcessRequest {
    /// A process with these arguments, the program first.
    pub fn new(args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    fn into_message(self, container: &str) -> proto::InitMessage {
        let secrets = self.secret_env.into_iter().map(|secret| pb::SecretEnv {
            name: secret.env.unwrap_or_default(),
            id: secret.id,
            optional: secret.optional,
        });
        let security = match self.security {
            Security::Sandbox => pb::SecurityMode::Sandbox,
            Security::Insecure => pb::SecurityMode::Insecure,
        };
        let meta = pb::Meta {
            args: self.args,
            env: self.env,
            cwd: self.cwd,
            user: self.user,
            ..Default::default()
        };
        let streams: &[u32] = match (self.input, self.terminal) {
            (true, true) => &[0, 1],
            (false, true) => &[1],
            (true, false) => &[0, 1, 2],
            (false, false) => &[1, 2],
        };
        proto::InitMessage {
            container_id: container.to_owned(),
            meta: Some(meta),
            fds: streams.to_vec(),
            tty: self.terminal,
            security: security.into(),
            secretenv: secrets.collect(),
        }
    }
}

/// Starts a process in a container and waits until the daemon reports that it runs.
pub(super) async fn start(
    bridge: &Bridge,
    container: &str,
    request: &ProcessRequest,
) -> Result<Process, Error> {
    let call = "starting a process";
    if !request.secret_env.is_empty() {
        bridge.need(caps::EXEC_SECRET_ENV).await?;
    }
    let id = session::new_id()?;
    let (messages, queue) = mpsc::channel(QUEUE);
    let input = ProcessInput {
        bridge: bridge.clone(),
        process: format!("{container}:{id}"),
        messages,
    };
    let init = request.clone().into_message(container);
    input.send(Input::Init(init)).await?;
    let mut calls = bridge.calls();
    let started = calls.exec_process(bridge.request(ReceiverStream::new(queue)));
    let mut process = Process {
        input,
        answers: started.await.map_err(failed(call))?.into_inner(),
        exit: None,
        open: if request.terminal { 1 } else { 2 },
    };
    match process.message().await? {
        Some(Input::Started(_)) => Ok(process),
        Some(Input::Exit(exit)) => {
            process.exit = Some(Exit::new(exit));
            process.open = 0;
            Ok(process)
        }
        _ => Err(Error::invalid(
            call,
            AnswerProblem::Missing { part: "start" },
        )),
    }
}

impl Process {
    /// Returns the input of the process.
    pub fn input(&self) -> ProcessInput {
        self.input.clone()
    }

    /// Returns the next piece of output; `None` when the process has ended and everything was read.
    /// Cancelling loses no data.
    ///
    /// # Errors
    /// [`Error::Client`] if the connection breaks.
    pub async fn next(&mut self) -> Result<Option<ProcessOutput>, Error> {
        // The daemon ends the call only after standard input is closed too.
        while self.exit.is_none() || self.open > 0 {
            match self.message().await? {
                Some(Input::File(file)) => {
                    self.open -= usize::from(file.eof && self.open > 0);
                    if !file.data.is_empty() {
                        return Ok(Some(ProcessOutput {
                            is_error: file.fd == 2,
                            data: file.data.into(),
                        }));
                    }
                }
                Some(Input::Exit(exit)) => self.exit = Some(Exit::new(exit)),
                Some(Input::Done(_)) | None => break,
                Some(_) => {}
            }
        }
        Ok(None)
    }

    /// Returns the exit, which is known once [`Process::next`] has returned `None`.
    pub fn exit(&self) -> Option<&Exit> {
        self.exit.as_ref()
    }

    /// Discards the remaining output and waits for the exit.
    ///
    /// # Errors
    /// [`Error::Client`] if the connection breaks, or if the exit is never reported.
    pub async fn wait(mut self) -> Result<Exit, Error> {
        while self.next().await?.is_some() {}
        let lost = || {
            Error::invalid(
                "waiting for a process",
                AnswerProblem::Missing { part: "end" },
            )
        };
        self.exit.ok_or_else(lost)
    }

    async fn message(&mut self) -> Result<Option<Input>, Error> {
        let answer = self.answers.message().await;
        let answer = answer.map_err(failed("running a process"))?;
        Ok(answer.and_then(|message| message.input))
    }
}

impl Exit {
    fn new(message: proto::ExitMessage) -> Self {
        Self {
            code: i32::try_from(message.code).unwrap_or(i32::MAX),
            failure: message.error.map(Failure::from_proto),
        }
    }

    /// True if the process never ran, for example because the program does not exist.
    pub fn is_not_started(&self) -> bool {
        let has_code = |failure: &Failure| failure.exit_code().is_some();
        self.code == UNKNOWN.cast_signed() && !self.failure.as_ref().is_some_and(has_code)
    }
}

impl ProcessInput {
    /// Writes to standard input. Waits while the process reads nothing.
    ///
    /// # Errors
    /// [`Error::Client`] if the process has ended.
    pub async fn write(&self, data: &[u8]) -> Result<(), Error> {
        for piece in data.chunks(PIECE) {
            let file = proto::FdMessage {
                data: piece.to_vec(),
                ..Default::default()
            };
            self.send(Input::File(file)).await?;
        }
        Ok(())
    }

    /// Ends standard input.
    ///
    /// # Errors
    /// As [`ProcessInput::write`].
    pub async fn close(&self) -> Result<(), Error> {
        let end = proto::FdMessage {
            eof: true,
            ..Default::default()
        };
        self.send(Input::File(end)).await
    }

    /// Sets the size of the process's terminal.
    ///
    /// # Errors
    /// As [`ProcessInput::write`].
    pub async fn resize(&self, columns: u16, rows: u16) -> Result<(), Error> {
        let size = proto::ResizeMessage {
            rows: rows.into(),
            cols: columns.into(),
        };
        self.send(Input::Resize(size)).await
    }

    /// Sends a signal by its name: `SIGTERM` or `TERM`. The daemon ends the call if the name is
    /// unknown.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] for daemons before 0.11; as [`ProcessInput::write`].
    pub async fn signal(&self, name: &str) -> Result<(), Error> {
        self.bridge.need(caps::EXEC_SIGNALS).await?;
        let signal = proto::SignalMessage {
            // The daemon's names have no prefix (moby/sys/signal).
            name: name.strip_prefix("SIG").unwrap_or(name).to_owned(),
        };
        self.send(Input::Signal(signal)).await
    }

    async fn send(&self, input: Input) -> Result<(), Error> {
        let message = proto::ExecMessage {
            process_id: self.process.clone(),
            input: Some(input),
        };
        let sent = self.messages.send(message).await;
        sent.map_err(|_| Error::ProcessEnded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Code;

    fn exit(code: u32, message: &str) -> Exit {
        Exit::new(proto::ExitMessage {
            code,
            error: Some(Failure::new(Code::Unknown, message).to_proto()),
        })
    }

    #[test]
    fn a_program_that_is_missing_is_distinguished_from_one_that_ends_with_255() {
        let missing = "exec: \"x\": executable file not found in $PATH";
        assert!(exit(255, missing).is_not_started());
        let ended = "process \"x\" did not complete successfully: exit code: 255";
        assert!(!exit(255, ended).is_not_started());
        assert!(!exit(3, "exit code: 3").is_not_started());
    }

    #[test]
    fn a_terminal_has_one_output() {
        let mut request = ProcessRequest::new(["sh"]);
        assert_eq!(request.clone().into_message("c").fds, [1, 2]);
        request.input = true;
        assert_eq!(request.clone().into_message("c").fds, [0, 1, 2]);
        request.terminal = true;
        let message = request.into_message("c");
        assert_eq!((message.fds.as_slice(), message.tty), (&[0, 1][..], true));
    }
}
