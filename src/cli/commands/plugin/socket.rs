//! The socket through which the docker CLI tells its plugin to exit.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};

use tokio::io::AsyncReadExt as _;

/// The variable with its address: `@NAME` in the abstract namespace, or a path.
const VARIABLE: &str = "DOCKER_CLI_PLUGIN_SOCKET";

/// Returns when the docker CLI that started this process has exited or was interrupted. Never
/// returns without a docker CLI.
pub(crate) async fn closed() {
    let Some(socket) = connect() else {
        return std::future::pending().await;
    };
    let Ok(mut socket) = tokio::net::UnixStream::from_std(socket) else {
        return std::future::pending().await;
    };
    let mut byte = [0];
    while matches!(socket.read(&mut byte).await, Ok(1..)) {}
}

fn connect() -> Option<UnixStream> {
    let address = std::env::var(VARIABLE).ok()?;
    let address = match address.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name).ok()?,
        None => SocketAddr::from_pathname(address).ok()?,
    };
    let socket = UnixStream::connect_addr(&address).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
