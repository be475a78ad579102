//! `solvekit cache-mount ls`.

use std::time::SystemTime;

use solvekit::cache_mount::{CacheMountRecord, list};
use solvekit::template::Struct;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::records::{last_used, size};
use crate::cli::report::table_format::{Format, heads};
use crate::cli::report::terminal::{print_json, print_text};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LsArgs {
    /// Print as table, json (one object per line), or with a Go template; "table TEMPLATE" prints
    /// columns
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
}

const EXAMPLES: &str = "\
Examples:
  solvekit cache-mount ls
  solvekit cache-mount ls --format json             one JSON object per mount
  solvekit cache-mount ls --format '{{.ID}}'        only the ids";

const TABLE: &str = "{{.ID}}\t{{.Namespace}}\t{{.Size}}\t{{.LastUsedAt}}\t{{.InUse}}\t{{.Target}}";

/// Lists the mounts of all nodes, by id.
pub(super) async fn run(
    args: &LsArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let format = Format::parse(&args.format, TABLE)?;
    let mut found = Vec::new();
    for (client, used) in connection.connect_all(environment).await? {
        let mounts = list(&client).await?.into_iter();
        found.extend(mounts.map(|mount| (used.node.clone(), mount)));
    }
    let now = SystemTime::now();
    let entries = found.iter().map(|(node, mount)| entry(node, mount, now));
    let text = format.print(fields(), entries)?;
    match args.format.as_str() {
        "json" => print_json(&text),
        _ => print_text(&text),
    }
}

fn fields() -> Struct {
    heads([
        ("ID", "ID"),
        ("Namespace", "NAMESPACE"),
        ("Target", "TARGET"),
        ("Size", "SIZE"),
        ("LastUsedAt", "LAST USED"),
        ("InUse", "IN USE"),
        ("HasBase", "HAS BASE"),
        ("UsageCount", "USAGE COUNT"),
        ("Record", "RECORD"),
        ("Node", "NODE"),
    ])
}

fn entry(node: &str, mount: &CacheMountRecord, now: SystemTime) -> Struct {
    let record = &mount.record;
    Struct::new()
        .field("ID", "ID", mount.id.as_str())
        .field("Namespace", "Namespace", mount.namespace.as_str())
        .field("Target", "Target", mount.target.as_str())
        .field("Size", "Size", size(record.size))
        .field("LastUsedAt", "LastUsedAt", last_used(record, now))
        .field("InUse", "InUse", record.in_use)
        .field("HasBase", "HasBase", mount.has_base)
        .field("UsageCount", "UsageCount", record.usage_count)
        .field("Record", "Record", record.id.as_str())
        .field("Node", "Node", node)
}
