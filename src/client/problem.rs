//! Why a daemon cannot be reached, and suggestions for the user.

use std::{error::Error as StdError, io, path::PathBuf, time::Duration};

use super::{Address, Endpoint, Failure};

/// Why a BuildKit cannot be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectProblem {
    /// The path of the socket does not exist.
    #[error("there is no socket {path:?}")]
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
    #[error("no permission to open the socket {path:?}")]
    PermissionDenied {
        /// The path.
        path: PathBuf,
    },
    /// Nothing listens at the endpoint.
    #[error("nothing listens on {endpoint} (connection refused)")]
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
    #[error("cannot open {endpoint}")]
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
        reason: String,
    },
    /// The server demands a client certificate and got none.
    #[error("the server wants a client certificate")]
    ClientCertificateRequired,
    /// The server rejected the client certificate.
    #[error("the server does not accept the client certificate: {reason}")]
    ClientCertificateRejected {
        /// The server's alert.
        reason: String,
    },
    /// Another failure of TLS.
    #[error("TLS failed: {reason}")]
    Tls {
        /// The TLS library's message.
        reason: String,
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
    /// The engine's image store does not support what this client needs.
    #[error("the engine there does not use the containerd image store")]
    EngineWithoutContainerdStore,
    /// The connection was closed without an answer.
    #[error("the connection was closed without an answer")]
    Closed {
        /// The transport's error, if any.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The daemon refuses this client.
    #[error("the daemon refuses the first call")]
    Refusal {
        /// The daemon's failure.
        #[source]
        source: Box<Failure>,
    },
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

impl ConnectProblem {
    /// Returns a suggestion for the user, if there is one: one line, without a final dot.
    pub fn hint(&self, address: &Address) -> Option<String> {
        let docker = matches!(address, Address::Docker(_) | Address::Container { .. });
        let hint = match self {
            Self::NoSocket { .. } | Self::Refused { .. } if docker => {
                "start the Docker Engine (systemctl start docker), or name its socket: \
                 docker:///path/docker.sock".to_owned()
            }
            Self::NoSocket { .. } | Self::Refused { .. } => {
                format!("start the daemon (buildkitd --addr {address}), or name another one with \
                         BUILDKIT_HOST")
            }
            Self::NoProgram { program } => format!("install {program}, or take another way to the \
                                                    daemon (tcp://)"),
            Self::Program { program: "ssh", .. } => {
                "see whether ssh reaches that machine without a question, and buildctl is \
                 there".to_owned()
            }
            Self::Program { program, .. } => {
                format!("see whether {program} knows it, it runs, and buildctl is in it")
            }
            Self::PermissionDenied { path } => {
                format!("join the group that owns the socket (ls -l {}), or run as \
                         root", path.display())
            }
            Self::TimedOut { stage: Stage::Opening, .. } => "see whether a firewall drops the \
                                                             connection".to_owned(),
            Self::TimedOut { stage: Stage::FirstCall, .. } => "see whether the daemon hangs, or \
                                                               something else listens \
                                                               there".to_owned(),
            Self::UnknownHost { .. } => "see whether the name is right, and this machine's DNS \
                                         knows it".to_owned(),
            Self::NotBuildkit { .. } => match address.endpoint() {
                Endpoint::Unix(_) => "the socket of buildkitd is usually \
                                      /run/buildkit/buildkitd.sock".to_owned(),
                Endpoint::Process(_) => return None,
                Endpoint::Tcp { .. } => "the port of buildkitd is usually 1234".to_owned(),
            },
            Self::TlsRequired => "give the CA and the client's certificate (--tlscacert, \
                                  --tlscert, --tlskey or --tlsdir)".to_owned(),
            Self::TlsNotSpoken => "leave the TLS options away, or start buildkitd with --tlscert \
                                   and --tlskey".to_owned(),
            Self::ServerCertificate { .. } => {
                "give the CA that signed it (--tlscacert), and the name that is in it if that is \
                 not the host's (--tlsservername)".to_owned()
            }
            Self::ClientCertificateRejected { .. } => {
                "use a certificate that is signed by the CA of the daemon's --tlscacert".to_owned()
            }
            Self::ClientCertificateRequired => "give the client's certificate and key (--tlscert, \
                                                --tlskey)".to_owned(),
            Self::WebServer { .. } if !docker => {
                format!("if a Docker Engine listens there, its address is \
                         docker://{}", address.endpoint().bare())
            }
            Self::EngineWithoutBuildkit { .. } => "this needs a Docker Engine 23 or newer; Podman \
                                                   has no BuildKit".to_owned(),
            Self::EngineWithoutContainerdStore => {
                r#"set {"features": {"containerd-snapshotter": true}} in /etc/docker/daemon.json, or name it: BUILDKIT_HOST=docker://"#.to_owned()
            }
            _ => return None,
        };
        Some(hint)
    }
}

fn seconds(time: &Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}
