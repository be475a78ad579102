//! The socket through which the docker CLI tells its plugin to exit.

use solvekit_host::sockets::connect_plugin;
use tokio::io::AsyncReadExt as _;

/// The variable with its address: `@NAME` in the abstract namespace, or a path.
const VARIABLE: &str = "DOCKER_CLI_PLUGIN_SOCKET";

/// Returns when the docker CLI that started this process has exited or was interrupted. Never
/// returns without a docker CLI.
pub(crate) async fn closed() {
    let address = std::env::var(VARIABLE).ok();
    let Some(mut socket) = address.and_then(|address| connect_plugin(&address).ok()) else {
        return std::future::pending().await;
    };
    let mut byte = [0];
    while matches!(socket.read(&mut byte).await, Ok(1..)) {}
}
