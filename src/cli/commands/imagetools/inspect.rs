//! `solvekit imagetools inspect`: shows the image that a name in a registry or a layout points to.

use solvekit::imagetools::{Inspection, Location};
use solvekit::oci::Platform;
use solvekit::registry::Client;
use solvekit::template::{Json, Template};
use solvekit::transfer::{Place, Plan, Source};

use crate::cli::args::complete;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::push::PushRetryArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::commands::transfers::{failed, platform};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::registry_failure::of_imagetools;
use crate::cli::report::template_words;
use crate::cli::report::terminal::{print_data, print_text};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InspectArgs {
    /// The image: [REGISTRY/]REPOSITORY[:TAG][@DIGEST] or oci-layout://PATH[:TAG][@DIGEST]
    #[arg(value_name = "NAME")]
    name: String,

    /// Print with a Go template over the fields Name, Manifest, Image, SBOM and Provenance
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "raw")]
    format: Option<String>,

    /// Show the image for this platform, not the index
    #[arg(long, value_name = "PLATFORM", value_parser = platform, add = complete::platforms())]
    platform: Option<Platform>,

    /// Print the index or manifest unchanged, byte for byte
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit imagetools inspect alpine                                   its platforms
  solvekit imagetools inspect alpine --format '{{json .Manifest}}'     the index as JSON
  solvekit imagetools inspect alpine \\
    --format '{{json (index .Image \"linux/arm64\")}}'                   the config for a platform
  solvekit imagetools inspect app:1 --format '{{json .Provenance}}'    how it was built
  solvekit imagetools inspect --platform linux/arm64 alpine            one of its platforms
  solvekit imagetools inspect oci-layout://out:1.0                     an image of a folder";

pub(super) async fn cmd_inspect(
    args: &InspectArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let location = Location::parse(&args.name).map_err(|error| Failure::from_error(&error))?;
    // Parse the template first: a mistake in it is reported before any request.
    let template = match &args.format {
        Some(format) => {
            let failed = |error| template_words::Place::of_image(false).failure(&error, format);
            Some(Template::parse(format).map_err(failed)?)
        }
        None => None,
    };
    let client =
        args.registries
            .client_of_builder(&PushRetryArgs::default(), connection, environment)?;
    let location = match &args.platform {
        None => location,
        Some(platform) => for_platform(&args.name, platform, &client).await?,
    };
    let image = match Inspection::of(client.clone(), &location).await {
        Ok(image) => image.named(&args.name),
        Err(error) => return Err(of_imagetools(&client, error).await),
    };
    if args.raw {
        return print_data(image.raw());
    }
    let template = match template {
        Some(template) if !is_whole(&args.format) => template,
        _ => return print_text(&image.text()),
    };
    let value = match image.value(&template).await {
        Ok(value) => value,
        Err(error) => return Err(of_imagetools(&client, error).await),
    };
    let text = template.render(&value, Json::Indented).map_err(|error| {
        let format = args.format.as_deref().unwrap_or_default();
        template_words::Place::of_image(image.is_index()).failure(&error, format)
    })?;
    print_text(&text)
}

/// The image for a platform, as a reference by digest.
async fn for_platform(
    name: &str,
    platform: &Platform,
    client: &Client,
) -> Result<Location, Failure> {
    let place = Place::parse(name).map_err(|error| failed(&error))?;
    let source = Source::open(&place, client).await;
    let source = source.map_err(|error| failed(&error))?;
    let plan = Plan::of(&source, Some(platform)).await;
    let plan = plan.map_err(|error| failed(&error))?;
    let whole = name.split_once('@').map_or(name, |(name, _)| name);
    let location = Location::parse(&format!("{whole}@{}", plan.root().digest));
    location.map_err(|error| Failure::from_error(&error))
}

/// True without a template or for `{{.Manifest}}` alone: both print the default text, as in buildx.
fn is_whole(format: &Option<String>) -> bool {
    let format = format.as_deref().unwrap_or_default().trim();
    let inner = format
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    format.is_empty() || inner.is_some_and(|inner| inner.trim() == ".Manifest")
}
