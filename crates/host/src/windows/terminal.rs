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
    // AltGr, which types `@` and `{` on many keyboards, is Ctrl and Alt together.
    let is_control =
        key.modifiers.contains(KeyModifiers::CONTROL) && !key.modifiers.contains(KeyModifiers::ALT);
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
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let bytes = io::stdin().lock().bytes().take(limit);
    line_of(bytes, IS_RAW.load(Ordering::SeqCst))
}

/// Returns the text up to the end of the line. A console in raw mode does not edit the line.
fn line_of(bytes: impl Iterator<Item = io::Result<u8>>, is_raw: bool) -> io::Result<String> {
    const CTRL_C: u8 = 3;
    const BACKSPACE: u8 = 8;
    const DELETE: u8 = 0x7f;
    let mut line = Vec::new();
    for byte in bytes {
        match byte? {
            b'\n' => break,
            b'\r' if is_raw => break,
            CTRL_C if is_raw => return Err(io::ErrorKind::Interrupted.into()),
            BACKSPACE | DELETE if is_raw => remove_last(&mut line),
            byte => line.push(byte),
        }
    }
    let line = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(line.trim_end_matches('\r').to_owned())
}

/// Removes the last character, with all its bytes.
fn remove_last(line: &mut Vec<u8>) {
    let is_inner = |byte: u8| byte & 0xc0 == 0x80;
    while line.pop().is_some_and(is_inner) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(code: KeyCode, modifiers: KeyModifiers) -> Vec<u8> {
        bytes(KeyEvent::new(code, modifiers))
    }

    fn line(typed: &str, is_raw: bool) -> io::Result<String> {
        line_of(typed.bytes().map(Ok), is_raw)
    }

    #[test]
    fn keys_are_the_bytes_of_a_unix_terminal() {
        for (code, expected) in [
            (KeyCode::Char('a'), "a"),
            (KeyCode::Char('ü'), "ü"),
            (KeyCode::Enter, "\r"),
            (KeyCode::Backspace, "\x7f"),
            (KeyCode::Up, "\x1b[A"),
            (KeyCode::Delete, "\x1b[3~"),
            (KeyCode::F(1), ""),
        ] {
            assert_eq!(sent(code, KeyModifiers::NONE), expected.as_bytes());
        }
        for (letter, expected) in [('c', 3), ('C', 3), ('d', 4), ('[', 27)] {
            let sent = sent(KeyCode::Char(letter), KeyModifiers::CONTROL);
            assert_eq!(sent, [expected], "{letter}");
        }
    }

    #[test]
    fn alt_gr_types_a_character() {
        for letter in ['@', '{', '\\', '€'] {
            let sent = sent(
                KeyCode::Char(letter),
                KeyModifiers::CONTROL | KeyModifiers::ALT,
            );
            assert_eq!(sent, letter.to_string().into_bytes());
        }
    }

    #[test]
    fn a_hidden_line_is_edited() {
        assert_eq!(line("secret\r", true).unwrap(), "secret");
        assert_eq!(line("sü\x08\x08\x7f\x08okay\rmore", true).unwrap(), "okay");
        assert_eq!(line("a€\x7fb\r", true).unwrap(), "ab");
        let error = line("sec\x03", true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn a_line_of_a_file_is_verbatim() {
        assert_eq!(
            line("a\x08\x03b\x7f\r\nmore", false).unwrap(),
            "a\x08\x03b\x7f"
        );
        let error = line_of([Ok(0xff)].into_iter(), false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
