//! `solvekit image diff`.

use clap::ValueEnum;
use serde_json::json;
use solvekit::diff::{self, Options, compare};
use solvekit::oci::Platform;
use solvekit::registry::Client;
use solvekit::transfer::{Place, Source};

use crate::cli::args::registries::RegistryArgs;
use crate::cli::args::{complete, values};
use crate::cli::commands::transfers::{failed, platform};
use crate::cli::environment::Environment;
use crate::cli::report::failure::EXIT_DIFFERENT;
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::{Failure, image_diff};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DiffArgs {
    /// The first image: a name in a registry, or a place as in image copy
    #[arg(value_name = "A")]
    left: String,

    /// The second image
    #[arg(value_name = "B")]
    right: String,

    /// Compare the images for this platform only [default: all platforms]
    #[arg(long, value_name = "PLATFORM", value_parser = platform, add = complete::platforms())]
    platform: Option<Platform>,

    /// Look into every layer that differs, not only into the first
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    shown: ShownArgs,

    #[command(flatten)]
    registries: RegistryArgs,
}

// The flags that `verify` has too.
#[derive(Debug, clap::Args)]
pub(crate) struct ShownArgs {
    /// Take no notice of times: of files, and of the image and its history
    #[arg(long)]
    pub(crate) ignore_times: bool,

    /// Name this many files of a layer; the others are counted
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = values::number::<usize>(0..=1_000_000_000, 20)
    )]
    pub(crate) files: usize,

    /// Print as text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}

impl ShownArgs {
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.ignore_times = self.ignore_times;
        options.files = self.files;
        options.texts = options.texts.min(self.files);
        options
    }
}

const EXAMPLES: &str = "\
Examples:
  solvekit image diff me/app:1.0 me/app:1.1
      say which layer differs first, and which of its files
  solvekit image diff --platform linux/arm64 me/app:1.0 oci-layout://build/image
      compare one platform of a pushed image with an OCI layout
  solvekit image diff --format json oci-archive:a.tar docker-archive:b.tar
      compare two archives, for a program

The exit code is 0 if the images are the same, 1 if they differ, and 2 if they cannot be compared.
Attestations are not compared.";

pub(super) async fn run(args: &DiffArgs, environment: &Environment) -> Result<(), Failure> {
    compared(args, environment)
        .await
        .map_err(Failure::no_difference)
}

async fn compared(args: &DiffArgs, environment: &Environment) -> Result<(), Failure> {
    let client = args.registries.client(environment)?;
    let (left, right) = tokio::try_join!(open(&args.left, &client), open(&args.right, &client))?;
    let mut options = args.shown.options();
    options.platform.clone_from(&args.platform);
    options.all_layers = args.all;
    let diff = compare(&left, &right, &options).await;
    let diff = diff.map_err(|error| not_comparable(&error))?;
    match args.shown.format {
        Form::Text => print_text(&image_diff::text(&diff))?,
        Form::Json => print_json(&format!("{:#}\n", json!(diff)))?,
    }
    match diff.same {
        true => Ok(()),
        false => Err(Failure::silent(EXIT_DIFFERENT)),
    }
}

/// Finds the image of a place.
pub(crate) async fn open(text: &str, client: &Client) -> Result<Source, Failure> {
    let place = Place::parse(text).map_err(|error| failed(&error))?;
    let source = Source::open(&place, client).await;
    source.map_err(|error| failed(&error))
}

/// The failure of a comparison, with a hint.
pub(crate) fn not_comparable(error: &diff::Error) -> Failure {
    match error {
        diff::Error::Image(error) => failed(error),
        error => Failure::from_error(error),
    }
}
