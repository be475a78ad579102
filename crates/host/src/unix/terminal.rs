//! Terminals: sizes, keys and modes.

use std::io::{self, BufRead as _, Read as _};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// The modes to restore, kept here for a process that exits at once. Locked while modes change and
/// while input is read: a read that starts in one mode could block in another.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// True if [`read_keys`] can exceed its time limit, to wait for a whole line.
pub const READS_BLOCK: bool = false;

/// Returns columns and rows of the terminal at stdout.
pub fn output_size() -> Option<(u16, u16)> {
    size(io::stdout())
}

/// Returns columns and rows of the terminal at stderr.
pub fn error_size() -> Option<(u16, u16)> {
    size(io::stderr())
}

fn size(stream: impl AsFd) -> Option<(u16, u16)> {
    let size = tcgetwinsize(stream).ok()?;
    Some((size.ws_col, size.ws_row)).filter(|(columns, rows)| *columns > 0 && *rows > 0)
}

/// A terminal that passes every key to this process, until this is dropped.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Changes the modes of the terminal.
    ///
    /// # Errors
    /// If stdin is not a terminal.
    pub fn set() -> io::Result<Self> {
        let mut saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        *saved = Some(before);
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Restores the modes of the terminal, if they are changed.
pub fn restore() {
    let mut saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = saved.take() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

/// Reads keys or other input from stdin, and returns the number of bytes. Waits at most `within`.
/// Returns `None` without input, and 0 at the end of the input.
///
/// # Errors
/// If stdin cannot be read.
pub fn read_keys(buffer: &mut [u8], within: Duration) -> io::Result<Option<usize>> {
    if !is_readable(within) {
        return Ok(None);
    }
    let _modes = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_readable(Duration::ZERO) {
        return Ok(None);
    }
    match rustix::io::read(io::stdin(), buffer) {
        Err(Errno::INTR | Errno::AGAIN) => Ok(None),
        read => Ok(Some(read?)),
    }
}

/// True if stdin has input, has ended, or cannot be polled.
fn is_readable(within: Duration) -> bool {
    let stdin = io::stdin();
    let mut waited = [PollFd::new(&stdin, PollFlags::IN)];
    let within = Timespec {
        tv_sec: within.as_secs().cast_signed(),
        tv_nsec: within.subsec_nanos().into(),
    };
    // If stdin cannot be polled, the read reports the cause.
    !matches!(poll(&mut waited, Some(&within)), Ok(0) | Err(Errno::INTR))
}

/// A terminal that does not show typed text, until this is dropped.
#[derive(Debug)]
pub struct Hidden {
    before: Termios,
}

impl Hidden {
    /// Changes the modes of the terminal.
    ///
    /// # Errors
    /// If stdin is not a terminal.
    pub fn set() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing is left to do if the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Reads a line of at most `limit` bytes, hidden or not, without its line ending. Blocks.
///
/// # Errors
/// If stdin cannot be read, or the line is not UTF-8.
pub fn read_line(limit: u64) -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(limit).read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\n', '\r']).len());
    Ok(line)
}
