//! `solvekit image copy`.

use crate::cli::args::complete;
use solvekit::layout::{Layout, Name};
use solvekit::oci::{Platform, Reference};
use solvekit::registry::Client;
use solvekit::transfer::{ArchiveKind, Options, Place, Plan, Source, fetch, push};

use super::{pull, save};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::push::PushRetryArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::commands::transfers::{TransferArgs, failed, platform};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CopyArgs {
    /// Copy from here
    #[arg(value_name = "SRC")]
    source: String,

    /// Copy to here
    #[arg(value_name = "DST")]
    destination: String,

    /// Copy only the image for this platform, without the index [default: copy everything]
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
Places:
  NAME, docker://NAME                               an image of a registry
  oci:DIR[:TAG], oci-layout://DIR[:TAG][@DIGEST]    an image of an OCI layout
  oci-archive:FILE[:TAG]                            a tar archive of a layout
  docker-archive:FILE[:NAME]                        an archive for docker load
  docker-daemon:NAME                                the Docker Engine (as DST only)

Examples:
  solvekit image copy alpine:3.20 registry.example.com/mirror/alpine:3.20
  solvekit image copy --platform linux/arm64 me/app:1.0 oci:app:1.0";

pub(super) async fn run(
    args: CopyArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let [from, to] = [&args.source, &args.destination].map(|text| Place::parse(text));
    let from = from.map_err(|error| failed(&error))?;
    let to = to.map_err(|error| failed(&error))?;
    let client = args.registries.pushing(&args.retries, environment)?;
    let copying = Copying::new(&from, args.platform.as_ref(), client, &args.transfer).await?;
    match to {
        Place::Registry(name) => copying.push(name).await,
        Place::Layout { path, tag, .. } => copying.fetch(&Layout::new(path), tag).await,
        Place::OciArchive { path, tag } => {
            let name = tag.or_else(|| copying.tag()).map(Name::Tag);
            save::to_file(&copying, &path, name.as_slice(), ArchiveKind::Oci).await
        }
        Place::DockerArchive { path, name } => {
            let name = name.or_else(|| copying.name()).map(Name::Image);
            save::to_file(&copying, &path, name.as_slice(), ArchiveKind::Docker).await
        }
        Place::Engine(name) => {
            let engine = connection.engine(environment)?;
            let quiet = args.transfer.is_quiet();
            pull::load(&copying, name, &engine, environment, quiet).await
        }
        other => Err(Failure::new(format!("{other} cannot be written"))),
    }
}

/// An image that is about to be copied.
pub(super) struct Copying {
    pub(super) source: Source,
    pub(super) plan: Plan,
    pub(super) client: Client,
    pub(super) options: Options,
}

impl Copying {
    /// Finds the image and its parts.
    pub(super) async fn new(
        from: &Place,
        platform: Option<&Platform>,
        client: Client,
        transfer: &TransferArgs,
    ) -> Result<Self, Failure> {
        let source = Source::open(from, &client);
        let source = source.await.map_err(|error| failed(&error))?;
        let plan = Plan::of(&source, platform);
        let plan = plan.await.map_err(|error| failed(&error))?;
        Ok(Self {
            options: transfer.options(&plan),
            source,
            plan,
            client,
        })
    }

    fn tag(&self) -> Option<String> {
        self.name()?.tag().map(str::to_owned)
    }

    /// Its name, if it comes from a registry or its archive has one.
    pub(super) fn name(&self) -> Option<Reference> {
        match self.source.place() {
            Place::Registry(name) => Some(name.clone()),
            Place::DockerArchive { name, .. } => name.clone(),
            _ => None,
        }
    }

    async fn push(&self, name: Reference) -> Result<(), Failure> {
        let names = [name];
        let pushed = push(
            &self.source,
            &self.plan,
            &names,
            &self.client,
            &self.options,
        )
        .await;
        pushed.map_err(|error| failed(&error))?;
        print(&format!("{}@{}", names[0], self.plan.root().digest))
    }

    async fn fetch(&self, layout: &Layout, tag: Option<String>) -> Result<(), Failure> {
        let tag = tag.or_else(|| self.tag());
        let names = [Name::Tag(tag.unwrap_or_else(|| "latest".to_owned()))];
        let fetched = fetch(&self.source, &self.plan, layout, &names, &self.options).await;
        fetched.map_err(|error| failed(&error))?;
        print(self.plan.root().digest.as_str())
    }
}
