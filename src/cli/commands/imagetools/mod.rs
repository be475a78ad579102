//! `solvekit imagetools`: images in registries.

mod create;
mod inspect;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct ImagetoolsArgs {
    #[command(subcommand)]
    command: ImagetoolsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ImagetoolsCommand {
    /// Combine images into one index, or copy one to another registry
    Create(Box<create::CreateArgs>),
    /// Show an image's platforms, configs and attestations
    Inspect(Box<inspect::InspectArgs>),
}

pub(crate) async fn cmd_imagetools(
    args: &ImagetoolsArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match &args.command {
        ImagetoolsCommand::Create(args) => create::cmd_create(args, connection, environment).await,
        ImagetoolsCommand::Inspect(args) => {
            inspect::cmd_inspect(args, connection, environment).await
        }
    }
}
