//! The settings of a process besides mounts: secrets, agents, devices, proxies, names, limits.

use std::net::IpAddr;

/// A secret of the client, as a file, a variable or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// The secret's id.
    pub id: String,
    /// The path of the file.
    pub target: Option<String>,
    /// The name of the variable.
    pub env: Option<String>,
    /// The user id of the file's owner.
    pub uid: u32,
    /// The group id of the file.
    pub gid: u32,
    /// The file's permission bits.
    pub mode: u32,
    /// True to run without the secret if the client does not have it.
    pub optional: bool,
}

/// A socket that forwards to the client's SSH agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshSocket {
    /// The agent's id.
    pub id: String,
    /// The path of the socket; empty for `/run/buildkit/ssh_agent.N`.
    pub target: String,
    /// The user id of the socket's owner.
    pub uid: u32,
    /// The group id of the socket.
    pub gid: u32,
    /// The socket's permission bits.
    pub mode: u32,
    /// True to run without the agent if the client does not have it.
    pub optional: bool,
}

/// A CDI device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its qualified name.
    pub name: String,
    /// True to run without the device if the worker does not have it.
    pub optional: bool,
}

/// Proxies for the process. They do not change the cache key.
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
    /// Returns a line of `/etc/hosts`, formatted as Go's client does.
    pub fn new(host: &str, address: IpAddr) -> Self {
        Self {
            host: host.to_lowercase(),
            ip: address.to_canonical().to_string(),
        }
    }
}
