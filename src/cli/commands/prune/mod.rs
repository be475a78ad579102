//! `solvekit prune`: removes records of the daemon's build cache.

mod buildx_rows;
mod dry_run;

use std::time::SystemTime;

use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use futures_util::stream::select_all;
use solvekit::client::{Client, PruneOptions};

use crate::cli::args::builder::Used;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::values;
use crate::cli::commands::build::dry_run::Form;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt;
use crate::cli::report::records::{self, Filters};
use crate::cli::report::terminal::print_text;
use crate::cli::report::usage::BuilderUsage;
use crate::cli::report::{Failure, prompt};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PruneArgs {
    /// Remove internal records and frontend images, too
    #[arg(short, long)]
    all: bool,

    /// Do not ask for confirmation
    #[arg(short, long)]
    force: bool,

    /// Select records, for example until=24h, type=regular, description~=apt; repeatable
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Always keep this much of the cache, for example 10g
    #[arg(long, value_name = "BYTES", alias = "keep-storage", value_parser = values::bytes)]
    reserved_space: Option<u64>,

    /// Remove records until the cache uses at most this much space
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    max_used_space: Option<u64>,

    /// Remove records until this much of the disk is free
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    min_free_space: Option<u64>,

    /// Show what would be removed, and remove nothing [default: text]
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        value_name = "FORMAT"
    )]
    dry_run: Option<Form>,

    /// Show all fields of each removed record
    #[arg(long)]
    verbose: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit prune                                after a question
  solvekit prune --force --filter until=168h    what was not used for a week
  solvekit prune --force --max-used-space 20g   down to a size
  solvekit prune --dry-run --max-used-space 20g what that would remove";

/// Removes the records that the flags select, after a confirmation, and prints each of them and the
/// total.
pub(crate) async fn cmd_prune(
    args: &PruneArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let filters = Filters::parse(&args.filter, environment.identity)?;
    if args.dry_run.is_none() && !args.force {
        let what = if args.all { "all" } else { "all dangling" };
        let question = format!(
            "WARNING! This will remove {what} build cache. Are you sure you want to continue?"
        );
        if !prompt::confirmed(&question, environment.identity)? {
            return Ok(());
        }
    }
    let cancelled = interrupt::token()?;
    let daemons = connection
        .connect_running(environment)
        .await
        .map_err(|failure| failure.prefixed_in_buildx("failed to call prune"))?;
    let bytes = |given: Option<u64>| i64::try_from(given.unwrap_or(0)).unwrap_or(i64::MAX);
    let options = PruneOptions {
        filters: filters.expressions,
        all: args.all,
        keep_duration: filters.unused_for,
        reserved_space: bytes(args.reserved_space),
        max_used_space: bytes(args.max_used_space),
        min_free_space: bytes(args.min_free_space),
    };
    if args.max_used_space.is_some() || args.min_free_space.is_some() {
        for (client, _) in &daemons {
            check_limits(client).await?;
        }
    }
    if let Some(form) = args.dry_run {
        return tokio::select! {
            printed = dry_run::print(&daemons, &options, form, args.verbose) => printed,
            () = cancelled.cancelled() => Err(Failure::new("interrupted")
                .code(interrupt::EXIT_INTERRUPTED)),
        };
    }
    tokio::select! {
        pruned = prune(&daemons, &options, args.verbose, environment.identity) => pruned,
        () = cancelled.cancelled() => Err(Failure::new("interrupted; what is printed was removed")
            .code(interrupt::EXIT_INTERRUPTED)),
    }
}

/// Prunes all nodes at once.
async fn prune(
    daemons: &[(Client, Used)],
    options: &PruneOptions,
    verbose: bool,
    identity: Identity,
) -> Result<(), Failure> {
    let removing = daemons.iter().map(|(client, _)| client.prune(options));
    let mut removed = select_all(try_join_all(removing).await?);
    let now = SystemTime::now();
    let (mut count, mut total) = (0, 0_i64);
    while let Some(record) = removed.next().await {
        let record = record?;
        total = total.saturating_add(record.size.max(0));
        let text = match (identity, verbose) {
            (Identity::Buildx, true) => buildx_rows::paragraph(&record, now),
            (Identity::Buildx, false) => buildx_rows::row(&record, count == 0, now),
            (_, true) => records::paragraph(&record, now)?,
            (_, false) if count == 0 => records::header() + &records::row(&record, now),
            (_, false) => records::row(&record, now),
        };
        count += 1;
        print_text(&text)?;
    }
    print_text(&format!("Total:\t{}\n", records::size(total)))
}

/// Older daemons ignore the limits, and would remove everything.
async fn check_limits(client: &Client) -> Result<(), Failure> {
    let workers = client.workers().await?;
    let version = workers.first().and_then(|worker| worker.version.as_ref());
    let Some(version) = version.map(|version| version.version.as_str()) else {
        return Ok(());
    };
    let mut numbers = version.trim_start_matches('v').split(['.', '-', '+']);
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    match (next(), next()) {
        (Some(0), Some(minor)) if minor < 17 => {
            Err(BuilderUsage::OldPrune(version.to_owned()).into())
        }
        _ => Ok(()),
    }
}
