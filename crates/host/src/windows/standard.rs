//! The standard streams of the process. Only BuildKit connects pipes with a protocol to them, and
//! it does not run this program on Windows.

use std::io;
use std::path::PathBuf;

/// What a standard stream is connected with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// A pipe.
    Pipe,
    /// A socket.
    Socket,
    /// Anything else, such as a terminal or a file.
    Other,
}

/// Tells what stdin is: Windows does not tell.
///
/// # Errors
/// None on Windows.
pub fn input() -> io::Result<Connected> {
    Ok(Connected::Other)
}

/// Tells what stdout is: Windows does not tell.
///
/// # Errors
/// None on Windows.
pub fn output() -> io::Result<Connected> {
    Ok(Connected::Other)
}

/// Returns the path that stands for an open file descriptor: Windows has none.
pub fn descriptor(_number: u32) -> Option<PathBuf> {
    None
}

/// Returns stdin and stdout as async streams.
///
/// # Errors
/// None on Windows.
pub fn pipes() -> io::Result<(tokio::io::Stdin, tokio::io::Stdout)> {
    Ok((tokio::io::stdin(), tokio::io::stdout()))
}
