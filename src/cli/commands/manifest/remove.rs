//! `solvekit manifest rm`.

use super::{lists, name};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RmArgs {
    /// The names of the manifest lists
    #[arg(value_name = "MANIFEST_LIST", required = true)]
    lists: Vec<String>,
}

const EXAMPLES: &str = "\
Example:
  solvekit manifest rm app:1";

/// Removes as many as possible, then reports those that could not be removed.
pub(super) fn cmd_rm(args: &RmArgs, environment: &Environment) -> Result<(), Failure> {
    let lists = lists(environment)?;
    let mut failed = Vec::new();
    for text in &args.lists {
        let removed = name(text).and_then(|list| {
            let removed = lists.remove(&list);
            removed.map_err(|error| Failure::from_error(&error))
        });
        if let Err(failure) = removed {
            failed.push(failure.into_message());
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(failed.join("\n"))),
    }
}
