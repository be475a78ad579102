//! Errors of a daemon connection. `problem.rs` explains why there is no connection; `failure.rs`
//! holds the daemon's own errors.

use std::{error::Error as StdError, io, path::PathBuf};

use solvekit_host::sockets::LOCAL_SCHEME;

use super::{Address, AddressProblem, AnswerProblem, Code, ConnectProblem, Failure, TlsProblem};

/// Why a daemon could not be reached or did not complete a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is malformed.
    #[error("invalid BuildKit address {address:?}: {reason}")]
    InvalidAddress {
        /// The text as given.
        address: String,
        /// The mistake, and the correct form.
        reason: AddressProblem,
    },
    /// The address contains a user name (and perhaps a password, so it is not printed).
    #[error("a BuildKit address has no user name; use TLS certificates to log in")]
    AddressWithUser,
    /// The address has a scheme that other clients support and this one does not.
    #[error(
        "{scheme}:// addresses are not supported here; {local}://, tcp://, docker://, \
         docker-container://, podman-container://, nerdctl-container://, kube-pod:// and \
         ssh:// are",
        local = LOCAL_SCHEME
    )]
    UnsupportedScheme {
        /// The scheme.
        scheme: String,
    },
    /// A TLS file could not be read.
    #[error("cannot read the {role} {path:?}")]
    TlsFile {
        /// The CA certificate, client certificate or client key.
        role: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A TLS file has the wrong content.
    #[error("cannot use the {role} {path:?}: {reason}")]
    TlsContent {
        /// The CA certificate, client certificate or client key.
        role: &'static str,
        /// The file.
        path: PathBuf,
        /// The problem with the file.
        reason: Box<TlsProblem>,
    },
    /// A folder of TLS files lacks a file.
    #[error("the TLS folder {folder:?} has neither {names}")]
    TlsFolder {
        /// The folder.
        folder: PathBuf,
        /// The names that were tried.
        names: &'static str,
    },
    /// The TLS options cannot be used together.
    #[error("cannot set up TLS: {reason}")]
    TlsOptions {
        /// The problem.
        reason: TlsProblem,
    },
    /// The daemon could not be reached.
    #[error("cannot connect to BuildKit at {}", .address.in_words())]
    Connect {
        /// The address.
        address: Address,
        /// The cause.
        #[source]
        source: Box<ConnectProblem>,
    },
    /// No default address has a BuildKit.
    #[error("no BuildKit found: {}", join(.attempts))]
    NotFound {
        /// The problem at each address.
        attempts: Vec<(Address, ConnectProblem)>,
    },
    /// The daemon refused a call, or the call failed in it.
    #[error("{call} failed")]
    Call {
        /// The call, in words.
        call: &'static str,
        /// The daemon's failure.
        #[source]
        source: Box<Failure>,
    },
    /// The connection ended during a call.
    #[error("the connection to BuildKit was lost during {call}")]
    ConnectionLost {
        /// The call, in words.
        call: &'static str,
        /// The transport's error.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The daemon's answer is invalid.
    #[error("BuildKit's answer to {call} is invalid: {reason}")]
    InvalidAnswer {
        /// The call, in words.
        call: &'static str,
        /// The problem.
        reason: Box<AnswerProblem>,
    },
    /// A Docker Engine refused an API call, or the call failed in it.
    #[error("the engine cannot {call}: {message}")]
    Engine {
        /// The call, in words.
        call: String,
        /// The HTTP status of the answer.
        status: u16,
        /// The engine's message.
        message: String,
    },
    /// A value cannot be sent as gRPC metadata.
    #[error("{name} {value:?} cannot be sent: only printable ASCII can")]
    InvalidMetadata {
        /// The kind of value.
        name: &'static str,
        /// The value.
        value: String,
    },
}

impl Error {
    /// Returns the daemon's failure, if this error is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Call { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Returns true if no daemon answers, for example during a restart. Waiting may help.
    pub fn is_daemon_absent(&self) -> bool {
        match self {
            Self::Connect { source, .. } => source.is_daemon_absent(),
            Self::NotFound { attempts } => {
                let mut problems = attempts.iter().map(|(_, problem)| problem);
                problems.any(ConnectProblem::is_daemon_absent)
            }
            Self::ConnectionLost { .. } => true,
            Self::Call { source, .. } => source.code == Code::Unavailable,
            _ => false,
        }
    }
}

fn join(attempts: &[(Address, ConnectProblem)]) -> String {
    let lines: Vec<_> = attempts
        .iter()
        .map(|(address, problem)| format!("{}: {problem}", address.in_words()))
        .collect();
    lines.join("; ")
}

/// Returns the innermost cause of a broken call: the outer ones only say that a call broke.
pub(super) fn root(status: &tonic::Status) -> Box<dyn StdError + Send + Sync> {
    let mut cause: &(dyn StdError + 'static) = status;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().into()
}
