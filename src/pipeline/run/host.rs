//! Lines of `/etc/hosts` for `RUN` with addresses that only the daemon knows.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::client::{Client, Worker};
use crate::pipeline::{BuildRequest, Error};

/// The label of a Docker engine's worker with the address of its machine, as seen by containers.
const GATEWAY: &str = "org.mobyproject.buildkit.worker.moby.host-gateway-ip";

/// The address of a host in `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostAddress {
    /// An address.
    Ip(IpAddr),
    /// The machine of the engine that builds, as seen by containers: each node has its own.
    Gateway,
}

/// Returns the request with the addresses that the daemon knows.
///
/// # Errors
/// [`Error::NoHostGateway`] if the daemon does not report the address; only Docker engines do.
pub(super) async fn resolved<'a>(
    request: &'a BuildRequest,
    client: &Client,
) -> Result<Cow<'a, BuildRequest>, Error> {
    let mut hosts = request.extra_hosts.iter();
    let Some((name, _)) = hosts.find(|(_, address)| *address == HostAddress::Gateway) else {
        return Ok(Cow::Borrowed(request));
    };
    let workers = client.workers().await?;
    let gateway = gateway(&workers).ok_or_else(|| Error::NoHostGateway { host: name.clone() })?;
    let mut request = request.clone();
    for (_, address) in &mut request.extra_hosts {
        if *address == HostAddress::Gateway {
            *address = HostAddress::Ip(gateway);
        }
    }
    Ok(Cow::Owned(request))
}

fn gateway(workers: &[Worker]) -> Option<IpAddr> {
    let mut labels = workers
        .iter()
        .filter_map(|worker| worker.labels.get(GATEWAY));
    labels.find_map(|address| address.parse().ok())
}
