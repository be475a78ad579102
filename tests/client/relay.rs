//! A small relay in front of the daemon, which offers it over any kind of endpoint and can hang.

use std::{path::Path, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use solvekit::client::{Address, Endpoint};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use super::certificates::Certificates;

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A relay. When it is dropped, it ends with all its connections.
pub(crate) struct Relay {
    task: JoinHandle<()>,
    pub(crate) port: u16,
    hangs: watch::Sender<bool>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The destination of connections.
#[derive(Clone)]
pub(crate) enum Target {
    /// The daemon's BuildKit.
    Daemon(Address),
    /// This endpoint, without an upgrade to BuildKit.
    Raw(Endpoint),
    /// None: sends these bytes, then closes the connection.
    Says(&'static [u8]),
    /// None: sends nothing.
    Mute,
}

impl Relay {
    pub(crate) fn unix(path: &Path, target: Target) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let hangs = watch::Sender::new(false);
        let hanging = hangs.subscribe();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serve(Box::new(stream), target.clone());
                connections.spawn(unless_it_hangs(hanging.clone(), serving));
            }
        });
        Self {
            task,
            port: 0,
            hangs,
        }
    }

    /// While it hangs, it keeps its connections and carries nothing.
    pub(crate) fn set_hanging(&self, hangs: bool) {
        self.hangs.send_replace(hangs);
    }

    pub(crate) async fn tcp(target: Target) -> Self {
        let (listener, port) = listener("127.0.0.1:0").await;
        Self::on(listener, port, target, None)
    }

    pub(crate) async fn tcp6(target: Target) -> Option<Self> {
        let listener = TcpListener::bind("[::1]:0").await.ok()?;
        let port = listener.local_addr().unwrap().port();
        Some(Self::on(listener, port, target, None))
    }

    pub(crate) async fn tls(target: Target, config: ServerConfig) -> Self {
        let (listener, port) = listener("127.0.0.1:0").await;
        Self::on(
            listener,
            port,
            target,
            Some(TlsAcceptor::from(Arc::new(config))),
        )
    }

    fn on(listener: TcpListener, port: u16, target: Target, tls: Option<TlsAcceptor>) -> Self {
        let hangs = watch::Sender::new(false);
        let hanging = hangs.subscribe();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (target, tls) = (target.clone(), tls.clone());
                let serving = async move {
                    match tls {
                        None => serve(Box::new(stream), target).await,
                        Some(tls) => {
                            // Go's servers do not answer a client without TLS.
                            let mut first = [0];
                            if stream.peek(&mut first).await.is_err() || first != [0x16] {
                                return;
                            }
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(Box::new(stream), target).await;
                            }
                        }
                    }
                };
                connections.spawn(unless_it_hangs(hanging.clone(), serving));
            }
        });
        Self { task, port, hangs }
    }
}

/// Does the work, except while the relay hangs.
async fn unless_it_hangs(mut hangs: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    let mut work = std::pin::pin!(work);
    loop {
        let hang = *hangs.borrow_and_update();
        tokio::select! {
            changed = hangs.changed() => if changed.is_err() { return },
            () = &mut work, if !hang => return,
        }
    }
}

async fn listener(address: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn serve(mut client: Box<dyn Io>, target: Target) {
    match target {
        Target::Daemon(address) => {
            let mut daemon = dial(&address).await;
            let _ = copy_bidirectional(&mut client, &mut daemon).await;
        }
        Target::Raw(endpoint) => {
            let mut server = open(&endpoint).await;
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        Target::Says(words) => {
            let mut first = [0; 1];
            let _ = client.read(&mut first).await;
            let _ = client.write_all(words).await;
            let _ = client.shutdown().await;
        }
        Target::Mute => std::future::pending().await,
    }
}

async fn open(endpoint: &Endpoint) -> Box<dyn Io> {
    match endpoint {
        Endpoint::Unix(path) => Box::new(UnixStream::connect(path).await.unwrap()),
        Endpoint::Tcp { host, port } => {
            Box::new(TcpStream::connect((host.as_str(), *port)).await.unwrap())
        }
        Endpoint::Process(_) | Endpoint::Pipe(_) => panic!("relays lead to sockets"),
    }
}

/// A stream over which the daemon's BuildKit speaks HTTP/2.
async fn dial(address: &Address) -> Box<dyn Io> {
    let mut stream = open(&address.endpoint()).await;
    if matches!(address, Address::Docker(_)) {
        let request =
            b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(
            head.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&head)
        );
    }
    stream
}

/// The TLS configuration of a server. With `clients`, clients need a certificate of the same CA.
pub(crate) fn server_config(certificates: &Certificates, clients: bool) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if clients {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(certificates.path("ca.pem")).unwrap())
            .unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let certificate = CertificateDer::from_pem_file(certificates.path("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificates.path("server.key")).unwrap();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
