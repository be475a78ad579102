//! `solvekit image pull`: works like `docker pull --platform`.

use crate::cli::args::complete;
use solvekit::client::{ConnectOptions, load_image};
use solvekit::layout::Name;
use solvekit::oci::{Platform, Reference};
use solvekit::transfer::{ArchiveKind, Place};

use super::copy::Copying;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::commands::transfers::{TransferArgs, platform};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print, talk};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PullArgs {
    /// The name of the image
    #[arg(value_name = "NAME")]
    name: String,

    /// Choose the platform [default: this machine's]
    #[arg(long, value_name = "PLATFORM", value_parser = platform, add = complete::platforms())]
    platform: Option<Platform>,

    #[command(flatten)]
    transfer: TransferArgs,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Example:
  solvekit image pull --platform linux/arm64 alpine:3.20

The engine is the one of the docker CLI (DOCKER_HOST, its context), or --addr docker://SOCKET.";

pub(super) async fn run(
    args: PullArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let name = Reference::parse(&args.name).map_err(|error| Failure::from_error(&error))?;
    let name = name.with_default_tag();
    let platform = match args.platform {
        Some(platform) => platform,
        None => environment.own_platform()?,
    };
    let engine = connection.engine(environment)?;
    let client = args.registries.client(environment)?;
    let place = Place::Registry(name.clone());
    let copying = Copying::new(&place, Some(&platform), client, &args.transfer).await?;
    let quiet = args.transfer.is_quiet();
    load(&copying, name, &engine, environment, quiet).await
}

/// Loads an image into an engine.
pub(super) async fn load(
    copying: &Copying,
    name: Reference,
    engine: &ConnectOptions,
    environment: &Environment,
    quiet: bool,
) -> Result<(), Failure> {
    let staging = copying.staging(environment)?;
    let names = [Name::Image(name.clone())];
    let pack = copying.pack(staging.path(), &names, ArchiveKind::Docker);
    let lines = load_image(engine, pack.await?.stream()).await?;
    staging.remove();
    if !quiet {
        lines.iter().for_each(|line| talk(&format!("{line}\n")));
    }
    print(&name.to_string())
}
