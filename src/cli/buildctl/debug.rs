//! `buildctl debug` and `buildctl prune-histories`.

use serde_json::json;
use solvekit::client::BuildRecord;
use solvekit::llb::{Definition, render};
use solvekit::oci::Digest;
use solvekit::template::{Struct, Value};

use super::cache::{rendered, rfc3339, template};
use super::workers::{self, WorkersArgs};
use super::{metadata, records};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::commands::{debug, history, solve};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::columns::align_with_tabs;
use crate::cli::report::terminal::{print_data, print_json, print_text};

/// The largest blob that `get` prints.
const BLOB_LIMIT: usize = 256 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct DebugArgs {
    #[command(subcommand)]
    command: DebugCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DebugCommand {
    /// List the daemon's workers
    Workers(WorkersArgs),
    /// Show the daemon's version
    Info(debug::InfoArgs),
    /// List the builds that the daemon remembers
    Histories(HistoriesArgs),
    /// Show the progress and output of a build again
    Logs(history::logs::LogsArgs),
    /// Show builds as they happen
    Monitor(records::MonitorArgs),
    /// Keep or remove the record of a build
    Ctl(records::CtlArgs),
    /// Print the databases of a daemon that does not run
    DumpMetadata(metadata::DumpMetadataArgs),
    /// Print a blob of the daemon's store
    Get(GetArgs),
    /// Print a graph as JSON, one step a line
    DumpLlb(DumpLlbArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct HistoriesArgs {
    /// Go template for each build, for example '{{json .}}'
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
}

#[derive(Debug, clap::Args)]
struct GetArgs {
    /// The digest of the blob
    #[arg(value_name = "DIGEST")]
    digest: String,
}

#[derive(Debug, clap::Args)]
struct DumpLlbArgs {
    /// The graph (pb.Definition); stdin without it
    #[arg(value_name = "FILE")]
    file: Option<std::path::PathBuf>,

    /// Print it in the language of Graphviz instead
    #[arg(long)]
    dot: bool,
}

pub(super) async fn cmd_debug(
    args: &DebugArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match &args.command {
        DebugCommand::Workers(args) => workers::cmd_workers(args, connection, environment).await,
        DebugCommand::Info(args) => debug::info(args, connection, environment).await,
        DebugCommand::Histories(args) => histories(args, connection, environment).await,
        DebugCommand::Logs(args) => history::logs_of(args, connection, environment).await,
        DebugCommand::Get(args) => {
            let client = connection.connect(environment).await?;
            print_data(&client.read_blob(&args.digest, BLOB_LIMIT).await?)
        }
        DebugCommand::Monitor(args) => records::cmd_monitor(args, connection, environment).await,
        DebugCommand::Ctl(args) => records::cmd_ctl(args, connection, environment).await,
        DebugCommand::DumpMetadata(args) => metadata::cmd_dump_metadata(args),
        DebugCommand::DumpLlb(args) => dump_llb(args),
    }
}

/// Removes finished builds from the daemon's history, and prints them.
pub(super) async fn cmd_prune_histories(
    args: &HistoriesArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let template = template(args.format.as_deref())?;
    let client = connection.connect(environment).await?;
    let mut text = String::new();
    for record in client.build_records().await? {
        if record.completed_at.is_none() {
            continue;
        }
        client.delete_build_record(&record.build_ref).await?;
        match &template {
            Some(template) => rendered(template, &Value::from(event(&record)))?,
            None => text += &row(&record),
        }
    }
    match template {
        Some(_) => Ok(()),
        None => print_text(&align_with_tabs(&(HEADER.to_owned() + &text))),
    }
}

const HEADER: &str = "TYPE\tREF\tCREATED\tCOMPLETED\tGENERATION\tPINNED\n";

async fn histories(
    args: &HistoriesArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let template = template(args.format.as_deref())?;
    let client = connection.connect(environment).await?;
    let records = client.build_records().await?;
    if let Some(template) = template {
        let mut events = records.iter().map(|it| Value::from(event(it)));
        return events.try_for_each(|event| rendered(&template, &event));
    }
    let rows: String = records.iter().map(row).collect();
    print_text(&align_with_tabs(&(HEADER.to_owned() + &rows)))
}

fn kind(record: &BuildRecord) -> &'static str {
    match record.completed_at {
        Some(_) => "COMPLETE",
        None => "STARTED",
    }
}

fn row(record: &BuildRecord) -> String {
    let time = |at| rfc3339(Some(at)).split('.').next().map(seconds);
    let created = record.created_at.and_then(time).unwrap_or_default();
    let completed = record.completed_at.and_then(time).unwrap_or_default();
    let pinned = if record.pinned { "*" } else { "" };
    format!(
        "{}\t{}\t{created}\t{completed}\t{}\t{pinned}\n",
        kind(record),
        record.build_ref,
        record.generation
    )
}

/// The time without its fraction.
fn seconds(text: &str) -> String {
    format!("{}Z", text.trim_end_matches('Z'))
}

/// The fields of `BuildHistoryEvent` that templates use.
fn event(record: &BuildRecord) -> Struct {
    let time = |at| rfc3339(Some(at));
    let known = Struct::new()
        .field("Ref", "Ref", record.build_ref.as_str())
        .field("Frontend", "Frontend", record.frontend.as_str())
        .field("FrontendAttrs", "FrontendAttrs", record.attributes.clone())
        .field("CreatedAt", "CreatedAt", record.created_at.map(time))
        .field("CompletedAt", "CompletedAt", record.completed_at.map(time))
        .field("Pinned", "pinned", record.pinned)
        .field(
            "NumCachedSteps",
            "numCachedSteps",
            i64::from(record.cached_steps),
        )
        .field(
            "NumTotalSteps",
            "numTotalSteps",
            i64::from(record.total_steps),
        )
        .field("NumWarnings", "numWarnings", i64::from(record.warnings));
    Struct::new()
        .field("Type", "type", kind(record))
        .field("Record", "record", known)
}

fn dump_llb(args: &DumpLlbArgs) -> Result<(), Failure> {
    let bytes = solve::read_graph(args.file.as_deref())?;
    let graph = Definition::decode(&bytes).map_err(|error| Failure::from_error(&error))?;
    if args.dot {
        return print_text(&render::dot(&[(String::new(), &graph)]));
    }
    let shown = graph.to_converted_json();
    let digests = graph.ops().map(|op| Digest::sha256(op).to_string());
    let line = |digest: String| {
        let (op, metadata) = (&shown["def"][&digest], &shown["metadata"][&digest]);
        let step = json!({ "Op": op, "Digest": digest, "OpMetadata": metadata });
        format!("{step}\n")
    };
    print_json(&digests.map(line).collect::<String>())
}
