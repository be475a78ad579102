//! `solvekit proxy`: any builder under a plain address of BuildKit.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use solvekit::client::{Address, Client, Endpoint, ServerTls};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

use super::connection::{ConnectionArgs, say};
use super::environment::Environment;
use super::terminal::talk;
use super::{Failure, dial_stdio, interrupt};

#[derive(Debug, clap::Args)]
pub(super) struct ProxyArgs {
    /// Where to listen: unix://PATH or tcp://HOST:PORT; beyond this machine with TLS only
    #[arg(long, value_name = "ADDRESS")]
    listen: String,

    /// Certificate that clients see (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["listen_tlskey", "listen_tlscacert"])]
    listen_tlscert: Option<PathBuf>,

    /// Its key (PEM)
    #[arg(long, value_name = "FILE", requires = "listen_tlscert")]
    listen_tlskey: Option<PathBuf>,

    /// Authority that has to have signed the clients' certificates (PEM)
    #[arg(long, value_name = "FILE", requires = "listen_tlscert")]
    listen_tlscacert: Option<PathBuf>,
}

/// Listens until it is interrupted; each connection becomes one to the builder.
pub(super) async fn cmd_proxy(
    args: &ProxyArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let tls = match (
        &args.listen_tlscert,
        &args.listen_tlskey,
        &args.listen_tlscacert,
    ) {
        (Some(cert), Some(key), Some(ca)) => Some(Arc::new(ServerTls::load(cert, key, ca)?)),
        _ => None,
    };
    let address = Address::parse(&args.listen)?;
    let Address::Buildkit(endpoint) = &address else {
        return Err(not_here(&args.listen));
    };
    let cancelled = interrupt::token()?;
    let (client, used) = connection.connect_for(environment, &[], &say).await?;
    let serve = async {
        match endpoint {
            Endpoint::Unix(path) => on_socket(path, &client, &dial_stdio::said(&used)).await,
            Endpoint::Tcp { host, port } => {
                if tls.is_none() && !is_local(host) {
                    return Err(without_tls(&args.listen));
                }
                on_port(host, *port, tls, &client, &dial_stdio::said(&used)).await
            }
            Endpoint::Process(_) => Err(not_here(&args.listen)),
        }
    };
    let served = tokio::select! {
        served = serve => served,
        () = cancelled.cancelled() => Ok(()),
    };
    if let Endpoint::Unix(path) = endpoint {
        let _ = std::fs::remove_file(path);
    }
    served
}

async fn on_socket(path: &Path, client: &Client, used: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| cannot_listen(&path.display().to_string(), &error);
    // A socket that nobody listens on any more is in the way.
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        && tokio::net::UnixStream::connect(path).await.is_err()
    {
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    // Who may use the builder is this user.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    talk(&format!("{used}listening on unix://{}\n", path.display()));
    let mut relays = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.map_err(failed)?;
        relays.spawn(relay(client.clone(), stream));
        while relays.try_join_next().is_some() {}
    }
}

async fn on_port(
    host: &str,
    port: u16,
    tls: Option<Arc<ServerTls>>,
    client: &Client,
    used: &str,
) -> Result<(), Failure> {
    let failed = |error: io::Error| cannot_listen(&format!("{host}:{port}"), &error);
    let listener = TcpListener::bind((host, port)).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    talk(&format!("{used}listening on tcp://{local}\n"));
    let mut relays = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.map_err(failed)?;
        let (client, tls) = (client.clone(), tls.clone());
        relays.spawn(async move {
            match tls {
                None => relay(client, stream).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => relay(client, stream).await,
                    Err(error) => talk(&format!("a client was refused: {error}\n")),
                },
            }
        });
        while relays.try_join_next().is_some() {}
    }
}

async fn relay(client: Client, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    match client.open_stream().await {
        Ok(mut daemon) => {
            // How a connection ends is the two sides' matter.
            let _ = copy_bidirectional(&mut stream, &mut daemon).await;
        }
        Err(error) => talk(&format!("{}\n", Failure::from(error).into_message())),
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn cannot_listen(place: &str, error: &io::Error) -> Failure {
    Failure::new(format!("cannot listen on {place}: {error}"))
}

fn not_here(address: &str) -> Failure {
    Failure::new(format!("cannot listen on {address:?}"))
        .hint("--listen takes unix://PATH or tcp://HOST:PORT")
}

fn without_tls(address: &str) -> Failure {
    Failure::new(format!(
        "{address} can be reached from other machines, and everybody could use the builder"
    ))
    .hint("give --listen-tlscert, --listen-tlskey and --listen-tlscacert, or listen on tcp://127.0.0.1:PORT or unix://PATH")
}
