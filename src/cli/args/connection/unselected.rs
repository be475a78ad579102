//! The daemon of a machine where nothing is selected: at a default address, or started for the
//! command.

use solvekit::builder::{Boot, Builder, DEFAULT_CONTEXT, Driver, Error, Instance, NodeSettings};
use solvekit::client::{self, Address, Client, ConnectOptions, Surroundings};

use super::{Asked, ConnectionArgs, say};
use crate::cli::args::builder::{Builders, Used};
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::warn;

/// The daemon that a command starts for itself if none is found.
const BUILDKITD: &str = "buildkitd";

impl ConnectionArgs {
    /// Connects to the daemon of a command without a builder, and starts none. `None` if a build
    /// would start one.
    pub(crate) async fn connect_existing(
        &self,
        environment: &Environment,
    ) -> Result<Option<Client>, Failure> {
        let is_selected = environment.buildkit_host.is_some() || self.tls()?.is_some();
        if !is_selected && matches!(self.asked(environment), Asked::Nothing) {
            return match self.connect_default(environment).await? {
                Err(client::Error::NotFound { .. }) if environment.has_program(BUILDKITD) => {
                    Ok(None)
                }
                connected => Ok(Some(connected?)),
            };
        }
        let (client, _) = self.connect_for(environment, &[], &say).await?;
        Ok(Some(client))
    }

    /// Starts a daemon for this command, after none was found. Without buildkitd on this machine
    /// the error is `none`.
    pub(super) async fn start_local(
        &self,
        environment: &Environment,
        none: client::Error,
        boot: &Boot<'_>,
    ) -> Result<(Client, Used), Failure> {
        if !environment.has_program(BUILDKITD) {
            return Err(none.into());
        }
        let mut builder = Builder::new("local", Driver::Local);
        let node = NodeSettings {
            endpoint: "local".to_owned(),
            ..NodeSettings::default()
        };
        builder.set_node(node, true)?;
        let contexts = environment.contexts()?;
        let Ok(instance) = Instance::new(&builder, &builder.nodes[0], &contexts) else {
            return Err(none.into());
        };
        match instance.connect(self.limits(), boot).await {
            Ok(client) => Ok((client, Used::of(&builder, &instance))),
            Err(Error::NotOnPath { .. }) => Err(none.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Connects to the first of the default addresses that answers.
    pub(super) async fn connect_default(
        &self,
        environment: &Environment,
    ) -> Result<Result<Client, client::Error>, Failure> {
        let surroundings = Surroundings {
            buildkit_host: environment.buildkit_host.as_deref(),
            runtime_dir: environment.runtime_dir.as_deref(),
            docker_host: environment.docker_host.as_deref(),
        };
        let mut addresses = match client::default_addresses(&surroundings) {
            Ok(addresses) => addresses,
            Err(error) => return Ok(Err(error)),
        };
        if environment.identity == Identity::Buildx {
            // buildx's default builder comes first; the other addresses are for machines without
            // it.
            addresses.sort_by_key(|address| !matches!(address, Address::Docker(_)));
        }
        let engine_headers = environment.contexts()?.engine_headers()?;
        let places = addresses.into_iter().map(|address| ConnectOptions {
            limits: self.limits(),
            engine_headers: engine_headers.clone(),
            ..ConnectOptions::new(address)
        });
        Ok(client::connect_default(&places.collect::<Vec<_>>()).await)
    }
}

/// Warns that the search for a daemon ignored `DOCKER_HOST`, if that is no address.
pub(super) fn warn_of_docker_host(environment: &Environment) {
    if let Some(failure) = ignored_docker_host(environment) {
        warn(failure.message());
    }
}

/// Why the search for a daemon ignores `DOCKER_HOST`, if it does.
pub(crate) fn ignored_docker_host(environment: &Environment) -> Option<Failure> {
    let is_sought = environment.buildkit_host.is_none();
    let host = environment.docker_host.as_deref().filter(|_| is_sought);
    let error = Address::Docker(None).with_docker_host(host).err()?;
    Some(Failure::from(error).with_prefix("DOCKER_HOST is ignored"))
}

/// The engine without a builder belongs to the default context, so record the use of that context.
pub(super) fn remember_default(client: &Client, environment: &Environment) {
    let is_default = environment.buildkit_host.is_none();
    if let (true, Address::Docker(_), Ok(builders)) =
        (is_default, client.address(), Builders::of(environment))
    {
        builders.remember_use(DEFAULT_CONTEXT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_docker_host_that_is_no_address_is_ignored_only_if_it_is_sought() {
        let mut environment = Environment {
            docker_host: Some("a\nb".to_owned()),
            ..Environment::default()
        };
        let failure = ignored_docker_host(&environment).unwrap();
        let message = "DOCKER_HOST is ignored: invalid BuildKit address \"docker://a\\nb\"";
        assert!(
            failure.message().starts_with(message),
            "{}",
            failure.message()
        );
        environment.buildkit_host = Some("unix:///b.sock".to_owned());
        assert!(ignored_docker_host(&environment).is_none());
        environment.buildkit_host = None;
        environment.docker_host = Some("tcp://engine:2375".to_owned());
        assert!(ignored_docker_host(&environment).is_none());
    }
}
