//! `solvekit du`: shows the daemon's build cache.

mod tree;

use std::time::SystemTime;

use futures_util::future::try_join_all;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::records::{self, Filters};
use crate::cli::report::table_format::Format;
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::usage::BuilderUsage;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DuArgs {
    /// Select records, for example until=24h, type=regular, description~=apt; repeatable
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Show all fields: short for --format=pretty
    #[arg(long, conflicts_with = "format")]
    verbose: bool,

    /// Print as table, pretty, json (one object per line), or with a Go template; "table TEMPLATE"
    /// prints columns
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,

    /// Show what was made of what, the builds it belongs to, and what prunes would free
    #[arg(long, conflicts_with = "verbose")]
    tree: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit du
  solvekit du --filter type=exec.cachemount --verbose   all fields of the cache mounts
  solvekit du --format json                             one JSON object per record
  solvekit du --tree                                    by image, stage and build";

/// Lists the records of all nodes, the smallest first, and their total size.
pub(crate) async fn cmd_du(
    args: &DuArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let filters = Filters::parse(&args.filter, environment.identity)?;
    if args.tree {
        let is_json = match args.format.as_str() {
            "table" => false,
            "json" => true,
            _ => return Err(BuilderUsage::TreeFormat(args.format.clone()).into()),
        };
        let daemons = connection.connect_all(environment).await?;
        return tree::print(&daemons, &filters, is_json, environment).await;
    }
    let is_pretty = args.verbose || args.format == "pretty";
    let format = match is_pretty {
        true => records::pretty()?,
        false => Format::parse(&args.format, records::TABLE)?.over("*commands.diskusageContext"),
    };
    let daemons = connection
        .connect_running(environment)
        .await
        .map_err(|failure| failure.prefixed_in_buildx("failed to call diskusage"))?;
    let asked = daemons
        .iter()
        .map(|(client, _)| client.disk_usage(&filters.expressions, filters.unused_for));
    let found = try_join_all(asked).await?.concat();
    let now = SystemTime::now();
    let entries = found
        .iter()
        .map(|record| records::entry(record, format.is_table, now));
    let mut text = format.print(records::heads(), entries)?;
    if args.format == "json" {
        return print_json(&text);
    }
    // As in buildx, there is no total for a part of the cache.
    let is_whole = is_pretty || args.format == "table";
    if is_whole && args.filter.is_empty() {
        text.push_str(&records::totals(&found));
    }
    print_text(&text)
}
