//! `solvekit push`: pushes an image that a build has left in a folder or an archive; can be
//! repeated until it succeeds.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use solvekit::oci::{Platform, Reference};
use solvekit::transfer::{Place, Plan, Source, push};

use super::transfers::{TransferArgs, failed, platform, until_interrupted};
use crate::cli::args::complete;
use crate::cli::args::push::PushRetryArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;
use crate::cli::report::usage::ImageUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PushArgs {
    /// The image: a folder (an OCI layout) or an archive (OCI or docker); add :TAG if it holds
    /// several images
    #[arg(value_name = "LAYOUT|ARCHIVE", value_hint = ValueHint::AnyPath)]
    image: String,

    /// Push to this name; repeatable
    #[arg(short, long = "tag", value_name = "NAME", required = true)]
    tags: Vec<String>,

    /// Push only the image for this platform, without the index
    #[arg(long, value_name = "PLATFORM", value_parser = platform, add = complete::platforms())]
    platform: Option<Platform>,

    #[command(flatten)]
    transfer: TransferArgs,

    #[command(flatten)]
    registries: RegistryArgs,

    #[command(flatten)]
    retries: PushRetryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit build -o type=oci,dest=app.tar --platform linux/amd64,linux/arm64 .
  solvekit push app.tar -t registry.example.com/me/app:1.0 -t registry.example.com/me/app:latest

What a registry already has is not sent: run an interrupted push again and it resumes.";

pub(crate) async fn cmd_push(args: PushArgs, environment: &Environment) -> Result<(), Failure> {
    until_interrupted(run(args, environment)).await
}

async fn run(args: PushArgs, environment: &Environment) -> Result<(), Failure> {
    let mut names = Vec::new();
    for tag in &args.tags {
        let name = Reference::parse(tag).map_err(|error| Failure::from_error(&error))?;
        names.push(name.with_default_tag());
    }
    let place = local(&args.image)?;
    let client = args.registries.pushing(&args.retries, environment)?;
    let source = Source::open(&place, &client);
    let source = source.await.map_err(|error| failed(&error))?;
    let plan = Plan::of(&source, args.platform.as_ref());
    let plan = plan.await.map_err(|error| failed(&error))?;
    let options = args.transfer.options(&plan);
    let pushed = push(&source, &plan, &names, &client, &options).await;
    pushed.map_err(|error| failed(&error))?;
    for name in &names {
        print(&format!("{name}@{}", plan.root().digest))?;
    }
    Ok(())
}

/// A path of a folder or file, optionally followed by a tag; or a place with its scheme.
fn local(text: &str) -> Result<Place, Failure> {
    if let Some(place) = of_path(Path::new(text), None) {
        return Ok(place);
    }
    if let Some((path, tag)) = text.rsplit_once(':')
        && let Some(place) = of_path(Path::new(path), Some(tag))
    {
        return Ok(place);
    }
    match Place::parse(text) {
        Ok(Place::Registry(_)) | Err(_) => Err(ImageUsage::NothingToPush(text.to_owned()).into()),
        Ok(place) => Ok(place),
    }
}

fn of_path(path: &Path, tag: Option<&str>) -> Option<Place> {
    let (path, tag): (PathBuf, Option<String>) = (path.to_owned(), tag.map(str::to_owned));
    match path.metadata().ok()?.is_dir() {
        true => Some(Place::Layout {
            path,
            tag,
            digest: None,
        }),
        false => Some(Place::OciArchive { path, tag }),
    }
}
