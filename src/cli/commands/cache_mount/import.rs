//! `solvekit cache-mount import`.

use clap::ValueHint;
use solvekit::cache_mount::{CacheMount, Error, Imported, Input, import};
use solvekit::client::Client;
use tokio_util::sync::CancellationToken;

use super::UseArgs;
use super::export::{counted, tell_wait};
use crate::cli::args::cache_mounts::{Direction, Place};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::Failure;
use crate::cli::report::terminal::talk;
use crate::cli::report::usage::{CacheMountUsage, copy_failure};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    mount: UseArgs,

    /// Copy from a folder, from a tar archive (plain, gzip or zstd; - is stdin), or from
    /// type=registry,ref=NAME; also type=local,src=DIR and type=tar,src=FILE
    #[arg(long, value_name = "PLACE", value_hint = ValueHint::AnyPath)]
    from: String,

    /// Print nothing
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit cache-mount import --id go-build --from go-build.tar.gz
  tar -C ~/.m2 -c . | solvekit cache-mount import --id maven --from -
  solvekit cache-mount import --id npm --from type=registry,ref=registry.example.com/me/npm:main

The mount is created if it does not exist. Its old content is replaced when the copy is complete.";

pub(super) async fn run(
    args: &ImportArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
    cancelled: &CancellationToken,
) -> Result<(), Failure> {
    let place = Place::parse(&args.from, Direction::From)?;
    let mount = args.mount.mount();
    let daemons = interrupt::unless(cancelled, connection.connect_all(environment)).await?;
    if place == Place::Standard && daemons.len() > 1 {
        return Err(CacheMountUsage::SeveralNodes(daemons.len()).into());
    }
    let say = |line: &str| {
        if !args.quiet {
            talk(&format!("{line}\n"));
        }
    };
    for (client, _) in &daemons {
        let input = place.input(&args.registries, environment)?;
        let imported = import_noting(client, &mount, input, &say, cancelled).await;
        let imported = imported.map_err(copy_failure)?;
        let counted = counted(&mount, imported.entries, imported.bytes);
        let from = place.named(Direction::From);
        say(&format!("imported {counted} from {from}"));
    }
    Ok(())
}

/// Imports a mount, and shows notes about it.
pub(super) async fn import_noting(
    client: &Client,
    mount: &CacheMount,
    input: Input,
    say: &dyn Fn(&str),
    cancelled: &CancellationToken,
) -> Result<Imported, Error> {
    tell_wait(client, mount, say, cancelled).await;
    let imported = import(client, mount, input, cancelled).await?;
    if imported.lost_attributes > 0 {
        say(&format!(
            "WARNING: {} extended attributes are lost: the daemon's file system does not take them",
            imported.lost_attributes
        ));
    }
    if imported.skipped > 0 {
        let skipped = imported.skipped;
        say(&format!("{skipped} devices and sockets are left out"));
    }
    Ok(imported)
}
