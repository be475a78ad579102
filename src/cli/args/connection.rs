//! Selects the daemon: `--builder` or `--addr`, TLS flags, the environment, the current builder,
//! the default sockets.

mod times;
mod unselected;

use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::complete;
use super::headings::DAEMON;
use crate::cli::report::usage::BuilderUsage;
use solvekit::builder::{Boot, Builder, DEFAULT_CONTEXT, Node};
use solvekit::client::{self, Address, Client, ConnectOptions, TimeLimits, TlsOptions};
use solvekit::oci::Platform;
use solvekit::registry::ClientOptions;

use super::builder::{Builders, Used};
use super::nodes::Reached;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::talk;
use times::{SilenceLimit, patience, silence_limit};
use unselected::{remember_default, warn_of_docker_host};

pub(crate) use times::waiting;
pub(crate) use unselected::ignored_docker_host;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = DAEMON)]
pub(crate) struct ConnectionArgs {
    /// Use this builder, or the daemon at this address [env: BUILDX_BUILDER]
    #[arg(
        long,
        global = true,
        value_name = "NAME|ADDRESS",
        conflicts_with = "addr", add = complete::builders())]
    builder: Option<String>,

    /// Use the BuildKit daemon at this address: unix://PATH, tcp://HOST:PORT, docker://[SOCKET]
    /// [env: BUILDKIT_HOST]
    #[arg(long, global = true, value_name = "ADDRESS")]
    addr: Option<String>,

    /// Wait this long for a connection: seconds, or a duration such as 1m30s
    #[arg(long, global = true, value_name = "TIME", default_value = "5", value_parser = patience)]
    timeout: Duration,

    /// Count a daemon as lost if it sends nothing for this long although it is asked: seconds, or a
    /// duration such as 10m; 0 waits without a limit
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "60",
        value_parser = silence_limit
    )]
    daemon_timeout: SilenceLimit,

    /// Verify the daemon's certificate with this certificate authority (PEM)
    #[arg(long, global = true, value_name = "FILE")]
    tlscacert: Option<PathBuf>,

    /// Present this client certificate to the daemon (PEM)
    #[arg(long, global = true, value_name = "FILE", requires = "tlskey")]
    tlscert: Option<PathBuf>,

    /// Use this key with the client certificate (PEM)
    #[arg(long, global = true, value_name = "FILE", requires = "tlscert")]
    tlskey: Option<PathBuf>,

    /// Expect this name in the daemon's certificate [default: the host of the address]
    #[arg(long, global = true, value_name = "NAME")]
    tlsservername: Option<String>,

    /// Read ca.pem, cert.pem and key.pem (or ca.crt, tls.crt and tls.key) from this folder
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        conflicts_with_all = ["tlscacert", "tlscert", "tlskey"]
    )]
    tlsdir: Option<PathBuf>,
}

/// The selection in flags and environment.
enum Asked<'a> {
    Address(&'a str),
    Builder(&'a str),
    Nothing,
}

/// The daemon or builder that was selected.
enum Found {
    Daemon(Box<Client>, Used),
    Builder(Box<Builders>, Builder),
}

impl ConnectionArgs {
    /// Connects to the daemon from the flags, the environment, the current builder or the default
    /// addresses.
    pub(crate) async fn connect(&self, environment: &Environment) -> Result<Client, Failure> {
        Ok(self.connect_for(environment, &[], &say).await?.0)
    }

    /// The same for a build of these platforms; also returns the daemon's names. If something has
    /// to be started first, `say` gets a line for each step.
    pub(crate) async fn connect_for(
        &self,
        environment: &Environment,
        platforms: &[Platform],
        say: &(dyn Fn(&str) + Sync),
    ) -> Result<(Client, Used), Failure> {
        // Only needed to pull a builder's image, which most commands do not.
        let credentials = environment.credentials().ok();
        let workflow = environment.workflow();
        let counter = AtomicU32::new(0);
        let boot = Boot {
            credentials: credentials.as_ref(),
            say,
            counter: Some(&counter),
            workflow: workflow.as_deref(),
            ..Boot::default()
        };
        let (client, used) = match self.found(environment, &boot).await? {
            Found::Daemon(client, used) => (*client, used),
            Found::Builder(builders, builder) => {
                let limits = self.limits();
                builders.connect(&builder, platforms, limits, &boot).await?
            }
        };
        environment.tell_debug(|| used.described(&client));
        Ok((client, used))
    }

    /// Connects to all nodes of the builder, or to the one daemon. Warns about nodes that are left
    /// out.
    pub(crate) async fn connect_all(
        &self,
        environment: &Environment,
    ) -> Result<Vec<(Client, Used)>, Failure> {
        let reached = self.reach(environment, "", &say).await?;
        if environment.identity == Identity::Buildx {
            // Like buildx, fail if a node of the builder is missing.
            reached.complete()?;
        }
        for warning in reached.warnings() {
            say(&warning);
        }
        Ok(reached.into_daemons())
    }

    /// The same for a question about the cache. Called as buildx, this starts no container.
    pub(crate) async fn connect_running(
        &self,
        environment: &Environment,
    ) -> Result<Vec<(Client, Used)>, Failure> {
        if environment.identity == Identity::Buildx
            && let Some((builders, builder)) = self.builder_of(environment)?
        {
            builders.require_running(&builder).await?;
        }
        self.connect_all(environment).await
    }

    /// All nodes that can take part in a build. In a cluster, builds with the same `sticky_key` go
    /// to the same pod.
    pub(crate) async fn reach(
        &self,
        environment: &Environment,
        sticky_key: &str,
        say: &(dyn Fn(&str) + Sync),
    ) -> Result<Reached, Failure> {
        let (credentials, workflow) = (environment.credentials().ok(), environment.workflow());
        let counter = AtomicU32::new(0);
        let boot = Boot {
            credentials: credentials.as_ref(),
            say,
            counter: Some(&counter),
            sticky_key,
            workflow: workflow.as_deref(),
        };
        let reached = match self.found(environment, &boot).await? {
            Found::Daemon(client, used) => Reached::one(*client, used),
            Found::Builder(builders, builder) => {
                builders.reach(&builder, self.limits(), &boot).await?
            }
        };
        reached.tell(environment);
        Ok(reached)
    }

    async fn found(&self, environment: &Environment, boot: &Boot<'_>) -> Result<Found, Failure> {
        let tls = self.tls()?;
        let client = match self.asked(environment) {
            Asked::Address(address) => self.connect_to(address, tls, environment).await?,
            Asked::Builder(name) if tls.is_some() => {
                return Err(BuilderUsage::TlsOfBuilder(name.to_owned()).into());
            }
            Asked::Builder(name) => {
                let builders = Builders::of(environment)?;
                let builder = builders.find(name)?;
                return Ok(Found::Builder(Box::new(builders), builder));
            }
            Asked::Nothing => match (&environment.buildkit_host, tls) {
                (Some(address), tls @ Some(_)) => {
                    self.connect_to(address, tls, environment).await?
                }
                (None, Some(_)) => return Err(BuilderUsage::TlsForNothing.into()),
                (host, None) => match self.chosen(environment, host.is_some())? {
                    Some((builders, builder)) => {
                        return Ok(Found::Builder(Box::new(builders), builder));
                    }
                    None => return self.found_by_default(environment, boot).await,
                },
            },
        };
        let used = Used::of_address(client.address());
        Ok(Found::Daemon(Box::new(client), used))
    }

    /// The daemon at a default address, or one that is started for this command.
    async fn found_by_default(
        &self,
        environment: &Environment,
        boot: &Boot<'_>,
    ) -> Result<Found, Failure> {
        let connected = self.connect_default(environment).await?;
        if connected.is_err() {
            warn_of_docker_host(environment);
        }
        let (client, used) = match connected {
            Ok(client) => {
                remember_default(&client, environment);
                let used = Used::of_address(client.address());
                (client, used)
            }
            Err(none @ client::Error::NotFound { .. }) => {
                self.start_local(environment, none, boot).await?
            }
            Err(error @ client::Error::InvalidAddress { .. }) => {
                return Err(BuilderUsage::Address(error).into());
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Found::Daemon(Box::new(client), used))
    }

    /// The builder from `--builder` or `BUILDX_BUILDER`, for commands that manage builders.
    pub(crate) fn builder_name<'a>(&'a self, environment: &'a Environment) -> Option<&'a str> {
        self.builder
            .as_deref()
            .or(environment.buildx_builder.as_deref())
    }

    /// The builder in use; `None` for a daemon that is selected by address.
    pub(crate) fn builder_of(
        &self,
        environment: &Environment,
    ) -> Result<Option<(Builders, Builder)>, Failure> {
        match self.asked(environment) {
            Asked::Address(_) => Ok(None),
            Asked::Builder(name) => {
                let builders = Builders::of(environment)?;
                let builder = builders.find(name)?;
                Ok(Some((builders, builder)))
            }
            Asked::Nothing => self.chosen(environment, environment.buildkit_host.is_some()),
        }
    }

    /// Adds the registries from the buildkitd.toml of the builder's nodes.
    pub(crate) fn add_registries(
        &self,
        options: &mut ClientOptions,
        environment: &Environment,
    ) -> Result<(), Failure> {
        let builder = self.builder_of(environment)?.map(|(_, builder)| builder);
        for node in builder.iter().flat_map(|builder| &builder.nodes) {
            node.add_registries(options);
        }
        Ok(())
    }

    /// True if the selected builder loads the result of a build without an output.
    pub(crate) fn loads_by_default(&self, environment: &Environment) -> Result<bool, Failure> {
        let builder = self.builder_of(environment)?.map(|(_, builder)| builder);
        let nodes = builder.iter().flat_map(|builder| &builder.nodes);
        Ok(nodes.into_iter().any(Node::loads_by_default))
    }

    /// The time limit of a connection attempt.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The time limits of a connection.
    pub(crate) fn limits(&self) -> TimeLimits {
        TimeLimits {
            connect: self.timeout,
            silence: self.daemon_timeout.0,
        }
    }

    /// Uses this address if the flags select nothing, even if there is a current builder.
    pub(crate) fn default_to(&mut self, address: &str) {
        if self.addr.is_none() && self.builder.is_none() {
            self.addr = Some(address.to_owned());
        }
    }

    /// The Docker Engine: from an address `docker://…`, else from the docker CLI's context.
    pub(crate) fn engine(&self, environment: &Environment) -> Result<ConnectOptions, Failure> {
        let asked = [self.addr.as_deref(), environment.buildkit_host.as_deref()];
        let given = asked
            .into_iter()
            .flatten()
            .find(|address| address.starts_with("docker://"));
        let mut options = match given {
            Some(address) => {
                let address = Address::parse(address)?;
                let address = address.with_docker_host(environment.docker_host.as_deref())?;
                let mut options = ConnectOptions::new(address);
                options.tls = self.tls()?;
                options.engine_headers = environment.contexts()?.engine_headers()?;
                options
            }
            None => {
                let contexts = environment.contexts()?;
                contexts.connect_options(contexts.current())?
            }
        };
        options.limits = self.limits();
        Ok(options)
    }

    /// The Docker Engine of a context of the docker CLI.
    pub(crate) fn engine_of(
        &self,
        context: &str,
        environment: &Environment,
    ) -> Result<ConnectOptions, Failure> {
        let mut options = environment.contexts()?.connect_options(context)?;
        options.limits = self.limits();
        Ok(options)
    }

    fn asked<'a>(&'a self, environment: &'a Environment) -> Asked<'a> {
        match (&self.addr, self.builder_name(environment)) {
            (Some(address), _) => Asked::Address(address),
            (None, Some(address)) if address.contains("://") => Asked::Address(address),
            (None, Some(name)) => Asked::Builder(name),
            (None, None) => Asked::Nothing,
        }
    }

    /// The builder that was selected with `use`; else the docker CLI's context, unless it is the
    /// default one or the environment gives an address.
    fn chosen(
        &self,
        environment: &Environment,
        has_host: bool,
    ) -> Result<Option<(Builders, solvekit::builder::Builder)>, Failure> {
        if environment.buildx_config.is_none() {
            return Ok(None);
        }
        let builders = Builders::of(environment)?;
        let builder = match builders.chosen()? {
            Some(builder) => Some(builder),
            None if !has_host && builders.contexts.current() != DEFAULT_CONTEXT => {
                Some(builders.of_current_context()?)
            }
            None => None,
        };
        Ok(builder.map(|builder| (builders, builder)))
    }

    async fn connect_to(
        &self,
        address: &str,
        tls: Option<TlsOptions>,
        environment: &Environment,
    ) -> Result<Client, Failure> {
        let address = Address::parse(address)
            .and_then(|address| address.with_docker_host(environment.docker_host.as_deref()))
            .map_err(BuilderUsage::Address)?;
        let mut options = ConnectOptions::new(address);
        options.tls = tls;
        options.limits = self.limits();
        if !matches!(options.address, Address::Buildkit(_)) {
            options.engine_headers = environment.contexts()?.engine_headers()?;
        }
        Ok(Client::connect(&options).await?)
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

/// Shows a step of starting a builder.
pub(crate) fn say(line: &str) {
    talk(&format!("{line}\n"));
}
