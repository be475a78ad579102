//! `solvekit du`: what the daemon's build cache holds.

use std::time::SystemTime;

use super::Failure;
use super::connection::ConnectionArgs;
use super::environment::Environment;
use super::records::{self, Filters};
use super::terminal::{print_json, print_text};

#[derive(Debug, clap::Args)]
pub(super) struct DuArgs {
    /// Which records, for example until=24h, type=regular, description~=apt; repeatable
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Short for --format pretty
    #[arg(long, conflicts_with = "format")]
    verbose: bool,

    /// How they are printed; json is one object a line
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "pretty", "json"])]
    format: String,
}

/// Lists the records, the smallest first, and what they take in all.
pub(super) async fn cmd_du(
    args: &DuArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let filters = Filters::parse(&args.filter)?;
    let client = connection.connect(environment).await?;
    let records = client
        .disk_usage(&filters.expressions, filters.unused_for)
        .await?;
    let now = SystemTime::now();
    let format = if args.verbose { "pretty" } else { &args.format };
    let mut text = String::new();
    match format {
        "json" => text.extend(records.iter().map(|record| records::json_line(record, now))),
        "pretty" => text.extend(records.iter().map(|record| records::paragraph(record, now))),
        _ => {
            text.push_str(&records::header());
            text.extend(records.iter().map(|record| records::row(record, now)));
        }
    }
    if format == "json" {
        return print_json(&text);
    }
    // Of a part of the cache the sum says little, as buildx has it.
    if args.filter.is_empty() {
        text.push_str(&records::totals(&records));
    }
    print_text(&text)
}
