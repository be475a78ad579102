//! `solvekit manifest create`.

use solvekit::manifest_list::{Entry, Error, Lists, fetch};
use solvekit::oci::Reference;

use super::{ManifestRegistryArgs, failure, lists, local, name};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;
use crate::cli::report::usage::ImageUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CreateArgs {
    /// The name that the list will be pushed to
    #[arg(value_name = "MANIFEST_LIST")]
    list: String,

    /// The images to put into the list, which are already in a registry; for a multi-platform
    /// image, each of its platforms is added
    #[arg(value_name = "MANIFEST", required = true)]
    manifests: Vec<String>,

    /// Add to an existing list
    #[arg(short, long)]
    amend: bool,

    #[command(flatten)]
    registries: ManifestRegistryArgs,
}

const EXAMPLES: &str = "\
Example:
  solvekit manifest create app:1 app:1-amd64 app:1-arm64 && solvekit manifest push app:1";

pub(super) async fn cmd_create(
    args: &CreateArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let list = name(&args.list)?;
    let mut names = Vec::new();
    for text in &args.manifests {
        names.push(name(text)?);
    }
    let lists = lists(environment)?;
    match lists.get(&list) {
        Err(Error::NoList { .. }) => {}
        Err(error) => return Err(local(error)),
        Ok(_) if args.amend => {}
        Ok(_) => {
            return Err(ImageUsage::ListExists(list.to_string(), list.familiar()).into());
        }
    }
    let all: Vec<&Reference> = names.iter().collect();
    let client = args.registries.client(&all, environment)?;
    // Fetch all manifests before any is stored, so that a new list is complete.
    let mut entries = Vec::new();
    for name in &names {
        let fetched = match fetch(&client, name).await {
            Ok(fetched) => fetched,
            Err(error) => return Err(failure(&client, error).await),
        };
        entries.extend(fetched.into_iter().map(|entry| kept(&lists, &list, entry)));
    }
    for entry in &entries {
        lists.save(&list, entry).map_err(local)?;
    }
    print(&format!("Created manifest list {list}"))
}

/// Keeps the earlier annotations of the same manifest.
fn kept(lists: &Lists, list: &Reference, entry: Entry) -> Entry {
    match lists.get_one(list, &entry.reference) {
        Ok(known)
            if known.descriptor.digest == entry.descriptor.digest && known.raw == entry.raw =>
        {
            known
        }
        _ => entry,
    }
}
