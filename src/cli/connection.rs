//! Which daemon: `--addr`, TLS flags, the environment, the default sockets.

use std::path::PathBuf;
use std::time::Duration;

use solvekit::client::{self, Address, Client, ConnectOptions, Surroundings, TlsOptions};

use super::Failure;
use super::environment::Environment;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Daemon")]
pub(super) struct ConnectionArgs {
    /// Address of the BuildKit daemon: unix://PATH, tcp://HOST:PORT, docker://[SOCKET] [env: BUILDKIT_HOST]
    #[arg(long, global = true, value_name = "ADDRESS", visible_alias = "builder")]
    addr: Option<String>,

    /// Seconds to wait for the connection
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// Certificate authority of the daemon's certificate (PEM)
    #[arg(long, global = true, value_name = "FILE")]
    tlscacert: Option<PathBuf>,

    /// Client certificate (PEM)
    #[arg(long, global = true, value_name = "FILE", requires = "tlskey")]
    tlscert: Option<PathBuf>,

    /// Key of the client certificate (PEM)
    #[arg(long, global = true, value_name = "FILE", requires = "tlscert")]
    tlskey: Option<PathBuf>,

    /// Name that the daemon's certificate has to carry [default: the address' host]
    #[arg(long, global = true, value_name = "NAME")]
    tlsservername: Option<String>,

    /// Folder with ca.pem, cert.pem, key.pem (or ca.crt, tls.crt, tls.key)
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["tlscacert", "tlscert", "tlskey"])]
    tlsdir: Option<PathBuf>,
}

impl ConnectionArgs {
    /// Connects to the daemon that the flags, the environment or the default places name.
    pub(super) async fn connect(&self, environment: &Environment) -> Result<Client, Failure> {
        let timeout = Duration::from_secs(self.timeout);
        let given = self
            .addr
            .as_deref()
            .or(environment.buildkit_host.as_deref());
        let client = match (given, self.tls()?) {
            (Some(address), tls) => {
                let address = Address::parse(address)
                    .and_then(|address| {
                        address.with_docker_host(environment.docker_host.as_deref())
                    })
                    .map_err(|error| Failure::from(error).hint(ADDRESSES))?;
                let mut options = ConnectOptions::new(address);
                options.tls = tls;
                options.timeout = timeout;
                Client::connect(&options).await
            }
            (None, Some(_)) => {
                return Err(
                    Failure::new("TLS options are given without an address").hint(
                        "say which daemon they are for: --addr tcp://HOST:PORT, or BUILDKIT_HOST",
                    ),
                );
            }
            (None, None) => {
                let places = client::default_addresses(&Surroundings {
                    buildkit_host: None,
                    runtime_dir: environment.runtime_dir.as_deref(),
                    docker_host: environment.docker_host.as_deref(),
                })?;
                client::connect_default(&places, timeout).await
            }
        };
        Ok(client?)
    }

    fn tls(&self) -> Result<Option<TlsOptions>, Failure> {
        let mut tls = match &self.tlsdir {
            Some(folder) => TlsOptions::from_folder(folder)?,
            None => TlsOptions {
                ca: self.tlscacert.clone(),
                cert: self.tlscert.clone(),
                key: self.tlskey.clone(),
                ..TlsOptions::default()
            },
        };
        tls.server_name = self.tlsservername.clone();
        Ok((tls != TlsOptions::default()).then_some(tls))
    }
}

const ADDRESSES: &str = "an address is unix:///path/buildkitd.sock, tcp://host:1234, docker:// or docker:///path/docker.sock";

/// What the daemon is called where buildx would name a builder and its node.
#[derive(Debug)]
pub(super) struct Builder {
    pub(super) name: &'static str,
    pub(super) node: &'static str,
    pub(super) driver: &'static str,
}

impl Builder {
    pub(super) fn of(address: &Address) -> Self {
        match address {
            Address::Docker(_) => Self {
                name: "default",
                node: "default",
                driver: "docker",
            },
            _ => Self {
                name: "remote",
                node: "remote0",
                driver: "remote",
            },
        }
    }
}
