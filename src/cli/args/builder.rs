//! Selects a builder: the store, the contexts of the docker CLI, the given name and the current
//! builder.

use futures_util::future::join_all;
use solvekit::builder::{Boot, Builder, Contexts, Driver, Error, Instance, Report, Status, Store};
use solvekit::client::{Address, Client, TimeLimits};
use solvekit::oci::Platform;

use super::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::usage::BuilderUsage;

/// All builders of this user.
#[derive(Debug, Clone)]
pub(crate) struct Builders {
    pub(crate) store: Store,
    pub(crate) contexts: Contexts,
    /// True if `DOCKER_CONTEXT` (or `docker --context`) names the current context.
    is_context_given: bool,
}

/// The names of the daemon in use for messages and references: its builder and its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) builder: String,
    pub(crate) node: String,
    pub(crate) driver: String,
}

impl Used {
    /// A daemon without a builder gets the names that buildx would use for it.
    pub(crate) fn of_address(address: &Address) -> Self {
        let (builder, node, driver) = match address {
            Address::Docker(_) => ("default", "default", "docker"),
            _ => ("remote", "remote0", "remote"),
        };
        Self {
            builder: builder.to_owned(),
            node: node.to_owned(),
            driver: driver.to_owned(),
        }
    }

    /// The description of a connection for `--debug`.
    pub(crate) fn described(&self, client: &Client) -> String {
        let Self {
            builder,
            node,
            driver,
            ..
        } = self;
        let address = client.address();
        format!("builder {builder}, node {node}, driver {driver}, at {address}")
    }

    pub(crate) fn of(builder: &Builder, instance: &Instance) -> Self {
        Self {
            builder: builder.name.clone(),
            node: instance.node.name.clone(),
            driver: instance.driver.to_string(),
        }
    }
}

impl Builders {
    pub(crate) fn of(environment: &Environment) -> Result<Self, Failure> {
        let folder = environment
            .buildx_config
            .clone()
            .ok_or(BuilderUsage::NoFolder)?;
        Ok(Self {
            store: Store::new(folder),
            contexts: environment.contexts()?,
            is_context_given: environment.docker_context.is_some(),
        })
    }

    /// The builder with this name: from the store, or a context of the docker CLI.
    pub(crate) fn find(&self, name: &str) -> Result<Builder, Failure> {
        let names = self.contexts.names();
        let stored = match self.store.builder(name) {
            // Contexts may have names that are invalid for builders.
            Err(Error::InvalidName { .. }) if names.iter().any(|known| known == name) => None,
            stored => stored?,
        };
        match stored {
            Some(builder) => Ok(builder),
            None if names.iter().any(|known| known == name) => Ok(Builder::of_context(name)),
            None => Err(self.store.not_found(name, &names).into()),
        }
    }

    /// The builder that was selected with `use`, if any.
    pub(crate) fn chosen(&self) -> Result<Option<Builder>, Failure> {
        let Some(name) = self.store.current(&self.contexts.key())? else {
            return Ok(None);
        };
        Ok(self.store.builder(&name)?)
    }

    /// The builder for commands without a name.
    pub(crate) fn current(&self) -> Result<Builder, Failure> {
        match self.chosen()? {
            Some(builder) => Ok(builder),
            None => self.of_current_context(),
        }
    }

    /// The builder of the docker CLI's current context.
    pub(crate) fn of_current_context(&self) -> Result<Builder, Failure> {
        let name = self.contexts.current();
        let is_context = self.contexts.names().iter().any(|known| known == name);
        let stored = self.store.builder(name);
        if is_context || !matches!(stored, Ok(None) | Err(Error::InvalidName { .. })) {
            return self.find(name);
        }
        Err(BuilderUsage::UnknownContext {
            name: name.to_owned(),
            is_variable: self.is_context_given,
        }
        .into())
    }

    /// The builder with this name, or else that of `--builder`, or else the current one.
    pub(crate) fn selected(
        &self,
        name: Option<&str>,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<Builder, Failure> {
        match name.or(connection.builder_name(environment)) {
            Some(name) => self.find(name),
            None => self.current(),
        }
    }

    /// The nodes of a builder. An invalid node does not affect the others.
    pub(crate) fn instances(&self, builder: &Builder) -> Vec<Result<Instance, Error>> {
        let nodes = builder.nodes.iter();
        nodes
            .map(|node| Instance::new(builder, node, &self.contexts))
            .collect()
    }

    /// Asks all nodes of a builder for their reports, at once.
    pub(crate) async fn reports(
        &self,
        builder: &Builder,
        limits: TimeLimits,
    ) -> Vec<Result<Report, Error>> {
        let ask = async |instance: Result<Instance, Error>| instance?.report(limits).await;
        join_all(self.instances(builder).into_iter().map(ask)).await
    }

    /// Fails if a container of the builder does not run.
    pub(crate) async fn require_running(&self, builder: &Builder) -> Result<(), Failure> {
        if !matches!(builder.driver.parse(), Ok(Driver::DockerContainer)) {
            return Ok(());
        }
        for (node, instance) in builder.nodes.iter().zip(self.instances(builder)) {
            let (builder, container) = (
                builder.name.clone(),
                format!("buildx_buildkit_{}", node.name),
            );
            let problem = match instance?.status().await? {
                Status::Running => continue,
                Status::Inactive => BuilderUsage::NotStarted { builder, container },
                _ => BuilderUsage::Stopped { builder, container },
            };
            return Err(Failure::from(problem).alone_in_buildx(true));
        }
        Ok(())
    }

    /// Records the time when a builder was used, also for contexts of the docker CLI. Errors are
    /// ignored: a read-only store is no reason not to build.
    pub(crate) fn remember_use(&self, name: &str) {
        let _ = self.store.touch(name);
    }

    /// Connects to a node of the builder: to its only one, or to the first one that answers and
    /// builds for all `platforms`.
    pub(crate) async fn connect(
        &self,
        builder: &Builder,
        platforms: &[Platform],
        limits: TimeLimits,
        boot: &Boot<'_>,
    ) -> Result<(Client, Used), Failure> {
        let mut problems = Vec::new();
        let is_only = builder.nodes.len() == 1;
        for (node, instance) in builder.nodes.iter().zip(self.instances(builder)) {
            let attempt = async {
                let instance = instance?;
                let client = instance.connect(limits, boot).await?;
                let missing = match is_only {
                    true => Vec::new(),
                    false => missing(&instance, &client, platforms).await?,
                };
                Ok::<_, Error>((client, Used::of(builder, &instance), missing))
            };
            match attempt.await {
                Ok((client, used, missing)) if missing.is_empty() => {
                    self.remember_use(&builder.name);
                    return Ok((client, used));
                }
                Ok((_, _, missing)) => {
                    problems.push(format!(
                        "{} does not build {}",
                        node.name,
                        missing.join(", ")
                    ));
                }
                Err(error) if is_only => return Err(error.into()),
                Err(error) => {
                    let reason = Failure::from_error(&error).into_message();
                    problems.push(format!("{}: {reason}", node.name));
                }
            }
        }
        Err(no_node(builder, &problems))
    }
}

async fn missing(
    instance: &Instance,
    client: &Client,
    platforms: &[Platform],
) -> Result<Vec<String>, Error> {
    if platforms.is_empty() {
        return Ok(Vec::new());
    }
    let workers = client.workers().await?;
    let offered = workers.iter().flat_map(|worker| &worker.platforms);
    let offered: Vec<Platform> = offered
        .chain(&instance.node.platforms)
        .map(Platform::normalized)
        .collect();
    let missing = platforms
        .iter()
        .filter(|platform| !offered.contains(&platform.normalized()));
    Ok(missing.map(Platform::to_string).collect())
}

fn no_node(builder: &Builder, problems: &[String]) -> Failure {
    let name = builder.name.clone();
    let usage = match problems.is_empty() {
        true => BuilderUsage::NoNodes(name),
        false => BuilderUsage::NoNodeAlone {
            name,
            problems: problems.join("; "),
        },
    };
    usage.into()
}
