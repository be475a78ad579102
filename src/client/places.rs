//! The default addresses of a BuildKit, and connecting to the first that has one.

use std::path::Path;

use solvekit_host::sockets::BUILDKITD;

use super::{Address, Client, ConnectOptions, Endpoint, Error, dialer::Dialer};

/// The environment variables that locate BuildKit. The caller reads them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The value of `BUILDKIT_HOST`.
    pub buildkit_host: Option<&'a str>,
    /// The value of `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<&'a Path>,
    /// The value of `DOCKER_HOST`.
    pub docker_host: Option<&'a str>,
}

/// Returns the addresses to try by default, in order: only `BUILDKIT_HOST` if it is set; else the
/// daemon's socket, the rootless daemon's socket, and the BuildKit inside the Docker Engine.
///
/// # Errors
/// As [`Address::parse`], for a malformed `BUILDKIT_HOST`. An unusable `DOCKER_HOST` is ignored.
pub fn default_addresses(surroundings: &Surroundings<'_>) -> Result<Vec<Address>, Error> {
    if let Some(host) = surroundings.buildkit_host.filter(|host| !host.is_empty()) {
        return Ok(vec![
            Address::parse(host)?.with_docker_host(surroundings.docker_host)?,
        ]);
    }
    let mut addresses = vec![Address::Buildkit(Endpoint::local(BUILDKITD))];
    if let Some(folder) = surroundings.runtime_dir.filter(|path| path.is_absolute()) {
        let socket = folder.join("buildkit/buildkitd.sock");
        addresses.push(Address::Buildkit(Endpoint::Unix(socket)));
    }
    addresses.extend(Address::Docker(None).with_docker_host(surroundings.docker_host));
    Ok(addresses)
}

/// Connects to the first place that has a BuildKit (see [`default_addresses`]). Each place has its
/// own time limit.
///
/// # Errors
/// [`Error::Connect`] if there is only one place, else [`Error::NotFound`] with the problem at
/// each.
pub async fn connect_default(places: &[ConnectOptions]) -> Result<Client, Error> {
    if let [options] = places {
        return Client::connect(options).await;
    }
    let mut attempts = Vec::new();
    for options in places {
        match Dialer::new(options).await?.connect().await {
            Ok(client) => return Ok(client),
            Err(problem) => attempts.push((options.address.clone(), problem)),
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
