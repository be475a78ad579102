//! `solvekit manifest push`.

use solvekit::manifest_list::push;
use solvekit::oci::Reference;
use solvekit::progress;

use super::{ManifestRegistryArgs, failure, lists, local, name};
use crate::cli::args::push::PushRetryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::terminal::print;
use crate::cli::report::{Failure, display};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PushArgs {
    /// The manifest list
    #[arg(value_name = "MANIFEST_LIST")]
    list: String,

    /// Remove the list from this machine after the push
    #[arg(short, long)]
    purge: bool,

    #[command(flatten)]
    progress: display::ProgressArgs,

    #[command(flatten)]
    registries: ManifestRegistryArgs,

    #[command(flatten)]
    retries: PushRetryArgs,
}

const EXAMPLES: &str = "\
Example:
  solvekit manifest push --purge registry.example.com/app:1";

pub(super) async fn cmd_push(args: &PushArgs, environment: &Environment) -> Result<(), Failure> {
    let list = name(&args.list)?;
    let lists = lists(environment)?;
    let entries = lists.get(&list).map_err(local)?;
    let mode = display::mode(&args.progress.mode, false, environment)?;
    let mut names: Vec<&Reference> = entries.iter().map(|entry| &entry.reference).collect();
    names.push(&list);
    names.sort_by_key(|name| name.domain());
    names.dedup_by_key(|name| name.domain());
    let client = args
        .registries
        .pushing(&names, &args.retries, environment)?;
    let (writer, updates) = progress::channel();
    let sink = args.progress.open(mode)?;
    let shown = display::start_alone(mode, sink, "Pushing", environment, updates);
    let pushed = push(&client, &list, &entries, &writer).await;
    drop(writer);
    shown.end().await;
    let (digest, copied) = match pushed {
        Ok(pushed) => pushed,
        Err(error) => return Err(failure(&client, error).await),
    };
    for name in copied {
        let digest = name.digest().map(ToString::to_string).unwrap_or_default();
        print(&format!("Pushed ref {name} with digest: {digest}"))?;
    }
    print(digest.as_str())?;
    if args.purge {
        lists.remove(&list).map_err(local)?;
    }
    Ok(())
}
