//! `solvekit manifest inspect`.

use solvekit::manifest_list::{Entry, Error, fetch, indent, list_json};
use solvekit::oci::{Index, media_type};

use super::{ManifestRegistryArgs, failure, lists, local, name};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::registry_failure::of_registry;
use crate::cli::report::terminal::print_json;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InspectArgs {
    /// The manifest list on this machine that contains the manifest
    #[arg(value_name = "MANIFEST_LIST")]
    first: String,

    /// The manifest: a list on this machine, or an image in a registry
    #[arg(value_name = "MANIFEST")]
    second: Option<String>,

    /// Show the layers and the platform of each manifest
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    registries: ManifestRegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit manifest inspect alpine:3.20
  solvekit manifest inspect --verbose app:1   with layers and platforms";

pub(super) async fn cmd_inspect(
    args: &InspectArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let first = name(&args.first)?;
    let lists = lists(environment)?;
    if let Some(manifest) = &args.second {
        let entry = lists.get_one(&first, &name(manifest)?).map_err(local)?;
        return match args.verbose {
            true => print_line(&indent(&entry.to_json(), "\t")),
            false => print_line(&indent(&String::from_utf8_lossy(&entry.raw), "\t")),
        };
    }
    match lists.get(&first) {
        Ok(entries) if args.verbose => return print_line(&verbose(&entries)),
        Ok(entries) => {
            return print_line(&list_json(entries.iter().map(|entry| &entry.descriptor)).1);
        }
        Err(Error::NoList { .. }) => {}
        Err(error) => return Err(local(error)),
    }
    let client = args.registries.client(&[&first], environment)?;
    let root = match client.manifest(&first).await {
        Ok(root) => root,
        Err(error) => return Err(of_registry(&client, error).await),
    };
    let is_index = media_type::is_index(&root.descriptor.media_type);
    if args.verbose {
        let entries = match fetch(&client, &first).await {
            Ok(entries) => entries,
            Err(error) => return Err(failure(&client, error).await),
        };
        return match entries.as_slice() {
            [only] if !is_index => print_line(&indent(&only.to_json(), "\t")),
            all => print_line(&verbose(all)),
        };
    }
    let text = String::from_utf8_lossy(&root.bytes);
    if !is_index {
        return print_line(&indent(&text, "\t"));
    }
    let index: Index = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("{first} is not an index: {error}")))?;
    print_line(&list_json(&index.manifests).1)
}

/// Prints JSON with a newline.
fn print_line(json: &str) -> Result<(), Failure> {
    print_json(&format!("{json}\n"))
}

fn verbose(entries: &[Entry]) -> String {
    let all: Vec<String> = entries.iter().map(Entry::to_json).collect();
    indent(&format!("[{}]", all.join(",")), "\t")
}
