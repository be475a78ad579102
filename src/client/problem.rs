//! Why a daemon cannot be reached.

use std::{error::Error as StdError, io, path::PathBuf, time::Duration};

use solvekit_host::sockets::LOCAL_NOUN;

use super::{
    ClientCertificateProblem, Code, Endpoint, Failure, ServerCertificateProblem, TlsFailure,
};

/// Why a BuildKit cannot be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectProblem {
    /// The path of the socket does not exist.
    #[error("there is no {LOCAL_NOUN} {path:?}")]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// The path exists but is not a socket.
    #[error("{path:?} is not a socket")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// Access to the socket is denied.
    #[error("no permission to open the {LOCAL_NOUN} {path:?}")]
    PermissionDenied {
        /// The path.
        path: PathBuf,
    },
    /// Other clients use all instances of the named pipe.
    #[error("the {LOCAL_NOUN} {path:?} is in use by other clients")]
    Busy {
        /// The path.
        path: PathBuf,
    },
    /// Nothing listens at the endpoint.
    #[error("nothing listens on {} (connection refused)", .endpoint.in_words())]
    Refused {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The program that connects to the daemon is not installed.
    #[error("the program {program} is not on PATH")]
    NoProgram {
        /// The program's name.
        program: &'static str,
    },
    /// The program that connects to the daemon failed.
    #[error("{reason}")]
    Program {
        /// The program's name.
        program: &'static str,
        /// Its exit status and output.
        reason: String,
    },
    /// The host has no address.
    #[error("the host {host:?} is not known")]
    UnknownHost {
        /// The host's name.
        host: String,
        /// The resolver's error.
        #[source]
        source: io::Error,
    },
    /// The byte stream could not be opened for another reason.
    #[error("cannot open {}", .endpoint.in_words())]
    Io {
        /// The endpoint.
        endpoint: Endpoint,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Connecting took too long.
    #[error("no answer within {} while {stage}", seconds(.after))]
    TimedOut {
        /// The stage that was reached.
        stage: Stage,
        /// The time limit.
        after: Duration,
    },
    /// The server uses TLS, but no TLS options were given.
    #[error("the server speaks TLS, and no TLS options were given")]
    TlsRequired,
    /// TLS options were given, but the server does not use TLS.
    #[error("TLS options were given, and the server does not speak TLS")]
    TlsNotSpoken,
    /// The server's certificate was rejected.
    #[error("the server's certificate is not accepted: {reason}")]
    ServerCertificate {
        /// The reason.
        reason: ServerCertificateProblem,
    },
    /// The server demands a client certificate and got none.
    #[error("the server wants a client certificate")]
    ClientCertificateRequired,
    /// The server rejected the client certificate.
    #[error("the server does not accept the client certificate: {reason}")]
    ClientCertificateRejected {
        /// The reason, according to the server's alert.
        reason: ClientCertificateProblem,
    },
    /// Another failure of TLS.
    #[error("TLS failed: {reason}")]
    Tls {
        /// The alert or the TLS library's error.
        reason: TlsFailure,
    },
    /// The server is a web server without gRPC.
    #[error("a web server answers there, not BuildKit ({answer})")]
    WebServer {
        /// The first line of its answer.
        answer: String,
    },
    /// The server is something other than BuildKit.
    #[error("what answers there is not BuildKit: {answer}")]
    NotBuildkit {
        /// Its answer.
        answer: String,
    },
    /// The engine has no BuildKit.
    #[error("the engine there has no BuildKit: {answer}")]
    EngineWithoutBuildkit {
        /// Its answer to the upgrade request.
        answer: String,
    },
    /// The engine does not run BuildKit's program in the container.
    #[error("the engine does not run buildctl in the container: {answer}")]
    EngineRefusal {
        /// Its answer.
        answer: String,
    },
    /// The connection was closed without an answer.
    #[error("the connection was closed without an answer")]
    Closed {
        /// The transport's error, if any.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The engine no longer answers.
    #[error("it hangs: it has not answered for {}", seconds(.after))]
    Hangs {
        /// How long it was asked.
        after: Duration,
    },
    /// The daemon refuses this client.
    #[error("the daemon refuses the first call")]
    Refusal {
        /// The daemon's failure.
        #[source]
        source: Box<Failure>,
    },
}

impl ConnectProblem {
    /// Returns true if no daemon answers, for example during a restart. Waiting may help.
    pub fn is_daemon_absent(&self) -> bool {
        match self {
            Self::NoSocket { .. }
            | Self::Busy { .. }
            | Self::Refused { .. }
            | Self::Io { .. }
            | Self::TimedOut { .. }
            | Self::Hangs { .. }
            | Self::Closed { .. } => true,
            Self::Refusal { source } => source.code == Code::Unavailable,
            _ => false,
        }
    }
}

/// The stages of connecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Name resolution and opening the byte stream.
    Opening,
    /// The TLS handshake.
    Tls,
    /// The upgrade to the engine's BuildKit.
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

fn seconds(time: &Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}
