//! `solvekit image`: whole images from one place to another.

mod copy;
mod pull;
mod save;

use super::transfers::until_interrupted;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ImageCommand {
    /// Copy an image between registries, OCI layouts and archives
    Copy(copy::CopyArgs),
    /// Load an image from a registry into the Docker Engine
    Pull(pull::PullArgs),
    /// Save an image from a registry to an archive, for docker load or as an OCI layout
    Save(save::SaveArgs),
}

pub(crate) async fn cmd_image(
    args: ImageArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match args.command {
        ImageCommand::Copy(args) => {
            until_interrupted(copy::run(args, connection, environment)).await
        }
        ImageCommand::Pull(args) => {
            until_interrupted(pull::run(args, connection, environment)).await
        }
        ImageCommand::Save(args) => until_interrupted(save::run(args, environment)).await,
    }
}
