//! The usual places of a BuildKit, and the first of them that has one.

use std::{path::Path, time::Duration};

use super::{Address, Client, ConnectOptions, Endpoint, Error, dialer::Dialer};

/// The socket of BuildKit's own daemon when nothing else is said.
const BUILDKITD_SOCKET: &str = "/run/buildkit/buildkitd.sock";

/// What the environment says about the places of BuildKit. The values are read by the caller, nothing here does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// `BUILDKIT_HOST`.
    pub buildkit_host: Option<&'a str>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<&'a Path>,
    /// `DOCKER_HOST`.
    pub docker_host: Option<&'a str>,
}

/// The addresses to try when none is given, in order: `BUILDKIT_HOST` and nothing else if it is set; else the daemon's
/// socket, the rootless daemon's socket, and the BuildKit inside the Docker Engine.
///
/// The last is only of use if the engine has the containerd image store: [`connect_default`] looks.
///
/// # Errors
/// As [`Address::parse`], for a `BUILDKIT_HOST` that is no address. A `DOCKER_HOST` that cannot be used is left out.
pub fn default_addresses(surroundings: &Surroundings<'_>) -> Result<Vec<Address>, Error> {
    if let Some(host) = surroundings.buildkit_host.filter(|host| !host.is_empty()) {
        return Ok(vec![
            Address::parse(host)?.with_docker_host(surroundings.docker_host)?,
        ]);
    }
    let mut addresses = vec![Address::Buildkit(Endpoint::Unix(BUILDKITD_SOCKET.into()))];
    if let Some(folder) = surroundings.runtime_dir.filter(|path| path.is_absolute()) {
        let socket = folder.join("buildkit/buildkitd.sock");
        addresses.push(Address::Buildkit(Endpoint::Unix(socket)));
    }
    addresses.extend(Address::Docker(None).with_docker_host(surroundings.docker_host));
    Ok(addresses)
}

/// Connects to the first of several places that has a BuildKit, in their order (see [`default_addresses`]). A Docker
/// Engine is taken if it uses the containerd image store, or if it is the only place. Each place has `timeout` for itself.
///
/// # Errors
/// The place's own [`Error::Connect`] if there is one place, else [`Error::NotFound`] with what is wrong at each.
pub async fn connect_default(addresses: &[Address], timeout: Duration) -> Result<Client, Error> {
    if let [address] = addresses {
        let options = ConnectOptions {
            timeout,
            ..ConnectOptions::new(address.clone())
        };
        return Client::connect(&options).await;
    }
    let mut attempts = Vec::new();
    for address in addresses {
        let options = ConnectOptions {
            timeout,
            ..ConnectOptions::new(address.clone())
        };
        match Dialer::new(&options).await?.connect_if_useful().await {
            Ok(client) => return Ok(client),
            Err(problem) => attempts.push((address.clone(), problem)),
        }
    }
    Err(Error::NotFound { attempts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildkit_host_wins_over_all_other_places() {
        let addresses = |buildkit_host, runtime_dir: Option<&str>, docker_host| {
            let surroundings = Surroundings {
                buildkit_host,
                runtime_dir: runtime_dir.map(Path::new),
                docker_host,
            };
            let found = default_addresses(&surroundings).unwrap();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            addresses(Some("tcp://a:1"), Some("/run/user/1"), None),
            ["tcp://a:1"]
        );
        assert_eq!(
            addresses(Some("docker://"), None, Some("tcp://e:2375")),
            ["docker://e:2375"]
        );
        assert_eq!(
            addresses(None, Some("/run/user/1"), Some("unix:///d.sock")),
            [
                "unix:///run/buildkit/buildkitd.sock",
                "unix:///run/user/1/buildkit/buildkitd.sock",
                "docker:///d.sock"
            ]
        );
        assert_eq!(
            addresses(Some(""), None, Some("npipe://x")),
            ["unix:///run/buildkit/buildkitd.sock"]
        );
    }
}
