//! Detects if a daemon runs on this machine.

use std::path::Path;

use http::Method;

use super::Machine;
use crate::client::{Address, Client, ConnectOptions, Endpoint, Engine, Worker};

/// The worker label with the name of its machine or container.
const HOSTNAME: &str = "org.mobyproject.buildkit.worker.hostname";

/// Returns the daemon's machine if it is this one. `None` for a remote daemon, one in a virtual
/// machine (Docker Desktop), or if unknown.
pub async fn machine_of(client: &Client, workers: &[Worker]) -> Option<Machine> {
    let machine = Machine::read(Path::new("/")).ok()?;
    let is_here = match client.address() {
        Address::Buildkit(endpoint) => {
            let mut names = workers
                .iter()
                .filter_map(|worker| worker.labels.get(HOSTNAME));
            is_near(endpoint) && names.any(|name| *name == machine.hostname)
        }
        address @ (Address::Docker(_) | Address::Container { .. }) => {
            let endpoint = address.endpoint();
            is_near(&endpoint) && is_of(&machine, client.engine_options(endpoint)).await
        }
    };
    is_here.then_some(machine)
}

fn is_near(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Unix(_) | Endpoint::Pipe(_) => true,
        Endpoint::Tcp { host, .. } => {
            host == "localhost"
                || host
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Endpoint::Process(_) => false,
    }
}

/// An engine's containers share the engine's kernel.
async fn is_of(machine: &Machine, options: ConnectOptions) -> bool {
    let info = async {
        let engine = Engine::new(&options).await?;
        engine
            .call("tell about itself", Method::GET, "/info", None)
            .await
    };
    let Ok(info) = info.await.map(|answer| answer.json()) else {
        return false;
    };
    info["Name"] == machine.hostname.as_str() && info["KernelVersion"] == machine.release.as_str()
}
