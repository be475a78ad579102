//! Consoles: sizes, keys and modes.

use std::io::{self, IsTerminal as _, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

static IS_RAW: AtomicBool = AtomicBool::new(false);

/// True if [`read_keys`] can exceed its time limit, to wait for a whole line.
pub const READS_BLOCK: bool = true;

/// Returns columns and rows of the console at stdout.
pub fn output_size() -> Option<(u16, u16)> {
    io::stdout().is_terminal().then(size)?
}

/// Returns columns and rows of the console at stderr.
pub fn error_size() -> Option<(u16, u16)> {
    io::stderr().is_terminal().then(size)?
}

fn size() -> Option<(u16, u16)> {
    let size = crossterm::terminal::size().ok();
    size.filter(|(columns, rows)| *columns > 0 && *rows > 0)
}

/// A console that passes every key to this process, until this is dropped.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Changes the modes of the console.
    ///
    /// # Errors
    /// If stdin is not a console.
    pub fn set() -> io::Result<Self> {
        enable_raw_mode()?;
        IS_RAW.store(true, Ordering::SeqCst);
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Restores the modes of the console, if they are changed.
pub fn restore() {
    if IS_RAW.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
    }
}

/// Reads keys or other input from stdin, and returns the number of bytes. Waits at most `within`
/// for a key, and without a limit for input that is not from a console in raw mode. Returns `None`
/// without a key, and 0 at the end of the input.
///
/// # Errors
/// If stdin cannot be read.
pub fn read_keys(buffer: &mut [u8], within: Duration) -> io::Result<Option<usize>> {
    if !io::stdin().is_terminal() || !IS_RAW.load(Ordering::SeqCst) {
        return io::stdin().lock().read(buffer).map(Some);
    }
    if !poll(within)? {
        return Ok(None);
    }
    let bytes = match read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => bytes(key),
        _ => Vec::new(),
    };
    let length = bytes.len().min(buffer.len());
    buffer[..length].copy_from_slice(&bytes[..length]);
    Ok((length > 0).then_some(length))
}

/// Returns the bytes that a terminal of Unix sends for a key.
fn bytes(key: KeyEvent) -> Vec<u8> {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char(letter) if is_control && letter.is_ascii() => vec![letter as u8 & 0x1f],
        KeyCode::Char(letter) => letter.to_string().into_bytes(),
        KeyCode::Enter => b"\r".to_vec(),
        KeyCode::Backspace => b"\x7f".to_vec(),
        KeyCode::Tab => b"\t".to_vec(),
        KeyCode::Esc => b"\x1b".to_vec(),
        KeyCode::Up => b"\x1b[A".to_vec(),
        KeyCode::Down => b"\x1b[B".to_vec(),
        KeyCode::Right => b"\x1b[C".to_vec(),
        KeyCode::Left => b"\x1b[D".to_vec(),
        KeyCode::Home => b"\x1b[H".to_vec(),
        KeyCode::End => b"\x1b[F".to_vec(),
        KeyCode::Delete => b"\x1b[3~".to_vec(),
        KeyCode::PageUp => b"\x1b[5~".to_vec(),
        KeyCode::PageDown => b"\x1b[6~".to_vec(),
        _ => Vec::new(),
    }
}

/// A console that does not show typed text, until this is dropped.
#[derive(Debug)]
pub struct Hidden {
    _raw: Raw,
}

impl Hidden {
    /// Changes the modes of the console.
    ///
    /// # Errors
    /// If stdin is not a console.
    pub fn set() -> io::Result<Self> {
        Ok(Self { _raw: Raw::set()? })
    }
}

/// Reads a line of at most `limit` bytes, hidden or not, without its line ending. Blocks.
///
/// # Errors
/// If stdin cannot be read, or the line is not UTF-8; [`io::ErrorKind::Interrupted`] for Ctrl-C in
/// a hidden line.
pub fn read_line(limit: u64) -> io::Result<String> {
    const CTRL_C: u8 = 3;
    const BACKSPACE: u8 = 0x7f;
    let mut line = Vec::new();
    for byte in io::stdin()
        .lock()
        .bytes()
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
    {
        match byte? {
            b'\n' => break,
            b'\r' if IS_RAW.load(Ordering::SeqCst) => break,
            CTRL_C => return Err(io::ErrorKind::Interrupted.into()),
            // The console does not edit a hidden line.
            8 | BACKSPACE => drop(line.pop()),
            byte => line.push(byte),
        }
    }
    let line = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(line.trim_end_matches('\r').to_owned())
}
