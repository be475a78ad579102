//! Terminals: sizes, keys and modes.

use std::io::{self, BufRead as _, Read as _};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// The modes to restore, for a process that ends at once. Held while modes change and while what is
/// there is read: a read that begins in one mode could wait in another.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// True if [`read_keys`] can wait longer than it is told, for a whole line.
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

/// The terminal hands every key on, as long as this lives.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Changes the modes.
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

/// Reads what is typed, or comes on stdin, as far as it is there within a time. Returns `None` if
/// nothing is, and 0 at the end.
///
/// # Errors
/// What the system says.
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

/// True if stdin has something, or has ended.
fn is_readable(within: Duration) -> bool {
    let stdin = io::stdin();
    let mut waited = [PollFd::new(&stdin, PollFlags::IN)];
    let within = Timespec {
        tv_sec: within.as_secs().cast_signed(),
        tv_nsec: within.subsec_nanos().into(),
    };
    // What cannot be waited for is read, which tells why.
    !matches!(poll(&mut waited, Some(&within)), Ok(0) | Err(Errno::INTR))
}

/// A terminal that does not show what is typed, until this is dropped.
#[derive(Debug)]
pub struct Hidden {
    before: Termios,
}

impl Hidden {
    /// Changes the modes.
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
        // Nothing is left to do when the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Reads a line of at most `limit` bytes, hidden or not, without its end. Blocking.
///
/// # Errors
/// What the system says.
pub fn read_line(limit: u64) -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(limit).read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\n', '\r']).len());
    Ok(line)
}
