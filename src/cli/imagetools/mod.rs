//! `solvekit imagetools`: images in registries.

mod create;
mod inspect;

use super::Failure;
use super::environment::Environment;

#[derive(Debug, clap::Args)]
pub(super) struct ImagetoolsArgs {
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

pub(super) async fn cmd_imagetools(
    args: &ImagetoolsArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match &args.command {
        ImagetoolsCommand::Create(args) => create::cmd_create(args, environment).await,
        ImagetoolsCommand::Inspect(args) => inspect::cmd_inspect(args, environment).await,
    }
}
