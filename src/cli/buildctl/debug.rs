//! `buildctl debug` and `buildctl prune-histories`.

use std::time::SystemTime;

use serde_json::json;
use solvekit::client::BuildRecord;
use solvekit::llb::{Definition, render};
use solvekit::oci::{Descriptor, Digest};
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
        DebugCommand::Logs(args) if !args.names_a_build() => {
            Err(Failure::new("build ref must be specified"))
        }
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

/// `BuildHistoryEvent`, as Go encodes it: without empty fields. In templates, the type and the
/// times are text.
fn event(record: &BuildRecord) -> Struct {
    let error = record.error.as_ref().map(|error| {
        Struct::new()
            .optional("Code", "code", i64::from(error.code as i32))
            .optional("Message", "message", error.message.as_str())
    });
    let known = Struct::new()
        .field("Ref", "Ref", record.build_ref.as_str())
        .optional("Frontend", "Frontend", record.frontend.as_str())
        .optional("FrontendAttrs", "FrontendAttrs", record.attributes.clone())
        .optional("Error", "error", error);
    let known = with_time(known, "CreatedAt", record.created_at);
    let known = with_time(known, "CompletedAt", record.completed_at)
        .optional("Logs", "logs", record.logs.as_ref().map(descriptor))
        .optional(
            "ExporterResponse",
            "ExporterResponse",
            record.exporter_response.clone(),
        )
        .optional("Result", "Result", result(record))
        .optional("Generation", "Generation", i64::from(record.generation))
        .optional("Trace", "trace", record.trace.as_ref().map(descriptor))
        .optional("Pinned", "pinned", record.pinned);
    let count = |all: Struct, name: &str, json: &str, number: i32| {
        all.optional(name, json, i64::from(number))
    };
    let known = count(
        known,
        "NumCachedSteps",
        "numCachedSteps",
        record.cached_steps,
    );
    let known = count(known, "NumTotalSteps", "numTotalSteps", record.total_steps);
    let known = count(
        known,
        "NumCompletedSteps",
        "numCompletedSteps",
        record.completed_steps,
    );
    let details = record.error_details.as_ref().map(descriptor);
    let known = known.optional("ExternalError", "externalError", details);
    let known = count(known, "NumWarnings", "numWarnings", record.warnings);
    let number = i64::from(record.completed_at.is_some());
    Struct::new()
        .hidden("Type", kind(record))
        // Templates cannot refer to a name with a dot.
        .optional(".Type", "type", number)
        .field("Record", "record", known)
}

/// Adds a time: protobuf's seconds and nanoseconds in JSON.
fn with_time(all: Struct, name: &str, at: Option<SystemTime>) -> Struct {
    let text = at.map(|at| rfc3339(Some(at)));
    let since = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let parts = since.map(|since| {
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Struct::new()
            .optional("Seconds", "seconds", seconds)
            .optional("Nanos", "nanos", i64::from(since.subsec_nanos()))
    });
    all.hidden(name, text)
        .optional(&format!(".{name}"), name, parts)
}

/// The attestations of a result that is not of a platform.
fn result(record: &BuildRecord) -> Option<Struct> {
    let attestations = record.attestations.get("")?.iter().map(descriptor);
    let attestations: Vec<Struct> = attestations.collect();
    Some(Struct::new().optional("Attestations", "Attestations", attestations))
}

fn descriptor(found: &Descriptor) -> Struct {
    let size = i64::try_from(found.size).unwrap_or(i64::MAX);
    Struct::new()
        .optional("MediaType", "media_type", found.media_type.as_str())
        .optional("Digest", "digest", found.digest.to_string())
        .optional("Size", "size", size)
        .optional("Annotations", "annotations", found.annotations.clone())
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
