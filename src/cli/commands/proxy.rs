//! `solvekit proxy`: makes any builder available at a plain BuildKit address.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use solvekit::client::{Address, Client, Endpoint, ServerTls};
use solvekit_host::sockets::Listener;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::dial_stdio;
use crate::cli::args::connection::{ConnectionArgs, say};
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::Failure;
use crate::cli::report::terminal::talk;
use crate::cli::report::usage::BuilderUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProxyArgs {
    /// Listen here: unix://PATH or tcp://HOST:PORT; TLS is required beyond this machine
    #[arg(long, value_name = "ADDRESS")]
    listen: String,

    /// Present this certificate to clients (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["listen_tlskey", "listen_tlscacert"])]
    listen_tlscert: Option<PathBuf>,

    /// Use this key with the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "listen_tlscert")]
    listen_tlskey: Option<PathBuf>,

    /// Require client certificates signed by this authority (PEM)
    #[arg(long, value_name = "FILE", requires = "listen_tlscert")]
    listen_tlscacert: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  solvekit --builder far proxy --listen unix:///tmp/far.sock
  BUILDKIT_HOST=unix:///tmp/far.sock buildctl debug workers   use it from another program";

/// Listens until it is interrupted; connects each client with the builder.
pub(crate) async fn cmd_proxy(
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
            Endpoint::Unix(path) | Endpoint::Pipe(path) => {
                let used = dial_stdio::describe(&used);
                on_socket(path, endpoint, &client, &used).await
            }
            Endpoint::Tcp { host, port } => {
                if tls.is_none() && !is_local(host) {
                    return Err(without_tls(&args.listen));
                }
                on_port(host, *port, tls, &client, &dial_stdio::describe(&used)).await
            }
            Endpoint::Process(_) => Err(not_here(&args.listen)),
        }
    };
    let served = tokio::select! {
        served = serve => served,
        () = cancelled.cancelled() => Ok(()),
    };
    served
}

async fn on_socket(
    path: &Path,
    endpoint: &Endpoint,
    client: &Client,
    used: &str,
) -> Result<(), Failure> {
    let failed = |error: io::Error| cannot_listen(&path.display().to_string(), &error);
    let mut listener = Listener::bind(path).map_err(failed)?;
    talk(&format!("{used}listening on {endpoint}\n"));
    let mut relays = JoinSet::new();
    loop {
        let stream = listener.accept().await.map_err(failed)?;
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
            // Errors of a connection are the concern of its two ends.
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
    BuilderUsage::ListenAddress(address.to_owned()).into()
}

fn without_tls(address: &str) -> Failure {
    BuilderUsage::ListenWithoutTls(address.to_owned()).into()
}
