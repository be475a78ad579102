//! `solvekit proxy`: makes any builder available at a plain BuildKit address.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use solvekit::client::{Address, Client, Endpoint, ServerTls};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, UnixListener};
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
            Endpoint::Unix(path) => on_socket(path, &client, &dial_stdio::describe(&used)).await,
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

/// A socket that this process has bound. It is removed when this is dropped, unless it was replaced
/// in the meantime.
struct Bound {
    path: PathBuf,
    listener: UnixListener,
    /// Device and inode.
    identity: (u64, u64),
}

impl Bound {
    fn at(path: &Path) -> io::Result<Self> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        let found = std::fs::symlink_metadata(path)?;
        let bound = Self {
            path: path.to_owned(),
            listener,
            identity: (found.dev(), found.ino()),
        };
        // Only this user may use the builder.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(bound)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket that nobody listens on. Any other file stays, and then binding fails.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

async fn on_socket(path: &Path, client: &Client, used: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| cannot_listen(&path.display().to_string(), &error);
    let bound = Bound::at(path).map_err(failed)?;
    talk(&format!("{used}listening on unix://{}\n", path.display()));
    let mut relays = JoinSet::new();
    loop {
        let (stream, _) = bound.listener.accept().await.map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_this_process_did_not_bind_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "kept").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let live = folder.path().join("live");
        let _listener = std::os::unix::net::UnixListener::bind(&live).unwrap();
        for path in [&file, &link, &live] {
            let error = Bound::at(path).map(drop).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{}", path.display());
            assert!(path.symlink_metadata().is_ok(), "{}", path.display());
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    }

    #[tokio::test]
    async fn a_socket_goes_with_its_process_unless_another_took_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let bound = Bound::at(&path).unwrap();
        drop(bound);
        assert!(path.symlink_metadata().is_err());

        let bound = Bound::at(&path).unwrap();
        std::fs::rename(&path, folder.path().join("away")).unwrap();
        std::fs::write(&path, "another's").unwrap();
        drop(bound);
        assert_eq!(std::fs::read(&path).unwrap(), b"another's");
    }
}
