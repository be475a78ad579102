//! `solvekit image digest`.

use solvekit::oci::Platform;
use solvekit::transfer::{Place, Plan, Source};

use crate::cli::args::complete;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::commands::transfers::{failed, platform};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DigestArgs {
    /// The image: a name in a registry, or a place as in image copy
    #[arg(value_name = "IMAGE")]
    image: String,

    /// Print the digest of the image for this platform, not of the index
    #[arg(long, value_name = "PLATFORM", value_parser = platform, add = complete::platforms())]
    platform: Option<Platform>,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit image digest alpine:3.20
  solvekit image digest --platform linux/arm64 alpine:3.20
  solvekit image digest oci:build/image:1.0";

/// Prints the digest that a name points to.
pub(super) async fn run(args: &DigestArgs, environment: &Environment) -> Result<(), Failure> {
    let place = Place::parse(&args.image).map_err(|error| failed(&error))?;
    let client = args.registries.client(environment)?;
    let source = Source::open(&place, &client).await;
    let source = source.map_err(|error| failed(&error))?;
    let Some(platform) = &args.platform else {
        return print(source.root().digest.as_str());
    };
    let plan = Plan::of(&source, Some(platform)).await;
    let plan = plan.map_err(|error| failed(&error))?;
    print(plan.root().digest.as_str())
}
