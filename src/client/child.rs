//! Uses a child process's standard input and output as a byte stream. The child ends with the
//! stream. If it ends by itself, the error contains its standard error.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{ConnectProblem, Process, log_lines::without_log_lines, transport::BoxIo};

/// The number of last bytes of standard error that are kept; they usually name the cause.
const STDERR_KEPT: usize = 4096;
/// How long a child may take to exit after its standard output has ended.
const GRACE: Duration = Duration::from_secs(1);

/// The failure of a dialer's last child. The error of the stream itself can get lost: a request
/// that still waits for the connection learns only that it is closed.
#[derive(Debug, Clone, Default)]
pub(super) struct LastEnd(Arc<Mutex<End>>);

impl LastEnd {
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, end: &End) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone_from(end);
    }
}

/// Starts the program.
pub(super) fn open(process: &Process, last_end: &LastEnd) -> Result<BoxIo, ConnectProblem> {
    last_end.set(&None);
    let program = process.program();
    let mut command = Command::new(program);
    command
        .args(process.arguments())
        .envs(
            process
                .variables()
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Ctrl-C must only reach this program, which then ends the build over the child's connection.
    solvekit_host::process::separate(command.as_std_mut());
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ConnectProblem::NoProgram { program },
        _ => ConnectProblem::Program {
            program,
            reason: source.to_string(),
        },
    };
    let mut child = command.spawn().map_err(failed)?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(failed(io::Error::other("its pipes are missing")));
    };
    let (sender, end) = oneshot::channel();
    let (dropped, silent) = (CancellationToken::new(), CancellationToken::new());
    let ended = {
        let last_end = last_end.clone();
        move |end: End| {
            let end = end.map(|end| format!("{program} ended ({end})"));
            last_end.set(&end);
            let _ = sender.send(end);
        }
    };
    tokio::spawn(keep(child, stderr, dropped.clone(), silent.clone(), ended));
    Ok(Box::new(ChildStream {
        stdin: Some(stdin),
        stdout,
        end: Exit::Awaited(end),
        silent,
        _dropped: dropped.drop_guard(),
    }))
}

/// The error of a child that failed.
type End = Option<String>;

/// Waits for the child, so that it is reaped, and kills it when its stream is dropped.
async fn keep(
    mut child: Child,
    mut stderr: ChildStderr,
    dropped: CancellationToken,
    silent: CancellationToken,
    ended: impl FnOnce(End),
) {
    let mut stderr_end = Vec::new();
    let mut buffer = [0; 1024];
    let mut open = true;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            read = stderr.read(&mut buffer), if open => match read {
                Ok(0) | Err(_) => open = false,
                Ok(count) => keep_end(&mut stderr_end, &buffer[..count]),
            },
            () = dropped.cancelled() => {
                let _ = child.kill().await;
                return;
            }
            () = silence(&silent) => {
                let _ = child.kill().await;
                break child.wait().await;
            }
        }
    };
    while open {
        match tokio::time::timeout(GRACE / 4, stderr.read(&mut buffer)).await {
            Ok(Ok(count)) if count > 0 => keep_end(&mut stderr_end, &buffer[..count]),
            _ => open = false,
        }
    }
    let stderr_end = String::from_utf8_lossy(&stderr_end);
    let stderr_end = without_log_lines(&stderr_end).join("\n");
    ended(match status {
        Ok(status) if status.success() && stderr_end.is_empty() => None,
        Ok(status) if stderr_end.is_empty() => Some(status.to_string()),
        Ok(status) => Some(format!("{status}: {stderr_end}")),
        Err(error) => Some(error.to_string()),
    });
}

async fn silence(silent: &CancellationToken) {
    silent.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

fn keep_end(stderr_end: &mut Vec<u8>, bytes: &[u8]) {
    stderr_end.extend_from_slice(bytes);
    let surplus = stderr_end.len().saturating_sub(STDERR_KEPT);
    stderr_end.drain(..surplus);
}

struct ChildStream {
    /// `None` after the last write.
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    end: Exit,
    silent: CancellationToken,
    _dropped: DropGuard,
}

/// The child's end. It is kept: whether the reader or the writer notices first, both get the error.
enum Exit {
    Awaited(oneshot::Receiver<End>),
    Known(End),
}

impl ChildStream {
    /// Turns the child's end into an error.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.silent.cancel();
        if let Exit::Awaited(end) = &mut self.end {
            let end = ready!(Pin::new(end).poll(cx));
            self.end = Exit::Known(end.ok().flatten());
        }
        Poll::Ready(match &self.end {
            Exit::Awaited(_) | Exit::Known(None) => Ok(()),
            Exit::Known(Some(failure)) => Err(io::Error::other(failure.clone())),
        })
    }
}

impl AsyncRead for ChildStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(cx, buffer))?;
        match buffer.filled().len() == before && buffer.remaining() > 0 {
            true => self.poll_end(cx),
            false => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for ChildStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(stdin) = &mut self.stdin else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        match ready!(Pin::new(stdin).poll_write(cx, bytes)) {
            Ok(count) => Poll::Ready(Ok(count)),
            // The child's exit tells why it stopped reading.
            Err(error) => match ready!(self.poll_end(cx)) {
                Ok(()) => Poll::Ready(Err(error)),
                Err(told) => Poll::Ready(Err(told)),
            },
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Closing the pipe ends the child's input.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}
