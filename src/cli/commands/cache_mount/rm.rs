//! `solvekit cache-mount rm`.

use solvekit::cache_mount::{Error, remove};

use super::MountArgs;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::records::size;
use crate::cli::report::terminal::{print, talk};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RmArgs {
    #[command(flatten)]
    mount: MountArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit cache-mount rm --id go-build

A mount that a build is using is kept.";

/// Removes the mount from all nodes that have it.
pub(super) async fn run(
    args: &RmArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let mount = args.mount.mount();
    let (mut missing, mut removed) = (None, Vec::new());
    let mut in_use = 0;
    for (client, _) in connection.connect_all(environment).await? {
        match remove(&client, &mount).await {
            Ok(found) => {
                in_use += found.in_use;
                removed.extend(found.records);
            }
            Err(error @ Error::NotFound { .. }) => missing = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    if let (Some(error), true) = (missing, removed.is_empty() && in_use == 0) {
        return Err(error.into());
    }
    for record in &removed {
        print(&format!("{}\t{}", record.id, size(record.size)))?;
    }
    match in_use {
        0 => Ok(()),
        count if removed.is_empty() => {
            Err(
                Failure::new(format!("the cache mount {:?} is in use", mount.id)).advised(Some(
                    format!("run it again when the build is over ({count} left)"),
                )),
            )
        }
        count => {
            talk(&format!("{count} with this id are in use, and were kept\n"));
            Ok(())
        }
    }
}
