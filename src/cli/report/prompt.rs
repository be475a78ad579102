//! Questions at the terminal; secret answers are not echoed. Callers must watch for Ctrl-C and then
//! drop the question, which restores the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use solvekit_host::terminal::{Hidden, read_line};

use super::Failure;
use super::terminal::{print_text, talk};
use crate::cli::identity::Identity;

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

/// Asks for confirmation, even without a terminal. buildx asks on stdout, and prints nothing after
/// a no.
pub(crate) fn confirmed(question: &str, identity: Identity) -> Result<bool, Failure> {
    let question = format!("{question} [y/N] ");
    match identity {
        Identity::Buildx => print_text(&question)?,
        Identity::Solvekit | Identity::Buildctl => talk(&question),
    }
    let mut answer = String::new();
    let read = io::stdin().lock().take(LINE).read_line(&mut answer);
    let is_yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if identity != Identity::Buildx {
        if matches!(read, Ok(0) | Err(_)) {
            talk("\n");
        }
        if !is_yes {
            talk("nothing was removed; -f removes without asking\n");
        }
    }
    Ok(is_yes)
}

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
