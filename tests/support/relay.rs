//! A relay in front of the real BuildKit, so that every transport can be tested: it accepts on a
//! unix socket, TCP or TLS, copies bytes to and from the daemon, and can be slow or cut.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{Certificates, Engine};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A running relay. It ends, with all its connections, when it is dropped.
pub struct Relay {
    address: String,
    shared: Shared,
    runtime: Option<Runtime>,
    _folder: Option<TempDir>,
}

#[derive(Clone)]
struct Shared {
    upstream: String,
    cut: CancellationToken,
    /// Incremented when all connections are dropped.
    line: Arc<watch::Sender<u64>>,
    pause: Duration,
    carried: Arc<AtomicU64>,
    away: Arc<AtomicBool>,
    hangs: Arc<watch::Sender<bool>>,
}

impl Relay {
    /// Listens on a new unix socket.
    pub fn unix() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("buildkitd.sock");
        let runtime = runtime();
        let shared = Shared::new(Duration::ZERO);
        let listener = runtime.block_on(async { UnixListener::bind(&path) });
        runtime.spawn(
            shared
                .clone()
                .accept_unix(listener.expect("the socket can be made")),
        );
        let address = format!("unix://{}", path.display());
        Self {
            address,
            shared,
            runtime: Some(runtime),
            _folder: Some(folder),
        }
    }

    /// Listens on a free TCP port of 127.0.0.1.
    pub fn tcp() -> Self {
        Self::on_tcp(None, Duration::ZERO)
    }

    /// The same, waiting `pause` before each piece of up to 64 KiB, like a long line.
    pub fn slow_tcp(pause: Duration) -> Self {
        Self::on_tcp(None, pause)
    }

    /// Listens with TLS; clients need a certificate of `certificates`.
    pub fn tls(certificates: &Certificates) -> Self {
        Self::on_tcp(Some(acceptor(certificates)), Duration::ZERO)
    }

    fn on_tcp(tls: Option<TlsAcceptor>, pause: Duration) -> Self {
        let runtime = runtime();
        let shared = Shared::new(pause);
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        runtime.spawn(shared.clone().accept_tcp(listener, tls));
        Self {
            address: format!("tcp://localhost:{port}"),
            shared,
            runtime: Some(runtime),
            _folder: None,
        }
    }

    /// The address, for `--addr` and `BUILDKIT_HOST`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The number of bytes in both directions.
    pub fn carried(&self) -> u64 {
        self.shared.carried.load(Ordering::Relaxed)
    }

    /// Drops every connection, and accepts new ones.
    pub fn hang_up(&self) {
        self.shared.line.send_modify(|line| *line += 1);
    }

    /// While away, drops every connection, including new ones.
    pub fn set_away(&self, is_away: bool) {
        self.shared.away.store(is_away, Ordering::Relaxed);
        self.hang_up();
    }

    /// While it hangs, keeps every connection and carries nothing.
    pub fn set_hanging(&self, hangs: bool) {
        self.shared.hangs.send_replace(hangs);
    }

    /// Drops every connection and accepts no more: for the client, the daemon has died.
    pub fn cut(&self) {
        self.shared.cut.cancel();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn new(pause: Duration) -> Self {
        Self {
            upstream: Engine::get().host.clone(),
            cut: CancellationToken::new(),
            pause,
            carried: Arc::default(),
            away: Arc::default(),
            hangs: Arc::new(watch::Sender::new(false)),
            line: Arc::new(watch::Sender::new(0)),
        }
    }

    async fn accept_unix(self, listener: UnixListener) {
        while let Some(Ok((stream, _))) = self.cut.run_until_cancelled(listener.accept()).await {
            tokio::spawn(self.clone().relay(stream));
        }
    }

    async fn accept_tcp(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        while let Some(Ok((stream, _))) = self.cut.run_until_cancelled(listener.accept()).await {
            let (shared, tls) = (self.clone(), tls.clone());
            tokio::spawn(async move {
                let Some(tls) = tls else {
                    return shared.relay(stream).await;
                };
                match tls.accept(stream).into_fallible().await {
                    Ok(stream) => shared.relay(stream).await,
                    // An alert tells the client the reason. Closing with unread bytes would discard
                    // that alert.
                    Err((_, mut stream)) => {
                        let _ = stream.shutdown().await;
                        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                    }
                }
            });
        }
    }

    async fn relay(self, client: impl Stream + 'static) {
        if self.away.load(Ordering::Relaxed) {
            return;
        }
        let Ok(daemon) = connect(&self.upstream).await else {
            return;
        };
        let (from_client, to_client) = tokio::io::split(client);
        let (from_daemon, to_daemon) = tokio::io::split(daemon);
        let both = async {
            tokio::join!(
                self.copy(from_client, to_daemon),
                self.copy(from_daemon, to_client)
            )
        };
        let mut line = self.line.subscribe();
        let mut hangs = self.hangs.subscribe();
        let mut both = std::pin::pin!(both);
        loop {
            let hang = *hangs.borrow_and_update();
            tokio::select! {
                _ = &mut both, if !hang => return,
                _ = hangs.changed() => {}
                () = self.cut.cancelled() => return,
                _ = line.changed() => return,
            }
        }
    }

    async fn copy(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return to.shutdown().await;
            }
            tokio::time::sleep(self.pause).await;
            to.write_all(&buffer[..read]).await?;
            to.flush().await?;
            self.carried.fetch_add(read as u64, Ordering::Relaxed);
        }
    }
}

/// Connects to the daemon itself; through `POST /grpc` if it is an engine.
async fn connect(address: &str) -> io::Result<Box<dyn Stream>> {
    if let Some(path) = address.strip_prefix("unix://") {
        Ok(Box::new(UnixStream::connect(path).await?))
    } else if let Some(address) = address.strip_prefix("tcp://") {
        Ok(Box::new(TcpStream::connect(address).await?))
    } else if let Some(path) = address.strip_prefix("docker://") {
        let mut stream = UnixStream::connect(Path::new(path)).await?;
        upgrade(&mut stream).await?;
        Ok(Box::new(stream))
    } else {
        Err(io::Error::other(format!(
            "the relay cannot reach {address}"
        )))
    }
}

async fn upgrade(stream: &mut UnixStream) -> io::Result<()> {
    let request =
        b"POST /grpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    if answer.starts_with(b"HTTP/1.1 101") {
        Ok(())
    } else {
        Err(io::Error::other(
            String::from_utf8_lossy(&answer).into_owned(),
        ))
    }
}

fn acceptor(certificates: &Certificates) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for certificate in pem(&certificates.path("ca.pem")) {
        roots
            .add(certificate)
            .expect("openssl makes valid certificates");
    }
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .expect("there is a root");
    let key = PrivateKeyDer::from_pem_file(certificates.path("server.key"))
        .expect("openssl makes valid keys");
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_client_cert_verifier(clients)
        .with_single_cert(pem(&certificates.path("server.pem")), key)
        .expect("the key is the certificate's");
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

fn pem(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path)
        .expect("openssl wrote the file")
        .collect::<Result<_, _>>()
        .expect("openssl writes PEM")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}
