//! What can go wrong with a daemon, and what its user can do about it. Failures that the daemon itself reports are in
//! `failure.rs`.

use std::{error::Error as StdError, io, path::PathBuf, time::Duration};

use super::{Address, Endpoint, Failure};

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
    /// An address of a kind that other clients know and this one does not yet.
    #[error("{scheme}:// addresses are not supported yet; unix://, tcp:// and docker:// are")]
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
    /// A value that cannot be sent as gRPC metadata.
    #[error("{name} {value:?} cannot be sent: only printable ASCII can")]
    InvalidMetadata {
        /// What it is.
        name: &'static str,
        /// The value.
        value: String,
    },
}

/// Why there is no connection to a BuildKit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectProblem {
    /// The path of the socket does not exist.
    #[error("there is no socket {path:?}")]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// The path exists and is something else.
    #[error("{path:?} is not a socket")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The socket may not be opened.
    #[error("no permission to open the socket {path:?}")]
    PermissionDenied {
        /// The path.
        path: PathBuf,
    },
    /// Nobody listens there.
    #[error("nothing listens on {endpoint} (connection refused)")]
    Refused {
        /// What was dialled.
        endpoint: Endpoint,
    },
    /// The host has no address.
    #[error("the host {host:?} is not known")]
    UnknownHost {
        /// The host's name.
        host: String,
        /// What the resolver says.
        #[source]
        source: io::Error,
    },
    /// Opening the byte stream failed in another way.
    #[error("cannot open {endpoint}")]
    Io {
        /// What was dialled.
        endpoint: Endpoint,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It took too long.
    #[error("no answer within {} while {stage}", seconds(.after))]
    TimedOut {
        /// How far it got.
        stage: Stage,
        /// The time given.
        after: Duration,
    },
    /// The server speaks TLS, and no TLS options were given.
    #[error("the server speaks TLS, and no TLS options were given")]
    TlsRequired,
    /// TLS options were given, and the server does not speak TLS.
    #[error("TLS options were given, and the server does not speak TLS")]
    TlsNotSpoken,
    /// The server's certificate is not accepted.
    #[error("the server's certificate is not accepted: {reason}")]
    ServerCertificate {
        /// Why.
        reason: String,
    },
    /// The server wants a client certificate and got none.
    #[error("the server wants a client certificate")]
    ClientCertificateRequired,
    /// The server does not accept the client certificate.
    #[error("the server does not accept the client certificate: {reason}")]
    ClientCertificateRejected {
        /// Its alert.
        reason: String,
    },
    /// Another failure of TLS.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What the TLS library says.
        reason: String,
    },
    /// A web server, not gRPC.
    #[error("a web server answers there, not BuildKit ({answer})")]
    WebServer {
        /// The first line of its answer.
        answer: String,
    },
    /// Something else answers.
    #[error("what answers there is not BuildKit: {answer}")]
    NotBuildkit {
        /// What it said.
        answer: String,
    },
    /// An engine without BuildKit.
    #[error("the engine there has no BuildKit: {answer}")]
    EngineWithoutBuildkit {
        /// What it said to the upgrade request.
        answer: String,
    },
    /// An engine whose image store BuildKit cannot use for what this client does.
    #[error("the engine there does not use the containerd image store")]
    EngineWithoutContainerdStore,
    /// The connection was closed without an answer.
    #[error("the connection was closed without an answer")]
    Closed {
        /// What the transport says, if anything.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The daemon refuses to talk to this client.
    #[error("the daemon refuses the first call")]
    Refusal {
        /// What it says.
        #[source]
        source: Box<Failure>,
    },
}

/// How far connecting got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Resolving the name and opening the byte stream.
    Opening,
    /// The TLS handshake.
    Tls,
    /// Asking the engine for its BuildKit.
    Upgrade,
    /// The first call.
    FirstCall,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Opening => "opening the connection",
            Self::Tls => "shaking hands for TLS",
            Self::Upgrade => "asking the engine for its BuildKit",
            Self::FirstCall => "waiting for the answer to the first call",
        })
    }
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
            Self::NotFound { .. } => Some(
                "start buildkitd, or name a daemon: BUILDKIT_HOST=tcp://host:1234, BUILDKIT_HOST=docker://".to_owned(),
            ),
            Self::ConnectionLost { .. } => Some("see whether the daemon was restarted, and its log".to_owned()),
            Self::TlsFolder { .. } => {
                Some("a TLS folder holds ca.pem, cert.pem, key.pem or ca.crt, tls.crt, tls.key".to_owned())
            }
            _ => None,
        }
    }
}

impl ConnectProblem {
    /// What its user can do about it, if that is known: one line, without a final dot.
    pub fn hint(&self, address: &Address) -> Option<String> {
        let docker = matches!(address, Address::Docker(_));
        let hint = match self {
            Self::NoSocket { .. } | Self::Refused { .. } if docker => {
                "start the Docker Engine (systemctl start docker), or name its socket: docker:///path/docker.sock".to_owned()
            }
            Self::NoSocket { .. } | Self::Refused { .. } => {
                format!("start the daemon (buildkitd --addr {address}), or name another one with BUILDKIT_HOST")
            }
            Self::PermissionDenied { path } => {
                format!("join the group that owns the socket (ls -l {}), or run as root", path.display())
            }
            Self::TimedOut { stage: Stage::Opening, .. } => "see whether a firewall drops the connection".to_owned(),
            Self::TimedOut { stage: Stage::FirstCall, .. } => "see whether the daemon hangs, or something else listens there".to_owned(),
            Self::UnknownHost { .. } => "see whether the name is right, and this machine's DNS knows it".to_owned(),
            Self::NotBuildkit { .. } => {
                "buildkitd usually listens on port 1234; the address of a Docker Engine begins with docker://".to_owned()
            }
            Self::TlsRequired => "give the CA and the client's certificate (--tlscacert, --tlscert, --tlskey or --tlsdir)".to_owned(),
            Self::TlsNotSpoken => "leave the TLS options away, or start buildkitd with --tlscert and --tlskey".to_owned(),
            Self::ServerCertificate { .. } => {
                "give the CA that signed it (--tlscacert), and the name that is in it if that is not the host's (--tlsservername)".to_owned()
            }
            Self::ClientCertificateRejected { .. } => {
                "use a certificate that is signed by the CA of the daemon's --tlscacert".to_owned()
            }
            Self::ClientCertificateRequired => "give the client's certificate and key (--tlscert, --tlskey)".to_owned(),
            Self::WebServer { .. } if !docker => {
                format!("if a Docker Engine listens there, its address is docker://{}", address.endpoint().bare())
            }
            Self::EngineWithoutBuildkit { .. } => "this needs a Docker Engine 23 or newer; Podman has no BuildKit".to_owned(),
            Self::EngineWithoutContainerdStore => {
                r#"set {"features": {"containerd-snapshotter": true}} in /etc/docker/daemon.json, or name it: BUILDKIT_HOST=docker://"#.to_owned()
            }
            _ => return None,
        };
        Some(hint)
    }
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

fn seconds(time: &Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}
