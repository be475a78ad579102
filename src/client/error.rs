//! What can go wrong with a daemon. Why there is no connection is in `problem.rs`, what the daemon itself reports in
//! `failure.rs`.

use std::{error::Error as StdError, io, path::PathBuf};

use super::{Address, ConnectProblem, Failure};

/// Why a daemon could not be reached, or did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that cannot be read.
    #[error("invalid BuildKit address {address:?}: {reason}")]
    InvalidAddress {
        /// The text as given.
        address: String,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// An address with a user name (and perhaps a password, so it is not printed).
    #[error("a BuildKit address has no user name; use TLS certificates to log in")]
    AddressWithUser,
    /// An address of a kind that other clients know and this one does not.
    #[error(
        "{scheme}:// addresses are not supported here; unix://, tcp://, docker://, docker-container://, podman-container://, nerdctl-container://, kube-pod:// and ssh:// are"
    )]
    UnsupportedScheme {
        /// The scheme.
        scheme: String,
    },
    /// A file of the TLS options cannot be read.
    #[error("cannot read the {role} {path:?}")]
    TlsFile {
        /// CA certificate, client certificate or client key.
        role: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file of the TLS options does not hold what it should.
    #[error("cannot use the {role} {path:?}: {reason}")]
    TlsContent {
        /// CA certificate, client certificate or client key.
        role: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder of TLS files lacks one.
    #[error("the TLS folder {folder:?} has neither {names}")]
    TlsFolder {
        /// The folder.
        folder: PathBuf,
        /// The names that were looked for.
        names: &'static str,
    },
    /// TLS cannot be set up with these options.
    #[error("cannot set up TLS: {reason}")]
    TlsOptions {
        /// What is wrong.
        reason: String,
    },
    /// There is no connection to the daemon.
    #[error("cannot connect to BuildKit at {address}")]
    Connect {
        /// Where it was looked for.
        address: Address,
        /// Why there is none.
        #[source]
        source: Box<ConnectProblem>,
    },
    /// None of the usual places has a BuildKit.
    #[error("no BuildKit found: {}", join(.attempts))]
    NotFound {
        /// What went wrong at each of them.
        attempts: Vec<(Address, ConnectProblem)>,
    },
    /// The daemon refused a call or failed in it.
    #[error("{call} failed")]
    Call {
        /// What was called, in words.
        call: &'static str,
        /// What the daemon says.
        #[source]
        source: Box<Failure>,
    },
    /// The connection ended in the middle of a call.
    #[error("the connection to BuildKit was lost during {call}")]
    ConnectionLost {
        /// What was called, in words.
        call: &'static str,
        /// What the transport says.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The daemon answered with something that makes no sense.
    #[error("BuildKit's answer to {call} makes no sense: {reason}")]
    InvalidAnswer {
        /// What was called, in words.
        call: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A Docker Engine refused a call of its API or failed in it.
    #[error("the engine cannot {call}: {message}")]
    Engine {
        /// What was asked for, in words.
        call: String,
        /// The HTTP status of its answer.
        status: u16,
        /// What it says.
        message: String,
    },
    /// A value that cannot be sent as gRPC metadata.
    #[error("{name} {value:?} cannot be sent: only printable ASCII can")]
    InvalidMetadata {
        /// What it is.
        name: &'static str,
        /// The value.
        value: String,
    },
}

impl Error {
    /// What the daemon reports, if it is its word.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Call { source, .. } => Some(source),
            _ => None,
        }
    }

    /// What its user can do about it, if that is known: one line, without a final dot.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect { address, source } => source.hint(address),
            Self::NotFound { attempts } => Some(not_found(attempts)),
            Self::ConnectionLost { .. } => {
                Some("see whether the daemon was restarted, and its log".to_owned())
            }
            Self::TlsFolder { .. } => Some(
                "a TLS folder holds ca.pem, cert.pem, key.pem or ca.crt, tls.crt, tls.key"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// A place that exists and cannot be used tells more than those that do not exist.
fn not_found(attempts: &[(Address, ConnectProblem)]) -> String {
    let telling = attempts
        .iter()
        .filter(|(_, problem)| !matches!(problem, ConnectProblem::NoSocket { .. }));
    let hint = telling
        .filter_map(|(address, problem)| problem.hint(address))
        .next();
    hint.unwrap_or_else(|| {
        "start buildkitd, or name a daemon with BUILDKIT_HOST: unix://, tcp://host:1234, docker://"
            .to_owned()
    })
}

fn join(attempts: &[(Address, ConnectProblem)]) -> String {
    let lines: Vec<_> = attempts
        .iter()
        .map(|(address, problem)| format!("{address}: {problem}"))
        .collect();
    lines.join("; ")
}

/// The innermost cause of a broken call: what is around it says no more than that a call broke.
pub(super) fn root(status: &tonic::Status) -> Box<dyn StdError + Send + Sync> {
    let mut cause: &(dyn StdError + 'static) = status;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().into()
}
