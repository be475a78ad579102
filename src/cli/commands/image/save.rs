//! `solvekit image save`, and archives as the destination of a copy.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use solvekit::files::Destination;
use solvekit::layout::{Layout, Name};
use solvekit::oci::{Platform, Reference};
use solvekit::transfer::{ArchiveKind, Pack, Place, fetch};

use super::copy::Copying;
use crate::cli::args::complete;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::commands::transfers::{Staging, TransferArgs, failed, platform};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;
use crate::cli::report::usage::ImageUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SaveArgs {
    /// The name of the image
    #[arg(value_name = "NAME")]
    name: String,

    /// Write to this archive [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Choose the format: docker (one platform, for docker load) or oci (an OCI layout of all
    /// platforms)
    #[arg(long, value_name = "FORMAT", default_value = "docker", value_parser = ["docker", "oci"])]
    format: String,

    /// Choose the platform [default: this machine's for docker, all for oci]
    #[arg(long, value_name = "PLATFORM", value_parser = platform, add = complete::platforms())]
    platform: Option<Platform>,

    #[command(flatten)]
    transfer: TransferArgs,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit image save --platform linux/arm64 alpine:3.20 -o alpine.tar
  solvekit image save alpine:3.20 | docker load
  solvekit image save --format oci me/app:1.0 -o app.tar   all platforms, as an OCI layout";

pub(super) async fn run(args: SaveArgs, environment: &Environment) -> Result<(), Failure> {
    if args.output.is_none() && io::stdout().is_terminal() {
        return Err(ImageUsage::ArchiveToTerminal.into());
    }
    let name = Reference::parse(&args.name).map_err(|error| Failure::from_error(&error))?;
    let name = name.with_default_tag();
    let (kind, platform) = match (args.format.as_str(), args.platform) {
        ("oci", platform) => (ArchiveKind::Oci, platform),
        (_, Some(platform)) => (ArchiveKind::Docker, Some(platform)),
        (_, None) => (ArchiveKind::Docker, Some(environment.own_platform()?)),
    };
    let client = args.registries.client(environment)?;
    let place = Place::Registry(name.clone());
    let copying = Copying::new(&place, platform.as_ref(), client, &args.transfer).await?;
    let names = [Name::Image(name)];
    match &args.output {
        Some(path) => to_file(&copying, path, &names, kind).await,
        None => {
            let staging = copying.staging(environment)?;
            let pack = copying.pack(staging.path(), &names, kind).await?;
            written(pack, Path::new("stdout"), || Ok(io::stdout())).await?;
            staging.remove();
            Ok(())
        }
    }
}

/// Saves to a file, which appears when it is complete. Until then the parts are kept beside it, so
/// that an interrupted download can resume.
pub(super) async fn to_file(
    copying: &Copying,
    path: &Path,
    names: &[Name],
    kind: ArchiveKind,
) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(ImageUsage::ArchiveIsFolder(path.to_owned()).into());
    }
    let mut parts = path.as_os_str().to_owned();
    parts.push(".partial");
    let staging = Staging::at(Path::new(&parts))?;
    let pack = copying.pack(staging.path(), names, kind).await?;
    let failed =
        |error: io::Error| Failure::new(format!("cannot write {}: {error}", path.display()));
    let place = path.to_owned();
    let file = written(pack, path, move || {
        Ok(BufWriter::new(Destination::open(&place)?))
    })
    .await?;
    let file = file
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.finish().map_err(failed)?;
    staging.remove();
    print(copying.plan.root().digest.as_str())
}

/// Writes the archive on a blocking thread.
async fn written<W: Write + Send + 'static>(
    pack: Pack,
    path: &Path,
    open: impl FnOnce() -> io::Result<W> + Send + 'static,
) -> Result<W, Failure> {
    let path = path.to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let mut to = open()
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
        let written = pack.write(&mut to, &path);
        written.map_err(|error| failed(&error)).map(|_| to)
    });
    work.await
        .unwrap_or_else(|_| Err(Failure::new("the program is ending")))
}

impl Copying {
    /// A folder of the user's cache for the parts of this image.
    pub(super) fn staging(&self, environment: &Environment) -> Result<Staging, Failure> {
        let cache = environment.cache_home.clone();
        let cache = cache.unwrap_or_else(std::env::temp_dir);
        let folder = cache.join("solvekit/images");
        Staging::at(&folder.join(self.plan.root().digest.hex()))
    }

    /// Fetches all parts into a folder, and prepares the archive.
    pub(super) async fn pack(
        &self,
        folder: &Path,
        names: &[Name],
        kind: ArchiveKind,
    ) -> Result<Pack, Failure> {
        let layout = Layout::new(folder);
        let (source, plan) = (&self.source, &self.plan);
        // Report an image that cannot be archived before anything is fetched.
        let pack = Pack::new(source, plan, &layout, names, kind).await;
        let pack = pack.map_err(|error| failed(&error))?;
        let fetched = fetch(source, plan, &layout, &[], &self.options).await;
        fetched.map_err(|error| failed(&error))?;
        Ok(pack)
    }
}
