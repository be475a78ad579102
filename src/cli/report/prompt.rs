//! Questions at the terminal; secret answers are not echoed. Callers must watch for Ctrl-C and then
//! drop the question, which restores the terminal.

use std::io::{self, IsTerminal as _};

use solvekit_host::terminal::{Hidden, read_line};

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
    let hidden = Hidden::set().map_err(|error| failed(&error))?;
    let answer = ask(question).await;
    drop(hidden);
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
    let read = tokio::task::spawn_blocking(|| read_line(LINE));
    match read.await {
        Ok(Ok(line)) => Ok(line),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(NotAsked::Failed(Failure::silent(1))),
    }
}

fn failed(error: &io::Error) -> NotAsked {
    NotAsked::Failed(Failure::new(format!("cannot ask at the terminal: {error}")))
}
