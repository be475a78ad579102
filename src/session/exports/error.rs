//! Errors of receiving an export. Their text goes to the daemon, which ends the build with it.

use std::io;

use thiserror::Error;

use crate::session::stream::{BadFrame, Closed};

/// Why an export failed. Paths are relative to the destination.
#[derive(Debug, Error)]
pub(super) enum ExportError {
    #[error("cannot {action} {path}{}", hint(action, source))]
    File {
        action: &'static str,
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("the daemon sent the path \"{path}\", which does not stay inside the destination")]
    Outside { path: String },
    #[error("cannot create {path}: its name differs from that of {other} only in case")]
    SameName { path: String, other: String },
    #[error("the daemon sent data of file {id}, which it was not asked for")]
    NotAsked { id: u32 },
    #[error("the daemon sent {0}")]
    Protocol(&'static str),
    #[error("the daemon sent {what} of more than {limit}")]
    Limit {
        what: &'static str,
        limit: &'static str,
    },
    #[error("the daemon failed to send the files: {0}")]
    Sender(String),
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// The peer has disconnected, so nobody receives this error.
    #[error("the daemon broke off the export")]
    Closed,
}

/// Returns a suggestion for the user.
fn hint(action: &str, source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied if action == "create device" => {
            " (only root can create devices)"
        }
        _ => "",
    }
}

impl ExportError {
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
        use std::error::Error as _;
        let cause = self.source().map(|cause| format!(": {cause}"));
        let message = format!("{self}{}", cause.unwrap_or_default());
        crate::text::without_error_numbers(&message).into_owned()
    }
}

impl From<Closed> for ExportError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<BadFrame> for ExportError {
    fn from(BadFrame(what): BadFrame) -> Self {
        Self::Protocol(what)
    }
}
