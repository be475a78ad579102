//! `solvekit history rm`.

use super::{Daemon, bare};
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

/// Removes the records; one that cannot be removed does not keep the others.
pub(super) async fn cmd_rm(args: &RmArgs, daemon: &Daemon<'_>) -> Result<(), Failure> {
    let builds = match args.all {
        true => {
            let found = daemon.client.build_records().await?;
            let ended = found.into_iter().filter(|one| one.completed_at.is_some());
            ended.map(|one| one.build_ref).collect()
        }
        false => args
            .builds
            .iter()
            .map(|named| bare(named).to_owned())
            .collect::<Vec<_>>(),
    };
    let mut failures = Vec::new();
    for build in &builds {
        match daemon.client.delete_build_record(build).await {
            Ok(()) => print(&format!("{build} removed"))?,
            Err(error) => failures.push(Failure::from_error(&error).into_message()),
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(HistoryUsage::NotRemoved(failures.join("\n")).into()),
    }
}
