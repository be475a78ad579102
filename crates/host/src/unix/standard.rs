//! The standard streams of the process.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::FileType;
use tokio::net::unix::pipe;

pub use crate::connected::Connected;

/// Returns the type of stdin.
///
/// # Errors
/// If it is closed.
pub fn input() -> io::Result<Connected> {
    connected(io::stdin())
}

/// Returns the type of stdout.
///
/// # Errors
/// If it is closed.
pub fn output() -> io::Result<Connected> {
    connected(io::stdout())
}

/// Returns the path of an open file descriptor. Windows has none.
pub fn descriptor(number: u32) -> Option<PathBuf> {
    Some(PathBuf::from(format!("/dev/fd/{number}")))
}

fn connected(stream: impl AsFd) -> io::Result<Connected> {
    let found = rustix::fs::fstat(stream)?;
    Ok(match FileType::from_raw_mode(found.st_mode) {
        FileType::Fifo => Connected::Pipe,
        FileType::Socket => Connected::Socket,
        _ => Connected::Other,
    })
}

/// Returns stdin and stdout, two pipes, as async streams without a thread of their own.
///
/// # Errors
/// If one of them is not a pipe.
pub fn pipes() -> io::Result<(pipe::Receiver, pipe::Sender)> {
    let own = |stream: &dyn AsFd| -> io::Result<OwnedFd> { stream.as_fd().try_clone_to_owned() };
    Ok((
        pipe::Receiver::from_owned_fd(own(&io::stdin())?)?,
        pipe::Sender::from_owned_fd(own(&io::stdout())?)?,
    ))
}
