//! Byte streams to a daemon: sockets, TCP, and TLS on top. The protocol on them is decided
//! elsewhere.

use std::{io, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use socket2::{SockRef, TcpKeepalive};
use solvekit_host::{files::is_socket, sockets};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{ConnectProblem, Endpoint, Stage, child, tls};

/// A byte stream of any kind.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}
pub(crate) type BoxIo = Box<dyn Io>;

/// A TLS configuration for any number of connections.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: ServerName<'static>,
    /// True if a client certificate is sent.
    pub(super) client_certificate: bool,
}

/// The deadline for connecting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) after: Duration,
    at: Instant,
}

impl Deadline {
    pub(super) fn new(after: Duration) -> Self {
        Self {
            after,
            at: Instant::now() + after,
        }
    }

    /// Runs one stage of connecting with the deadline.
    pub(super) async fn run<T>(
        self,
        stage: Stage,
        work: impl Future<Output = Result<T, ConnectProblem>>,
    ) -> Result<T, ConnectProblem> {
        let timed_out = ConnectProblem::TimedOut {
            stage,
            after: self.after,
        };
        timeout_at(self.at, work).await.unwrap_or(Err(timed_out))
    }

    fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// Opens a stream, with TLS if it is configured.
pub(super) async fn open(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    deadline: Deadline,
) -> Result<BoxIo, ConnectProblem> {
    let io = deadline
        .run(Stage::Opening, open_plain(endpoint, deadline))
        .await?;
    match tls {
        None => Ok(io),
        Some(tls) => deadline.run(Stage::Tls, handshake(tls, io)).await,
    }
}

async fn open_plain(endpoint: &Endpoint, deadline: Deadline) -> Result<BoxIo, ConnectProblem> {
    match endpoint {
        Endpoint::Process(process) => child::open(process, &child::LastEnd::default()),
        Endpoint::Unix(path) | Endpoint::Pipe(path) => {
            match sockets::connect(path, deadline.remaining()).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(socket_problem(path, endpoint, error)),
            }
        }
        Endpoint::Tcp { host, port } => {
            let addresses: Vec<_> = match tokio::net::lookup_host((host.as_str(), *port)).await {
                Ok(found) => found.collect(),
                Err(source) => {
                    return Err(ConnectProblem::UnknownHost {
                        host: host.clone(),
                        source,
                    });
                }
            };
            let stream = TcpStream::connect(addresses.as_slice())
                .await
                .map_err(|error| io_problem(endpoint, error))?;
            tune(&stream).map_err(|error| io_problem(endpoint, error))?;
            Ok(Box::new(stream))
        }
    }
}

/// Sends small messages at once, and detects a vanished peer within two minutes. A daemon that
/// hangs is noticed elsewhere: by [`silence`](super::silence) and `engine::hang`.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    let socket = SockRef::from(stream);
    let counted = socket.set_tcp_keepalive(&keepalive.clone().with_retries(4));
    // Windows before version 1703 has no limit on the probes; the rest works there.
    counted.or_else(|_| socket.set_tcp_keepalive(&keepalive))
}

fn socket_problem(path: &std::path::Path, endpoint: &Endpoint, error: io::Error) -> ConnectProblem {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ConnectProblem::NoSocket { path },
        io::ErrorKind::PermissionDenied => ConnectProblem::PermissionDenied { path },
        io::ErrorKind::ResourceBusy => ConnectProblem::Busy { path },
        io::ErrorKind::ConnectionRefused if !is_socket(&path) => {
            ConnectProblem::NotASocket { path }
        }
        _ => io_problem(endpoint, error),
    }
}

fn io_problem(endpoint: &Endpoint, error: io::Error) -> ConnectProblem {
    let endpoint = endpoint.clone();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectProblem::Refused { endpoint },
        _ => ConnectProblem::Io {
            endpoint,
            source: error,
        },
    }
}

async fn handshake(tls: &Tls, io: BoxIo) -> Result<BoxIo, ConnectProblem> {
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    match connector.connect(tls.server_name.clone(), io).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            Err(tls::problem(&error, tls.client_certificate).unwrap_or_else(|| closed(error)))
        }
    }
}

pub(super) fn closed(error: io::Error) -> ConnectProblem {
    ConnectProblem::Closed {
        source: Some(Box::new(error)),
    }
}

/// The server's protocol, judged by its first bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// HTTP/2 without an upgrade.
    Http2,
    /// HTTP/1, with the first line of the answer.
    Http1(String),
    /// TLS.
    Tls,
    /// Another protocol.
    Other(String),
    /// The server closed the connection or was silent for a second.
    Silence,
}

/// The start of an HTTP/2 connection: preface and an empty SETTINGS frame (RFC 9113, 3.4).
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends an HTTP/2 greeting and judges the answer. Consumes the stream.
pub(super) async fn listen(mut io: BoxIo) -> Speech {
    let mut answer = Vec::with_capacity(256);
    let exchange = async {
        io.write_all(HELLO).await?;
        while answer.len() < 256 && !answer.contains(&b'\n') && !is_settings(&answer) {
            if io.read_buf(&mut answer).await? == 0 {
                break;
            }
        }
        Ok::<(), io::Error>(())
    };
    // Whatever arrived before an error or the timeout is judged.
    let _ = tokio::time::timeout(PATIENCE, exchange).await;
    judge(&answer)
}

/// Waits for the alert with which a TLS server closes a connection after the handshake.
pub(super) async fn hear_alert(mut io: BoxIo, client_certificate: bool) -> Option<ConnectProblem> {
    let heard = tokio::time::timeout(PATIENCE, io.read_u8()).await;
    tls::problem(&heard.ok()?.err()?, client_certificate)
}

/// True for the header of a SETTINGS frame on stream 0 that is not an acknowledgement.
fn is_settings(answer: &[u8]) -> bool {
    answer.len() >= 9 && answer[3..9] == [4, 0, 0, 0, 0, 0]
}

fn judge(answer: &[u8]) -> Speech {
    let first_line = || {
        let line = answer
            .split(|byte| *byte == b'\r' || *byte == b'\n')
            .next()
            .unwrap_or_default();
        String::from_utf8_lossy(line)
            .chars()
            .filter(|c| !crate::text::is_unprintable(*c))
            .take(100)
            .collect()
    };
    match answer {
        [] => Speech::Silence,
        _ if is_settings(answer) => Speech::Http2,
        _ if answer.starts_with(b"HTTP/1.") => Speech::Http1(first_line()),
        // An alert or a handshake record of TLS 1.x.
        [0x15 | 0x16, 3, ..] => Speech::Tls,
        _ => Speech::Other(first_line()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_distinguished_by_their_first_bytes() {
        assert_eq!(judge(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d"), Speech::Http2);
        let web = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n";
        assert_eq!(judge(web), Speech::Http1("HTTP/1.1 400 Bad Request".into()));
        assert_eq!(judge(b"\x15\x03\x01\0\x02\x02\x46"), Speech::Tls);
        assert_eq!(
            judge(b"SSH-2.0-OpenSSH_9.2\r\n"),
            Speech::Other("SSH-2.0-OpenSSH_9.2".into())
        );
        assert_eq!(judge(b""), Speech::Silence);
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up_on() {
        let (ours, _theirs) = tokio::io::duplex(64);
        assert_eq!(listen(Box::new(ours)).await, Speech::Silence);
    }
}
