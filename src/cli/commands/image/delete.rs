//! `solvekit image delete`.

use solvekit::oci::Reference;
use solvekit::registry::{Client, Error};

use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::registry_failure::{of_registry, reference};
use crate::cli::report::terminal::print;
use crate::cli::report::usage::ImageUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DeleteArgs {
    /// The images: NAME:TAG removes the tag, NAME@DIGEST the image with all its tags
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// Remove the image that a tag points to, with all its tags
    #[arg(long)]
    by_digest: bool,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit image delete registry.example.com/me/app:old
  solvekit image delete --by-digest registry.example.com/me/app:old   other tags of it go too

Many registries remove images by digest only, and free the space later.";

/// Deletes images, and prints the name of each. If one cannot be deleted, the others still are.
pub(super) async fn run(args: &DeleteArgs, environment: &Environment) -> Result<(), Failure> {
    let named = args.names.iter().map(|name| named(name));
    let named = named.collect::<Result<Vec<_>, Failure>>()?;
    let client = args.registries.client(environment)?;
    let mut failed: Option<Failure> = None;
    for name in named {
        match remove(&client, &name, args.by_digest).await {
            Ok(removed) => print(&format!("{removed} removed"))?,
            Err(failure) => {
                if let Some(before) = failed.replace(failure) {
                    before.report();
                }
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Rejects a name without tag and digest: it could be meant as the whole repository.
fn named(text: &str) -> Result<Reference, Failure> {
    let name = reference(text)?;
    match name.tag().is_some() || name.digest().is_some() {
        true => Ok(name),
        false => Err(ImageUsage::DeleteWhat(text.to_owned()).into()),
    }
}

async fn remove(client: &Client, name: &Reference, by_digest: bool) -> Result<Reference, Failure> {
    let name = match (name.digest(), by_digest) {
        (None, true) => match client.head(name).await {
            Ok(found) => name.without_tag().with_digest(found.digest),
            Err(error) => return Err(of_registry(client, error).await),
        },
        (Some(_), _) => name.without_tag(),
        (None, false) => name.clone(),
    };
    match client.delete(&name).await {
        Ok(()) => Ok(name),
        Err(Error::Refused(refusal)) if matches!(refusal.status.as_u16(), 400 | 405 | 501) => {
            let usage = match name.digest() {
                None => ImageUsage::NoDeleteOfTags(Error::Refused(refusal)),
                Some(_) => ImageUsage::NoDelete(Error::Refused(refusal)),
            };
            Err(usage.into())
        }
        Err(error) => Err(of_registry(client, error).await),
    }
}
