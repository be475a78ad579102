//! `solvekit image cat`.

use std::io;

use solvekit::oci::Platform;
use solvekit::transfer::{ContentsError, Place, Source, read_file};

use crate::cli::args::complete;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::commands::transfers::{failed, platform};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::DataWriter;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CatArgs {
    /// The image: a name in a registry, or a place as in image copy
    #[arg(value_name = "IMAGE")]
    image: String,

    /// The file in it
    #[arg(value_name = "PATH")]
    path: String,

    /// Choose the platform [default: this machine's]
    #[arg(long, value_name = "PLATFORM", value_parser = platform, add = complete::platforms())]
    platform: Option<Platform>,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit image cat alpine:3.20 /etc/os-release
  solvekit image cat --platform linux/arm64 me/app:1.0 /usr/bin/app > app
  solvekit image cat oci:build/image:1.0 etc/passwd

Layers are read from the top until one has the file, and nothing is unpacked.";

/// Prints a file of an image.
pub(super) async fn run(args: &CatArgs, environment: &Environment) -> Result<(), Failure> {
    let place = Place::parse(&args.image).map_err(|error| failed(&error))?;
    let platform = match &args.platform {
        Some(platform) => platform.clone(),
        None => environment.own_platform()?,
    };
    let client = args.registries.client(environment)?;
    let source = Source::open(&place, &client).await;
    let source = source.map_err(|error| failed(&error))?;
    match read_file(&source, Some(&platform), &args.path, DataWriter::new()).await {
        // It is not a failure if the reader is gone (`solvekit … | head`).
        Err(ContentsError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(ContentsError::Image(error)) => Err(failed(&error)),
        Err(error) => Err(Failure::from_error(&error)),
        Ok(_) => Ok(()),
    }
}
