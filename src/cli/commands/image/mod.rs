//! `solvekit image`: inspects images in registries, and copies whole images between places.

mod cat;
mod copy;
mod delete;
pub(crate) mod diff;
mod digest;
mod ls_tags;
mod pull;
mod referrers;
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
    /// Print a file of an image
    Cat(cat::CatArgs),
    /// Copy an image between registries, OCI layouts and archives
    Copy(copy::CopyArgs),
    /// Remove images or tags from a registry
    Delete(delete::DeleteArgs),
    /// Compare two images, down to the files of their layers
    Diff(diff::DiffArgs),
    /// Print the digest that a name points to
    Digest(digest::DigestArgs),
    /// List the tags of a repository
    LsTags(ls_tags::LsTagsArgs),
    /// Load an image from a registry into the Docker Engine
    Pull(pull::PullArgs),
    /// List what refers to an image: signatures, attestations, SBOMs
    Referrers(referrers::ReferrersArgs),
    /// Save an image from a registry to an archive, for docker load or as an OCI layout
    Save(save::SaveArgs),
}

pub(crate) async fn cmd_image(
    args: ImageArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match args.command {
        ImageCommand::Cat(args) => cat::run(&args, environment).await,
        ImageCommand::Delete(args) => delete::run(&args, environment).await,
        ImageCommand::Diff(args) => diff::run(&args, environment).await,
        ImageCommand::Digest(args) => digest::run(&args, environment).await,
        ImageCommand::LsTags(args) => ls_tags::run(&args, environment).await,
        ImageCommand::Referrers(args) => referrers::run(&args, environment).await,
        ImageCommand::Copy(args) => {
            until_interrupted(copy::run(args, connection, environment)).await
        }
        ImageCommand::Pull(args) => {
            until_interrupted(pull::run(args, connection, environment)).await
        }
        ImageCommand::Save(args) => until_interrupted(save::run(args, environment)).await,
    }
}
