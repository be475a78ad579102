//! Errors of a transfer. Their text goes to the daemon, which ends the build with it, so it must be
//! complete.

use std::io;

use thiserror::Error;

use crate::session::PatternError;
use crate::session::stream::{BadFrame, Closed};

/// Why a transfer failed. Paths are relative to the sent directory.
#[derive(Debug, Error)]
pub(super) enum TransferError {
    #[error("invalid {list} patterns")]
    Pattern {
        list: &'static str,
        #[source]
        source: PatternError,
    },
    #[error("cannot {action} {path}{}", hint(source))]
    File {
        action: &'static str,
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("the paths that the build copies lead through too many symbolic links")]
    TooManyLinks,
    #[error("{path} is not a regular file any more")]
    NotRegular { path: String },
    #[error(
        "{path} changed while it was sent: {listed} bytes when it was listed, {read} when it was \
         read"
    )]
    Shrunk {
        path: String,
        listed: u64,
        read: u64,
    },
    #[error("the daemon asked for more files than the {listed} that it was told of")]
    AskedTooMuch { listed: usize },
    #[error("the daemon asked for file {id}, which it was not told of")]
    UnknownFile { id: u32 },
    #[error("there are more files than the transfer can number")]
    TooMany,
    #[error("the daemon sent {0}")]
    Protocol(&'static str),
    #[error("the daemon failed to receive the files: {0}")]
    Receiver(String),
    /// The peer has disconnected, so nobody receives this error.
    #[error("the daemon closed the transfer")]
    Closed,
}

/// Returns a suggestion for an unreadable file.
fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            " (exclude it in .dockerignore if the build does not need it)"
        }
        _ => "",
    }
}

impl From<Closed> for TransferError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<BadFrame> for TransferError {
    fn from(BadFrame(what): BadFrame) -> Self {
        Self::Protocol(what)
    }
}

impl TransferError {
    /// A failed system call on a path.
    pub(super) fn file(action: &'static str, path: &[u8], source: impl Into<io::Error>) -> Self {
        Self::File {
            action,
            path: String::from_utf8_lossy(path).into_owned(),
            source: source.into(),
        }
    }

    /// Joins the error and its causes on one line.
    pub(super) fn message(&self) -> String {
        crate::causes::in_one_line(self)
    }
}
