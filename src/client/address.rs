//! The address of a BuildKit: how it is parsed. No I/O.

mod text;

use std::path::PathBuf;

use solvekit_host::sockets::{DOCKER_ENGINE, HAS_PIPES, HAS_UNIX, LOCAL_SCHEME};

use super::{AddressProblem, Error, Process};
use crate::text::is_unprintable;

/// Docker's default port. (Its TLS port, 2376, must be written.)
const DOCKER_PORT: u16 = 2375;

/// Schemes that are supported only on other systems.
const NOT_HERE: &[&str] = match (HAS_UNIX, HAS_PIPES) {
    (true, false) => &["npipe"],
    (false, true) => &["unix"],
    _ => &[],
};

/// The address of a BuildKit.
///
/// | text | meaning |
/// |---|---|
/// | `unix:///run/buildkit/buildkitd.sock` | a socket of `buildkitd` |
/// | `npipe:////./pipe/buildkitd` | the same on Windows: a named pipe |
/// | `tcp://host:1234`, `tcp://[::1]:1234` | a port of `buildkitd`, with TLS if configured |
/// | `docker://` | the BuildKit in the Docker Engine of `DOCKER_HOST` or the default socket |
/// | `docker:///path/docker.sock`, `docker://unix:///path/docker.sock` | the same, on this socket |
/// | `docker://host:2375`, `docker://tcp://host:2375` | the same, on this port |
/// | `docker://ssh://[user@]host[:port][/socket]` | the same, on another machine, through `ssh` |
/// | `docker-container://NAME[?context=C]` | the BuildKit in a container, through `docker exec` |
/// | `podman-container://NAME` | the same, through `podman exec` |
/// | `nerdctl-container://NAME[?namespace=N]` | the same, through `nerdctl exec` |
/// | `kube-pod://POD[?context=C&…]` | the BuildKit in a pod, through `kubectl exec` |
/// | `ssh://[user@]host[:port][/socket]` | the BuildKit on another machine, through `ssh` |
///
/// The query of `kube-pod` can also have `namespace`, `container` and `kubeconfig`. Addresses that
/// use a program run `buildctl dial-stdio` at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// The endpoint of a `buildkitd`.
    Buildkit(Endpoint),
    /// A Docker Engine, through whose API its BuildKit is reached; `None` is the default socket.
    Docker(Option<Endpoint>),
    /// The BuildKit in a container of a Docker Engine, through the engine's API. It has no parsed
    /// text form.
    Container {
        /// The engine.
        engine: Box<Endpoint>,
        /// The container's name.
        name: Box<str>,
    },
}

/// An endpoint for a byte stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A Unix socket, by its absolute path.
    Unix(PathBuf),
    /// A named pipe of Windows, by its path.
    Pipe(PathBuf),
    /// A TCP port. The host is a name or an IP address, an IPv6 one without brackets.
    Tcp {
        /// The host's name or IP address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A program's standard input and output.
    Process(Box<Process>),
}

impl Address {
    /// Parses one of the address forms above.
    ///
    /// # Errors
    /// [`Error::UnsupportedScheme`] for schemes that other BuildKit clients support;
    /// [`Error::InvalidAddress`] for everything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.contains(is_unprintable) {
            return Err(invalid(text, AddressProblem::ControlCharacters));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(invalid(text, no_scheme(text)));
        };
        match scheme {
            other if NOT_HERE.contains(&other) => Err(Error::UnsupportedScheme {
                scheme: other.to_owned(),
            }),
            "npipe" => Ok(Self::Buildkit(Endpoint::Pipe(rest.into()))),
            "unix" => Ok(Self::Buildkit(unix(text, rest)?)),
            "tcp" => Ok(Self::Buildkit(tcp(text, rest, None)?)),
            "docker" => docker(text, rest).map(Self::Docker),
            "http" | "https" => {
                let authority = rest.to_owned();
                Err(invalid(text, AddressProblem::Http { authority }))
            }
            other => match Process::of_buildkit(text) {
                Some(process) => Ok(Self::Buildkit(Endpoint::Process(Box::new(process?)))),
                None => {
                    let scheme = other.to_owned();
                    Err(invalid(text, AddressProblem::UnknownScheme { scheme }))
                }
            },
        }
    }

    /// Sets the endpoint of a `docker://` address without one to `docker_host`, the value of
    /// `DOCKER_HOST`. Other addresses stay unchanged.
    ///
    /// # Errors
    /// As [`Address::parse`], if `docker_host` is not `unix://…`, `tcp://…` or `ssh://…`.
    pub fn with_docker_host(self, docker_host: Option<&str>) -> Result<Self, Error> {
        match (self, docker_host) {
            (Self::Docker(None), Some(host)) if !host.is_empty() => {
                Self::parse(&format!("docker://{host}"))
            }
            (address, _) => Ok(address),
        }
    }

    /// Returns the endpoint to dial.
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Self::Buildkit(endpoint) | Self::Docker(Some(endpoint)) => endpoint.clone(),
            Self::Container { engine, .. } => (**engine).clone(),
            Self::Docker(None) => Endpoint::local(DOCKER_ENGINE),
        }
    }
}

impl Endpoint {
    /// A local address of this system: the path of a socket, or of a named pipe on systems without
    /// sockets.
    pub(super) fn local(address: &str) -> Self {
        let path = address.split_once("://").map_or(address, |(_, path)| path);
        match HAS_UNIX {
            true => Self::Unix(path.into()),
            false => Self::Pipe(path.into()),
        }
    }

    /// Returns the default name that a server certificate must have: the host, or `localhost` for a
    /// socket or a program.
    pub fn server_name(&self) -> &str {
        match self {
            Self::Unix(_) | Self::Pipe(_) | Self::Process(_) => "localhost",
            Self::Tcp { host, .. } => host,
        }
    }

    /// Returns the path or `host:port`: the text after the scheme.
    pub(super) fn bare(&self) -> String {
        match self {
            Self::Unix(path) | Self::Pipe(path) => path.display().to_string(),
            Self::Process(process) => process.to_string(),
            tcp => tcp.to_string().trim_start_matches("tcp://").to_owned(),
        }
    }
}

fn docker(text: &str, rest: &str) -> Result<Option<Endpoint>, Error> {
    if rest.is_empty() {
        return Ok(None);
    }
    match rest.split_once("://") {
        Some((scheme, _)) if NOT_HERE.contains(&scheme) => Err(Error::UnsupportedScheme {
            scheme: format!("docker://{scheme}"),
        }),
        Some(("npipe", path)) => Ok(Some(Endpoint::Pipe(path.into()))),
        Some(("unix", path)) => unix(text, path).map(Some),
        Some(("tcp", host)) => tcp(text, host, Some(DOCKER_PORT)).map(Some),
        Some(("ssh", rest)) => {
            Process::of_engine(text, rest).map(|process| Some(Endpoint::Process(Box::new(process))))
        }
        Some((scheme, _)) => {
            let scheme = scheme.to_owned();
            Err(invalid(text, AddressProblem::EngineScheme { scheme }))
        }
        None if rest.starts_with('/') => unix(text, rest).map(Some),
        None => tcp(text, rest, Some(DOCKER_PORT)).map(Some),
    }
}

fn unix(text: &str, path: &str) -> Result<Endpoint, Error> {
    if !path.starts_with('/') {
        return Err(invalid(text, AddressProblem::RelativePath));
    }
    Ok(Endpoint::Unix(path.into()))
}

fn tcp(text: &str, rest: &str, default_port: Option<u16>) -> Result<Endpoint, Error> {
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains('@') {
        return Err(Error::AddressWithUser);
    }
    if authority.contains(['/', '?', '#']) {
        return Err(invalid(text, AddressProblem::AfterPort));
    }
    let (host, port) =
        split_port(authority).ok_or_else(|| invalid(text, AddressProblem::HostAndPort))?;
    if host.is_empty() {
        return Err(invalid(text, AddressProblem::NoHost));
    }
    let port = match (port, default_port) {
        (Some(port), _) => match port.parse() {
            Ok(port) if port != 0 => port,
            _ => {
                let port = port.to_owned();
                return Err(invalid(text, AddressProblem::Port { port }));
            }
        },
        (None, Some(port)) => port,
        (None, None) => {
            let authority = authority.to_owned();
            return Err(invalid(text, AddressProblem::NoPort { authority }));
        }
    };
    let host = host.to_owned();
    Ok(Endpoint::Tcp { host, port })
}

/// Splits `host`, `host:port`, `[v6]` and `[v6]:port`.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn no_scheme(text: &str) -> AddressProblem {
    let suggestion = if text.starts_with('/') {
        format!("{LOCAL_SCHEME}://{text}")
    } else if split_port(text).is_some_and(|(_, port)| port.is_some()) {
        format!("tcp://{text}")
    } else {
        format!("{LOCAL_SCHEME}://, tcp:// or docker://")
    };
    AddressProblem::NoScheme { suggestion }
}

fn invalid(address: &str, reason: AddressProblem) -> Error {
    if address.contains('@') {
        return Error::AddressWithUser;
    }
    Error::InvalidAddress {
        address: address.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests;
