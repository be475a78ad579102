//! The text of an address: the form that can be parsed again, and the one for messages.

use std::fmt;

use super::{Address, Endpoint};

impl Address {
    /// Returns the address for messages: `the pod b0-1 (namespace ci)` for a pod, otherwise the
    /// text that [`Address::parse`] takes.
    pub fn in_words(&self) -> String {
        match self {
            Self::Buildkit(endpoint) => endpoint.in_words(),
            address => address.to_string(),
        }
    }
}

impl Endpoint {
    /// Returns the endpoint for messages, as [`Address::in_words`].
    pub fn in_words(&self) -> String {
        let pod = match self {
            Self::Process(process) => process.pod(),
            _ => None,
        };
        pod.map_or_else(|| self.to_string(), |pod| pod.to_string())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Pipe(path) => write!(f, "npipe://{}", path.display()),
            Self::Process(process) => process.fmt(f),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buildkit(endpoint) => endpoint.fmt(f),
            Self::Docker(None) => f.write_str("docker://"),
            Self::Docker(Some(pipe @ Endpoint::Pipe(_))) => write!(f, "docker://{pipe}"),
            Self::Docker(Some(endpoint)) => write!(f, "docker://{}", endpoint.bare()),
            Self::Container { engine, name } => write!(f, "container {name:?} at {engine}"),
        }
    }
}
