//! The standard streams of the process. Only BuildKit connects pipes with a protocol to them, and
//! it does not run this program on Windows.

use std::io;
use std::path::PathBuf;

pub use crate::connected::Connected;

/// Returns [`Connected::Other`] for stdin.
///
/// # Errors
/// None on Windows.
pub fn input() -> io::Result<Connected> {
    Ok(Connected::Other)
}

/// Returns [`Connected::Other`] for stdout.
///
/// # Errors
/// None on Windows.
pub fn output() -> io::Result<Connected> {
    Ok(Connected::Other)
}

/// Returns `None`: Windows has no paths of open file descriptors.
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
