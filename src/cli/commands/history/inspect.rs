//! `solvekit history inspect`.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use solvekit::client::{BuildRecord, RecordStatus};
use solvekit::template::{Json, Template};

use super::attachment::{AttachmentArgs, cmd_attachment};
use super::{Daemon, record};
use crate::cli::report::Failure;
use crate::cli::report::columns::align;
use crate::cli::report::terminal::{print, print_json, print_text};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct InspectArgs {
    #[command(subcommand)]
    part: Option<Part>,

    /// The build: its reference, or ^1 for the one before the newest [default: the newest build]
    #[arg(value_name = "REF")]
    build: Option<String>,

    /// Print as pretty text, json, or with a Go template over the fields of json
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    format: String,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history inspect                          the newest build
  solvekit history inspect ^1 --format json         the build before it, for programs
  solvekit history inspect attachment --type sbom   a part of its result";

#[derive(Debug, clap::Subcommand)]
enum Part {
    /// Print an attestation of a build, or a manifest or config of its image
    Attachment(AttachmentArgs),
}

pub(super) async fn cmd_inspect(args: &InspectArgs, daemon: &Daemon<'_>) -> Result<(), Failure> {
    if let Some(Part::Attachment(args)) = &args.part {
        return cmd_attachment(args, daemon).await;
    }
    let template = match args.format.as_str() {
        "pretty" | "json" => None,
        text => Some(Template::parse(text).map_err(|error| Failure::from_error(&error))?),
    };
    let found = daemon.record(args.build.as_deref()).await?;
    let known = known(daemon, &found);
    match (template, args.format.as_str()) {
        (Some(template), _) => {
            let rendered = template.render(&known.clone().into(), Json::Compact);
            print(&rendered.map_err(|error| Failure::from_error(&error))?)
        }
        (None, "json") => print_json(&format!("{known:#}\n")),
        (None, _) => print_text(&pretty(&known, &found)),
    }
}

/// What is known, under buildx's names; what is not known is left out.
fn known(daemon: &Daemon<'_>, found: &BuildRecord) -> Value {
    let state = daemon.state(found);
    let of = |key: &str| found.attributes.get(key).map(String::as_str);
    let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
    let list = |key: &str| {
        of(key).map_or(Value::Null, |value| {
            value.split(',').collect::<Vec<_>>().into()
        })
    };
    let context = state.as_ref().map(|state| state.local_path.as_str());
    let dockerfile = state.as_ref().map(|state| state.dockerfile_path.as_str());
    let not_empty = |value: &&str| !value.is_empty();
    let duration = found.duration(SystemTime::now()).as_nanos();
    let error = found
        .error
        .as_ref()
        .map(|error| json!({ "Code": error.code as i32, "Message": error.message }));
    let all = json!({
        "Name": record::name(found, state.as_ref()),
        "Ref": found.build_ref,
        "Context": text(context.filter(not_empty).or(of("context"))),
        "Dockerfile": text(dockerfile.filter(not_empty).or(of("filename"))),
        "VCSRepository": text(of("vcs:source")),
        "VCSRevision": text(of("vcs:revision")),
        "Target": text(of("target")),
        "Platform": list("platform"),
        "NamedContexts": pairs(found, "context:"),
        "StartedAt": record::timestamp(found.created_at),
        "CompletedAt": record::timestamp(found.completed_at),
        "Duration": u64::try_from(duration).unwrap_or(u64::MAX),
        "Status": status(found),
        "Error": error,
        "NumCompletedSteps": found.completed_steps,
        "NumTotalSteps": found.total_steps,
        "NumCachedSteps": found.cached_steps,
        "BuildArgs": pairs(found, "build-arg:"),
        "Labels": pairs(found, "label:"),
        "Attachments": attachments(found),
    });
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    match all {
        Value::Object(all) => {
            let kept = all.into_iter().filter(|(_, value)| !empty(value));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn status(found: &BuildRecord) -> &'static str {
    match found.status() {
        RecordStatus::Running => "running",
        RecordStatus::Completed => "completed",
        RecordStatus::Error => "failed",
        RecordStatus::Canceled => "canceled",
    }
}

/// The attributes that begin so, without that.
fn pairs(found: &BuildRecord, prefix: &str) -> Value {
    let with = found
        .attributes
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
    with.map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect::<Vec<_>>()
        .into()
}

/// The attestations, by platform.
fn attachments(found: &BuildRecord) -> Value {
    let all = found
        .attestations
        .iter()
        .flat_map(|(platform, descriptors)| {
            descriptors.iter().map(move |descriptor| {
                let kind = descriptor.annotations.get("in-toto.io/predicate-type");
                json!({
                    "Digest": descriptor.digest.as_str(),
                    "Platform": platform,
                    "Type": kind.map_or(descriptor.media_type.as_str(), String::as_str),
                })
            })
        });
    all.collect::<Vec<_>>().into()
}

/// Lines of names and values, and tables.
fn pretty(known: &Value, found: &BuildRecord) -> String {
    let text = |key: &str| match &known[key] {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let items = list.iter().filter_map(Value::as_str);
            items.collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    };
    let mut lines = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push_str(&format!("{name}:\t{value}\n"));
        }
    };
    line("Name", text("Name"));
    line("Ref", text("Ref"));
    line("Context", text("Context"));
    line("Dockerfile", text("Dockerfile"));
    line("VCS Repository", text("VCSRepository"));
    line("VCS Revision", text("VCSRevision"));
    line("Target", text("Target"));
    line("Platforms", text("Platform"));
    line("Started", text("StartedAt"));
    line("Duration", record::duration(found, SystemTime::now()));
    line("Status", status(found).to_owned());
    line(
        "Build Steps",
        match found.total_steps {
            0 => String::new(),
            total => format!(
                "{}/{total} ({:.0}% cached)",
                found.completed_steps,
                f64::from(found.cached_steps) / f64::from(total) * 100.0
            ),
        },
    );
    line(
        "Warnings",
        match found.warnings {
            0 => String::new(),
            count => count.to_string(),
        },
    );
    line(
        "Image digest",
        found
            .exporter_response
            .get("containerimage.digest")
            .cloned()
            .unwrap_or_default(),
    );
    let mut out = align(&lines, 0, 1);
    for (key, title) in [
        ("NamedContexts", "NAMED CONTEXT\tVALUE"),
        ("BuildArgs", "BUILD ARG\tVALUE"),
        ("Labels", "LABEL\tVALUE"),
    ] {
        let cell = |pair: &Value, key: &str| pair[key].as_str().unwrap_or_default().to_owned();
        let row = |pair: &Value| format!("{}\t{}\n", cell(pair, "Name"), cell(pair, "Value"));
        out.push_str(&table(title, &known[key], row));
    }
    out.push_str(&table(
        "DIGEST\tPLATFORM\tTYPE",
        &known["Attachments"],
        |one| {
            let cell = |key: &str| one[key].as_str().unwrap_or_default();
            format!(
                "{}\t{}\t{}\n",
                cell("Digest"),
                cell("Platform"),
                cell("Type")
            )
        },
    ));
    if let Some(error) = &found.error {
        out.push_str(&format!("\nError: {} {}\n", error.code, error.message));
        out.push_str(&format!(
            "\nThe logs: solvekit history logs {}\n",
            found.build_ref
        ));
    }
    out
}

fn table(title: &str, rows: &Value, row: impl Fn(&Value) -> String) -> String {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return String::new();
    }
    let body: String = rows.iter().map(row).collect();
    format!("\n{}", align(&format!("{title}\n{body}"), 0, 2))
}
