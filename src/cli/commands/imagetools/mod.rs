//! `solvekit imagetools`: images in registries.

mod create;
mod inspect;

use crate::cli::environment::Environment;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct ImagetoolsArgs {
    #[command(subcommand)]
    command: ImagetoolsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ImagetoolsCommand {
    /// Make an image of others: one index of several images, or a copy in another registry
    Create(Box<create::CreateArgs>),
    /// Show an image in a registry: its platforms, configs and attestations
    Inspect(inspect::InspectArgs),
}

pub(crate) async fn cmd_imagetools(
    args: &ImagetoolsArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match &args.command {
        ImagetoolsCommand::Create(args) => create::cmd_create(args, environment).await,
        ImagetoolsCommand::Inspect(args) => inspect::cmd_inspect(args, environment).await,
    }
}
