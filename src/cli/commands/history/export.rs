//! `solvekit history export`: writes records as a bundle for Docker Desktop.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use solvekit::bundle::{Bundle, Exported};

use super::{Found, History};
use crate::cli::args::places;
use crate::cli::commands::build;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print_data;
use crate::cli::report::usage::HistoryUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    /// The builds: their references, or ^1 for the one before the newest [default: the newest
    /// build]
    #[arg(value_name = "REF", conflicts_with = "all")]
    builds: Vec<String>,

    /// Write to this file [default: stdout, unless it is a terminal]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Select all builds that have ended
    #[arg(long)]
    all: bool,

    /// Make the daemon save the builds' traces first
    #[arg(long)]
    finalize: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history export -o build.dockerbuild          the newest build
  solvekit history export --all -o builds.dockerbuild   all of them";

pub(super) async fn cmd_export(args: &ExportArgs, history: &History<'_>) -> Result<(), Failure> {
    if args.output.is_none() && std::io::stdout().is_terminal() {
        return Err(HistoryUsage::BundleToTerminal.into());
    }
    if let Some(path) = &args.output {
        places::ready("--output", path)?;
    }
    let mut exported = Vec::new();
    for Found { daemon, mut record } in chosen(args, history).await? {
        if args.finalize && record.trace.is_none() {
            let build_ref = record.build_ref.clone();
            daemon.client.finalize_build_record(&build_ref).await?;
            let again = daemon.record(&build_ref).await?;
            record = again.ok_or(HistoryUsage::UnknownBuild(build_ref))?;
        }
        let workers = daemon.client.workers().await?;
        let platform = workers.first().and_then(|worker| worker.platforms.first());
        exported.push(Exported {
            client: daemon.client.clone(),
            state: daemon.state(&record),
            platform: platform.map(|platform| platform.normalized()),
            record,
        });
    }
    let bundle = Bundle::of(&exported).await;
    let bundle = bundle.map_err(|error| Failure::from_error(&error))?;
    let mut bytes = Vec::new();
    let written = bundle.write(&mut bytes);
    written.map_err(|error| Failure::from_error(&error))?;
    match &args.output {
        Some(path) => build::write_file(path, &bytes),
        None => print_data(&bytes),
    }
}

async fn chosen<'a>(
    args: &ExportArgs,
    history: &'a History<'_>,
) -> Result<Vec<Found<'a>>, Failure> {
    if args.all {
        let ended = history.ended_builds().await?;
        return match ended.is_empty() {
            true => Err(Failure::new("the daemon remembers no build that has ended")),
            false => Ok(ended),
        };
    }
    let newest = [None];
    let named: Vec<Option<&str>> = match args.builds.as_slice() {
        [] => newest.to_vec(),
        builds => builds.iter().map(|one| Some(one.as_str())).collect(),
    };
    let mut chosen: Vec<Found<'_>> = Vec::new();
    for one in named {
        let found = history.ended(one).await?;
        let same = |known: &Found<'_>| known.record.build_ref == found.record.build_ref;
        if !chosen.iter().any(same) {
            chosen.push(found);
        }
    }
    Ok(chosen)
}
