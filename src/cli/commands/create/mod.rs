//! `solvekit create`: creates a builder or changes its nodes.

mod settings;

use clap::builder::PossibleValuesParser;
use solvekit::builder::{Builder, Driver, Error, Instance, check_name, generate_name};
use solvekit::client::TimeLimits;
use solvekit::spread::Placement;
use solvekit_host::owner;

use crate::cli::args::builder::Builders;
use crate::cli::args::complete;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print, warn};
use crate::cli::report::usage::BuilderUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CreateArgs {
    /// Run the node there: a context of the docker CLI, the address of a Docker Engine, or (driver
    /// remote) the address of a BuildKit daemon
    #[arg(value_name = "CONTEXT|ENDPOINT")]
    endpoint: Option<String>,

    /// Name the builder [default: a random name]
    #[arg(long, value_name = "NAME", add = complete::builders())]
    name: Option<String>,

    /// Use this driver: docker-container, kubernetes, local or remote [default: remote for the
    /// address of a BuildKit daemon, otherwise docker-container]
    #[arg(long, value_name = "DRIVER", add = complete::drivers())]
    driver: Option<String>,

    /// Set options of the driver: NAME=VALUE[,NAME=VALUE…]; repeatable
    #[arg(long, value_name = "OPTION")]
    driver_opt: Vec<String>,

    /// Add or change the node with this name [default: the builder's name and a number]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    /// Prefer the node for these platforms, in addition to those that it reports; repeatable
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', add = complete::platforms())]
    platform: Vec<String>,

    /// Share builds among nodes that serve a platform equally well: idle (the one with the fewest
    /// running builds), first (the first one, as buildx does), or pool (the one that has the
    /// context's cache, and others when that is busy) [default: idle]
    #[arg(long, value_name = "PLACEMENT", value_parser = placements())]
    placement: Option<String>,

    /// Start the node's buildkitd with these flags, in one argument
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    buildkitd_flags: Option<String>,

    /// Configure the node's buildkitd with this file (buildkitd.toml)
    #[arg(long, value_name = "FILE", visible_alias = "config")]
    buildkitd_config: Option<std::path::PathBuf>,

    /// Add a node to the builder
    #[arg(long)]
    append: bool,

    /// Remove the node from the builder
    #[arg(long)]
    leave: bool,

    /// Make it the default builder
    #[arg(long = "use")]
    use_it: bool,

    /// Start the builder at once
    #[arg(long)]
    bootstrap: bool,
}

fn placements() -> PossibleValuesParser {
    Placement::ALL.map(Placement::name).into()
}

const EXAMPLES: &str = "\
Examples:
  solvekit create --use --bootstrap
      start a BuildKit container, and use it by default
  solvekit create --name far --driver remote tcp://build.example.com:1234
      a daemon at an address
  solvekit create --name far --append --node arm ssh://arm.example.com
      a second node
  solvekit create --driver kubernetes --driver-opt namespace=build,replicas=2
      pods of a cluster";

/// Prints only the builder's name to stdout.
pub(crate) async fn cmd_create(
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
        let node = &builder.nodes[position];
        let usable = async {
            if environment.identity == Identity::Buildx
                && builder.driver == Driver::Kubernetes.name()
            {
                has_cluster(environment)?;
            }
            let instance = Instance::new(&builder, node, &builders.contexts)?;
            reachable(&instance, args.bootstrap, connection.limits()).await
        };
        usable.await.map_err(|failure: Failure| {
            let words = failure.clone().in_words_of(Identity::Buildx);
            let node = &node.name;
            failure.in_buildx(Some(format!(
                "failed to initialize builder {name} ({node}): {}",
                words.message()
            )))
        })?;
        locked.save(&builder)?;
        if args.use_it {
            locked.set_current(&builders.contexts.key(), &builder.name, false, false)?;
        }
        (builder, position)
    };
    if args.bootstrap {
        super::bootstrap::boot(
            &builders,
            &builder,
            Some(position),
            connection.limits(),
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
            return Err(BuilderUsage::AppendWithoutName.into());
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

/// The builder with the new settings, and the index of the changed node.
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
            let failure = Failure::from(builders.store.not_found(name, &[]));
            let words = format!("failed to find instance {name:?} for append");
            return Err(failure.in_buildx(Some(words)));
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
    if let Some(placement) = &args.placement {
        builder.placement.clone_from(placement);
    }
    let settings = settings::settings(args, name, driver, builders, environment)?;
    let (position, restart) = builder.set_node(settings, args.append)?;
    if restart && driver.has_daemon() {
        warn("the node has its new settings when it is started again (solvekit stop, then build)");
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
            Driver::Docker => Err(BuilderUsage::DockerDriver.into()),
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

/// The engine of a container and the program that talks to a cluster must be available; the cluster
/// itself and a remote daemon may become available later.
/// Fails if neither a kubeconfig nor a pod's surroundings name a cluster.
fn has_cluster(environment: &Environment) -> Result<(), Failure> {
    let is_in_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let has_file = match &environment.kubeconfig {
        Some(list) => std::env::split_paths(list).any(|path| path.exists()),
        None => {
            let home = std::env::var_os(owner::HOME).map(std::path::PathBuf::from);
            home.is_some_and(|home| home.join(".kube/config").exists())
        }
    };
    match is_in_pod || has_file {
        true => Ok(()),
        false => Err(BuilderUsage::NoCluster.into()),
    }
}

async fn reachable(
    instance: &Instance,
    is_started: bool,
    limits: TimeLimits,
) -> Result<(), Failure> {
    match instance.driver {
        Driver::DockerContainer => instance.report(limits).await.map(drop)?,
        Driver::Kubernetes if !is_started => match instance.report(limits).await {
            Err(error @ Error::NotOnPath { .. }) => return Err(error.into()),
            Err(error) => warn(Failure::from_error(&error).message()),
            Ok(_) => {}
        },
        _ => {}
    }
    Ok(())
}

fn leave(args: &CreateArgs, builders: &Builders) -> Result<(), Failure> {
    let name = args.name.as_ref().ok_or(BuilderUsage::LeaveWithoutName)?;
    let node = args.node.as_ref().ok_or(BuilderUsage::LeaveWithoutNode)?;
    let locked = builders.store.lock()?;
    let mut builder = locked.builder(name)?.ok_or_else(|| {
        let failure = Failure::from(builders.store.not_found(name, &[]));
        failure.in_buildx(Some(format!("failed to find instance {name:?} for leave")))
    })?;
    builder.leave(node)?;
    locked.forget_states(&builder.name, Some(node))?;
    Ok(locked.save(&builder)?)
}
