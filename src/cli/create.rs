//! `solvekit create`: makes a builder, or changes the nodes of one.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ArgAction;
use solvekit::builder::{
    Builder, DaemonConfig, Driver, Error, Instance, NodeSettings, check_name, generate_name,
    kubernetes_endpoint, split_words,
};
use solvekit::oci::Platform;

use super::builder::Builders;
use super::connection::ConnectionArgs;
use super::environment::Environment;
use super::failure::{print, talk};
use super::{Failure, values};

#[derive(Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// Context of the docker CLI, address of a Docker Engine, or address of a BuildKit (driver remote)
    #[arg(value_name = "CONTEXT|ENDPOINT")]
    endpoint: Option<String>,

    /// Name of the builder [default: one that is made up]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Driver: docker-container, kubernetes, local, remote [default: remote for an address of a BuildKit, else docker-container]
    #[arg(long, value_name = "DRIVER")]
    driver: Option<String>,

    /// Option of the driver: NAME=VALUE[,NAME=VALUE…]; repeatable
    #[arg(long, value_name = "OPTION")]
    driver_opt: Vec<String>,

    /// Node to add or to change [default: the builder's name and a number]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    /// Platforms that the node builds, before those that it says itself; a list, repeatable
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,

    /// Flags of the node's buildkitd, in one text
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    buildkitd_flags: Option<String>,

    /// Configuration of the node's buildkitd (buildkitd.toml)
    #[arg(long, value_name = "FILE", visible_alias = "config")]
    buildkitd_config: Option<std::path::PathBuf>,

    /// Add a node to the builder
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false",
          hide_default_value = true, value_name = "BOOL", action = ArgAction::Set, value_parser = values::boolean)]
    append: bool,

    /// Take the node out of the builder
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false",
          hide_default_value = true, value_name = "BOOL", action = ArgAction::Set, value_parser = values::boolean)]
    leave: bool,

    /// Use the builder from now on
    #[arg(long = "use", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false",
          hide_default_value = true, value_name = "BOOL", action = ArgAction::Set, value_parser = values::boolean)]
    use_it: bool,

    /// Start it at once
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false",
          hide_default_value = true, value_name = "BOOL", action = ArgAction::Set, value_parser = values::boolean)]
    bootstrap: bool,
}

/// Prints the builder's name, and nothing else, on stdout.
pub(super) async fn cmd_create(
    args: &CreateArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let builders = Builders::of(environment)?;
    if args.leave {
        return leave(args, &builders);
    }
    let name = name(args, &builders)?;
    let (builder, position) = {
        let locked = builders.store.lock()?;
        let existing = locked.builder(&name)?;
        let (builder, position) = changed(args, &name, existing, &builders, environment)?;
        let instance = Instance::new(&builder, &builder.nodes[position], &builders.contexts)?;
        reachable(&instance, args.bootstrap, connection.timeout()).await?;
        locked.save(&builder)?;
        if args.use_it {
            locked.set_current(&builders.contexts.key(), &builder.name, false, false)?;
        }
        (builder, position)
    };
    if args.bootstrap {
        super::inspect::boot(
            &builders,
            &builder,
            Some(position),
            connection.timeout(),
            environment,
        )
        .await?;
    }
    print(&builder.name)
}

fn name(args: &CreateArgs, builders: &Builders) -> Result<String, Failure> {
    let contexts = builders.contexts.names();
    let Some(name) = &args.name else {
        if args.append {
            return Err(Failure::new(
                "--append needs the builder's name: --name NAME",
            ));
        }
        let taken = builders.store.names()?;
        return Ok(generate_name(|name| {
            taken.iter().chain(&contexts).any(|known| known == name)
        }));
    };
    check_name(name)?;
    if contexts.contains(name) && (name == "default" || !args.append) {
        return Err(Error::NameOfContext { name: name.clone() }.into());
    }
    Ok(name.clone())
}

/// The builder as it is to be, and which of its nodes that is about.
fn changed(
    args: &CreateArgs,
    name: &str,
    existing: Option<Builder>,
    builders: &Builders,
    environment: &Environment,
) -> Result<(Builder, usize), Failure> {
    let driver = driver(args, existing.as_ref(), environment)?;
    let mut builder = match existing {
        None if args.append => {
            return Err(builders.store.not_found(name, &[]).into());
        }
        None => Builder::new(name, driver),
        Some(_) if args.node.is_none() && !args.append => {
            return Err(Error::Exists {
                name: name.to_owned(),
            }
            .into());
        }
        Some(builder) if builder.driver != driver.name() => {
            return Err(Error::OtherDriver {
                builder: name.to_owned(),
                driver: builder.driver,
                asked: driver,
            }
            .into());
        }
        Some(builder) => builder,
    };
    let settings = settings(args, name, driver, builders, environment)?;
    let (position, restart) = builder.set_node(settings, args.append)?;
    if restart && driver.has_daemon() {
        talk(
            "WARNING: the node has its new settings when it is started again (solvekit stop, then build)\n",
        );
    }
    Ok((builder, position))
}

fn driver(
    args: &CreateArgs,
    existing: Option<&Builder>,
    environment: &Environment,
) -> Result<Driver, Failure> {
    if let Some(name) = &args.driver {
        let driver = name.parse()?;
        return match driver {
            Driver::Docker => Err(
                Failure::new("no builder can be made with the docker driver").hint(
                    "it is the engine of a context: docker context create NAME --docker host=…",
                ),
            ),
            driver => Ok(driver),
        };
    }
    if let Some(builder) = existing {
        return Ok(builder.driver()?);
    }
    let of_buildkit = match &args.endpoint {
        None => environment.buildkit_host.is_some(),
        Some(endpoint) => endpoint.contains("://"),
    };
    Ok(match of_buildkit {
        true => Driver::Remote,
        false => Driver::DockerContainer,
    })
}

fn settings(
    args: &CreateArgs,
    name: &str,
    driver: Driver,
    builders: &Builders,
    environment: &Environment,
) -> Result<NodeSettings, Failure> {
    let driver_opts = driver.parse_options(&args.driver_opt)?;
    let config = config(args, driver, builders)?;
    let flags = split_words(args.buildkitd_flags.as_deref().unwrap_or_default())?;
    let (endpoint, endpoint_given) = endpoint(args, name, driver, builders, environment)?;
    warn_without_effect(&driver_opts);
    Ok(NodeSettings {
        name: args.node.clone(),
        endpoint,
        endpoint_given,
        platforms: platforms(&args.platform)?,
        buildkitd_flags: match driver.is_isolated() {
            true => with_network(flags, &driver_opts, &config),
            false => flags,
        },
        driver_opts,
        files: config.files,
    })
}

/// The configuration that is given, else the default one of the store.
fn config(args: &CreateArgs, driver: Driver, builders: &Builders) -> Result<DaemonConfig, Failure> {
    let default = builders
        .store
        .default_config()
        .filter(|_| driver.has_daemon());
    let Some(path) = args.buildkitd_config.clone().or(default) else {
        return Ok(DaemonConfig::default());
    };
    let config = DaemonConfig::load(&path)?;
    for unknown in &config.unknown {
        talk(&format!("WARNING: {}: {unknown}\n", path.display()));
    }
    Ok(config)
}

/// A daemon whose network is its own may lend it to builds, unless it is said what they may do; on the host's network always.
fn with_network(
    mut flags: Vec<String>,
    options: &BTreeMap<String, String>,
    config: &DaemonConfig,
) -> Vec<String> {
    const ALLOW: &str = "--allow-insecure-entitlement";
    let allowed = |flag: &String| flag.starts_with(ALLOW);
    let has_network = flags
        .iter()
        .any(|flag| allowed(flag) && flag.ends_with("network.host"))
        || flags
            .windows(2)
            .any(|pair| pair[0] == ALLOW && pair[1] == "network.host");
    let is_on_host = options
        .get("network")
        .is_some_and(|network| network == "host");
    let in_config = config
        .entitlements
        .iter()
        .any(|name| name == "network.host");
    if (is_on_host && !has_network) || (!flags.iter().any(allowed) && !in_config) {
        flags.push(format!("{ALLOW}=network.host"));
    }
    flags
}

/// Where the node is to be, and whether somebody said so.
fn endpoint(
    args: &CreateArgs,
    name: &str,
    driver: Driver,
    builders: &Builders,
    environment: &Environment,
) -> Result<(String, bool), Failure> {
    match (driver, &args.endpoint) {
        (Driver::Remote, given) => {
            let address = given.as_ref().or(environment.buildkit_host.as_ref());
            let address = address.ok_or_else(|| {
                Failure::new("the remote driver needs the address of a BuildKit")
                    .hint("for example: solvekit create --driver remote tcp://HOST:1234")
            })?;
            Ok((address.clone(), true))
        }
        (Driver::Kubernetes, Some(endpoint)) => Err(Failure::new(format!(
            "the kubernetes driver has no endpoint, {endpoint:?} is given"
        ))
        .hint("the cluster is the one of KUBECONFIG and its current context; --driver-opt namespace=NAME is a place in it")),
        (Driver::Kubernetes, None) => {
            let kubeconfig = environment.kubeconfig.as_deref();
            let node = args.node.as_deref();
            Ok((kubernetes_endpoint(name, node, kubeconfig), false))
        }
        (Driver::Local, Some(endpoint)) => Err(Failure::new(format!(
            "the local driver has no endpoint, {endpoint:?} is given"
        ))),
        (Driver::Local, None) => Ok(("local".to_owned(), false)),
        (_, Some(endpoint)) => {
            builders.contexts.connect_options(endpoint)?;
            let is_default = endpoint == solvekit::builder::DEFAULT_CONTEXT;
            let host = builders.contexts.engine(endpoint)?.filter(|_| is_default);
            Ok((
                host.map_or_else(|| endpoint.clone(), |engine| engine.host),
                true,
            ))
        }
        (_, None) => Ok((builders.contexts.key(), false)),
    }
}

fn platforms(given: &[String]) -> Result<Vec<Platform>, Failure> {
    let parse = |text: &String| match text.trim() {
        "local" => Ok(Platform::host()),
        text => Platform::parse(text)
            .map(|platform| platform.normalized())
            .map_err(|error| Failure::from_error(&error)),
    };
    given.iter().map(parse).collect()
}

/// A container's engine has to be there, and the program that speaks to a cluster; the cluster and a remote daemon may come later.
async fn reachable(
    instance: &Instance,
    is_started: bool,
    timeout: Duration,
) -> Result<(), Failure> {
    match instance.driver {
        Driver::DockerContainer => instance.report(timeout).await.map(drop)?,
        Driver::Kubernetes if !is_started => match instance.report(timeout).await {
            Err(error @ Error::NotOnPath { .. }) => return Err(error.into()),
            Err(error) => talk(&format!(
                "WARNING: {}\n",
                Failure::from_error(&error).into_message()
            )),
            Ok(_) => {}
        },
        _ => {}
    }
    Ok(())
}

fn warn_without_effect(options: &BTreeMap<String, String>) {
    if options.contains_key("allow-untrusted-image") {
        talk(
            "WARNING: the option allow-untrusted-image has no effect: the image of BuildKit is used without a look at its signature\n",
        );
    }
}

fn leave(args: &CreateArgs, builders: &Builders) -> Result<(), Failure> {
    let (Some(name), Some(node)) = (&args.name, &args.node) else {
        return Err(Failure::new("--leave needs --name BUILDER and --node NODE"));
    };
    let locked = builders.store.lock()?;
    let mut builder = locked
        .builder(name)?
        .ok_or_else(|| builders.store.not_found(name, &[]))?;
    builder.leave(node)?;
    locked.forget_states(&builder.name, Some(node))?;
    Ok(locked.save(&builder)?)
}
