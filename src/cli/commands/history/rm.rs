//! `solvekit history rm`.

use super::{Found, History, bare};
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;
use crate::cli::report::usage::HistoryUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RmArgs {
    /// The references of the builds
    #[arg(
        value_name = "REF",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    builds: Vec<String>,

    /// Select all builds that have ended
    #[arg(long)]
    all: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history rm k1mnq8g2y4r0f7o4tn1jwqz2p
  solvekit history rm --all";

/// Removes the records. If one cannot be removed, the others still are.
pub(super) async fn cmd_rm(args: &RmArgs, history: &History<'_>) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let identity = history.daemons.first().map(|it| it.environment.identity);
    let in_buildx = identity == Some(Identity::Buildx);
    let mut report = |build: &str, removed: Result<(), Failure>| match removed {
        // buildx prints nothing for a removed record.
        Ok(()) if in_buildx => Ok(()),
        Ok(()) => print(&format!("{build} removed")),
        Err(failure) => {
            failures.push(failure.into_message());
            Ok(())
        }
    };
    if args.all {
        for Found { daemon, record } in history.ended_builds().await? {
            let removed = daemon.client.delete_build_record(&record.build_ref).await;
            report(&record.build_ref, removed.map_err(Failure::from))?;
        }
    }
    for named in &args.builds {
        report(bare(named), remove(bare(named), history).await)?;
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(HistoryUsage::NotRemoved(failures.join("\n")).into()),
    }
}

/// Removes a record from the node that has it.
async fn remove(build_ref: &str, history: &History<'_>) -> Result<(), Failure> {
    let mut last = None;
    for daemon in &history.daemons {
        match daemon.client.delete_build_record(build_ref).await {
            Ok(()) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    last.map_or(Ok(()), |error| Err(error.into()))
}
