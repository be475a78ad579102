//! `solvekit manifest`: manifest lists that are assembled on this machine, as with `docker
//! manifest`.

mod annotate;
mod create;
mod inspect;
mod push;
mod remove;

use solvekit::manifest_list::{Error, Lists};
use solvekit::oci::Reference;
use solvekit::registry::Client;

use crate::cli::args::headings::REGISTRIES;
use crate::cli::args::push::PushRetryArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::registry_failure::{of_imagetools, of_registry, reference};
use crate::cli::report::usage::ImageUsage;

#[derive(Debug, clap::Args)]
pub(crate) struct ManifestArgs {
    #[command(subcommand)]
    command: ManifestCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ManifestCommand {
    /// Create a manifest list on this machine
    Create(create::CreateArgs),
    /// Set the platform of a manifest in a list
    Annotate(annotate::AnnotateArgs),
    /// Show a manifest or a manifest list
    Inspect(inspect::InspectArgs),
    /// Push a manifest list to its registry
    Push(push::PushArgs),
    /// Remove manifest lists from this machine
    Rm(remove::RmArgs),
}

/// The registry flags of a command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = REGISTRIES)]
struct ManifestRegistryArgs {
    /// Accept any certificate and plain HTTP from the registries of these images
    #[arg(long)]
    insecure: bool,

    #[command(flatten)]
    registries: RegistryArgs,
}

impl ManifestRegistryArgs {
    /// A client for the registries of these names.
    fn client(&self, names: &[&Reference], environment: &Environment) -> Result<Client, Failure> {
        self.pushing(names, &PushRetryArgs::default(), environment)
    }

    /// The same for a push.
    fn pushing(
        &self,
        names: &[&Reference],
        retries: &PushRetryArgs,
        environment: &Environment,
    ) -> Result<Client, Failure> {
        let mut registries = self.registries.clone();
        if self.insecure {
            registries.add_insecure(names.iter().map(|name| name.domain()));
        }
        registries.pushing(retries, environment)
    }
}

pub(crate) async fn cmd_manifest(
    args: &ManifestArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match &args.command {
        ManifestCommand::Create(args) => create::cmd_create(args, environment).await,
        ManifestCommand::Annotate(args) => annotate::cmd_annotate(args, environment),
        ManifestCommand::Inspect(args) => inspect::cmd_inspect(args, environment).await,
        ManifestCommand::Push(args) => push::cmd_push(args, environment).await,
        ManifestCommand::Rm(args) => remove::cmd_rm(args, environment),
    }
}

/// The manifest lists in docker's folder.
fn lists(environment: &Environment) -> Result<Lists, Failure> {
    match &environment.docker_config {
        Some(folder) => Ok(Lists::new(folder.join("manifests"))),
        None => Err(ImageUsage::NoListFolder.into()),
    }
}

/// Parses a name; without tag and digest its tag is `latest`.
fn name(text: &str) -> Result<Reference, Failure> {
    Ok(reference(text)?.with_default_tag())
}

/// The failure of an operation without a registry.
fn local(error: Error) -> Failure {
    error.into()
}

/// Any failure, with a hint.
async fn failure(client: &Client, error: Error) -> Failure {
    match error {
        Error::Registry(error) => of_registry(client, error).await,
        Error::Image(error) => of_imagetools(client, error).await,
        error => local(error),
    }
}
