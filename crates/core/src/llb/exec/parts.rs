//! What a process can be given besides mounts: secrets, agents, devices, proxies, names, limits.

use std::net::IpAddr;

/// A secret of the client, as a file, a variable or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub id: String,
    /// The file.
    pub target: Option<String>,
    /// The variable.
    pub env: Option<String>,
    /// The file's owner.
    pub uid: u32,
    /// The file's group.
    pub gid: u32,
    /// The file's mode.
    pub mode: u32,
    /// Run without it when the client does not have it.
    pub optional: bool,
}

/// The client's SSH agent behind a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshSocket {
    /// Which agent.
    pub id: String,
    /// The socket; empty for `/run/buildkit/ssh_agent.N`.
    pub target: String,
    /// The socket's owner.
    pub uid: u32,
    /// The socket's group.
    pub gid: u32,
    /// The socket's mode.
    pub mode: u32,
    /// Run without it when the client does not have it.
    pub optional: bool,
}

/// A CDI device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its qualified name.
    pub name: String,
    /// Run without it when the worker does not have it.
    pub optional: bool,
}

/// Proxies for the process that do not change the cache key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyEnv {
    /// `http_proxy`
    pub http: String,
    /// `https_proxy`
    pub https: String,
    /// `ftp_proxy`
    pub ftp: String,
    /// `no_proxy`
    pub no: String,
    /// `all_proxy`
    pub all: String,
}

/// A line of `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostIp {
    /// The name.
    pub host: String,
    /// The address as Go prints it.
    pub ip: String,
}

impl HostIp {
    /// A line of `/etc/hosts`, written as Go's client writes it.
    pub fn new(host: &str, address: IpAddr) -> Self {
        Self {
            host: host.to_lowercase(),
            ip: address.to_canonical().to_string(),
        }
    }
}
