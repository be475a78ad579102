//! Questions at the terminal; secret answers are not echoed. Callers must watch for Ctrl-C and then
//! drop the question, which restores the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Failure;
use super::terminal::talk;

/// Why a question has no answer.
pub(crate) enum NotAsked {
    /// Stdin is not a terminal.
    NoTerminal,
    /// The terminal cannot be used.
    Failed(Failure),
}

/// Asks for a line.
pub(crate) async fn line(question: &str) -> Result<String, NotAsked> {
    ask(question).await
}

/// Asks for a line that is not echoed.
pub(crate) async fn secret(question: &str) -> Result<String, NotAsked> {
    if !io::stdin().is_terminal() {
        return Err(NotAsked::NoTerminal);
    }
    let quiet = Quiet::new().map_err(|error| failed(&error.into()))?;
    let answer = ask(question).await;
    drop(quiet);
    // The newline was not echoed either.
    talk("\n");
    answer
}

/// Longer than any answer, in bytes.
const LINE: u64 = 1 << 16;

async fn ask(question: &str) -> Result<String, NotAsked> {
    if !io::stdin().is_terminal() {
        return Err(NotAsked::NoTerminal);
    }
    talk(question);
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin()
            .lock()
            .take(LINE)
            .read_line(&mut line)
            .map(|_| line)
    });
    match read.await {
        Ok(Ok(line)) => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(NotAsked::Failed(Failure::silent(1))),
    }
}

fn failed(error: &io::Error) -> NotAsked {
    NotAsked::Failed(Failure::new(format!("cannot ask at the terminal: {error}")))
}

/// Turns the terminal's echo off until this is dropped.
struct Quiet {
    before: Termios,
}

impl Quiet {
    fn new() -> rustix::io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing can be done if the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
