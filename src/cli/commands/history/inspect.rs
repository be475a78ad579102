//! `solvekit history inspect`.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use solvekit::client::{BuildRecord, RecordStatus};
use solvekit::template::{self, Json, Template};

use super::attachment::{AttachmentArgs, cmd_attachment};
use super::{Found, History, details, fields, record};
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::columns::{align, align_with_tabs};
use crate::cli::report::display::desktop_url;
use crate::cli::report::template_words::Place;
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

impl InspectArgs {
    /// Checks the arguments before any request to a daemon.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.part {
            Some(Part::Attachment(args)) => args.check(),
            None => Ok(()),
        }
    }
}

pub(super) async fn cmd_inspect(args: &InspectArgs, history: &History<'_>) -> Result<(), Failure> {
    if let Some(Part::Attachment(args)) = &args.part {
        return cmd_attachment(args, history).await;
    }
    let failed = |error| Place::of_build().failure(&error, &args.format);
    let template = match args.format.as_str() {
        "pretty" | "json" => None,
        text => Some(Template::parse(text).map_err(failed)?),
    };
    let Found { daemon, record } = history.build(args.build.as_deref()).await?;
    let known = details::known(daemon, &record).await;
    match (template, args.format.as_str()) {
        (Some(template), _) => {
            let rendered = template.render(&fields::of(&known).into(), Json::Compact);
            print(&rendered.map_err(failed)?)
        }
        (None, "json") => {
            let json = template::Value::from(fields::of(&known)).to_json(Json::Indented);
            print_json(&format!("{json}\n"))
        }
        (None, _) => {
            let identity = daemon.environment.identity;
            let links = links(identity, &daemon.full_ref(&record), &record.build_ref);
            let mut shown = known;
            if identity == Identity::Buildx && args.build.is_some() {
                // buildx does not repeat the requested reference.
                shown["Ref"] = Value::Null;
            }
            print_text(&format!("{}{links}", pretty(&shown, &record, identity)))
        }
    }
}

/// Commands and links for more details.
fn links(identity: Identity, full_ref: &str, build_ref: &str) -> String {
    let program = match identity {
        Identity::Buildx => "docker buildx",
        Identity::Solvekit | Identity::Buildctl => "solvekit",
    };
    format!(
        "Print build logs: {program} history logs {build_ref}\n\
         View build in Docker Desktop: {}\n",
        desktop_url(full_ref)
    )
}

/// The fields of `Config` and their labels.
const CONFIG: [(&str, &str); 20] = [
    ("Network", "Network"),
    ("Hostname", "Hostname"),
    ("ExtraHosts", "Extra Hosts"),
    ("CgroupParent", "Cgroup Parent"),
    ("ImageResolveMode", "Image Resolve Mode"),
    ("MultiPlatform", "Multi-Platform"),
    ("NoCache", "No Cache"),
    ("NoCacheFilter", "No Cache Filter"),
    ("ShmSize", "Shm Size"),
    ("Ulimit", "Resource Limits"),
    ("Memory", "Memory"),
    ("MemorySwap", "Memory Swap"),
    ("CPUShares", "CPU Shares"),
    ("CPUPeriod", "CPU Period"),
    ("CPUQuota", "CPU Quota"),
    ("CPUSetCPUs", "CPUSet CPUs"),
    ("CPUSetMems", "CPUSet Mems"),
    ("CacheMountNS", "Cache Mount Namespace"),
    ("DockerfileCheckConfig", "Dockerfile Check Config"),
    ("SourceDateEpoch", "Source Date Epoch"),
];

/// Labels with values, and tables, in buildx's order.
fn pretty(known: &Value, found: &BuildRecord, identity: Identity) -> String {
    let mut out = about(known, identity) + "\n";
    out.push_str(&table(
        "NAMED CONTEXT\tVALUE",
        &known["NamedContexts"],
        &["Name", "Value"],
        identity,
    ));
    out.push_str(&run(known, found, identity));
    out.push('\n');
    out.push_str(&configured(&known["Config"], identity));
    out.push('\n');
    for (key, title) in [("BuildArgs", "BUILD ARG"), ("Labels", "LABEL")] {
        let title = format!("{title}\tVALUE");
        let fields = &["Name", "Value"];
        out.push_str(&table(&title, &known[key], fields, identity));
    }
    for (title, key, heads, fields) in [
        (
            "Materials",
            "Materials",
            "URI\tDIGEST",
            &["URI", "Digests"][..],
        ),
        (
            "Attachments",
            "Attachments",
            "DIGEST\tPLATFORM\tTYPE",
            &["Digest", "Platform", "Type"],
        ),
    ] {
        let table = table(heads, &known[key], fields, identity);
        if !table.is_empty() {
            out.push_str(&format!("{title}:\n{table}"));
        }
    }
    out.push_str(&failed(&known["Error"]));
    out
}

/// The target of the build.
fn about(known: &Value, identity: Identity) -> String {
    let mut lines = Lines::default();
    for (name, key) in [
        ("Name", "Name"),
        ("Ref", "Ref"),
        ("Context", "Context"),
        ("Dockerfile", "Dockerfile"),
        ("VCS Repository", "VCSRepository"),
        ("VCS Revision", "VCSRevision"),
        ("Target", "Target"),
        ("Platforms", "Platform"),
        ("Keep Git Dir", "KeepGitDir"),
    ] {
        lines.add(name, &text(&known[key]));
    }
    lines.aligned(identity)
}

/// The time of the build, and its result.
fn run(known: &Value, found: &BuildRecord, identity: Identity) -> String {
    let mut lines = Lines::default();
    let started = text(&known["StartedAt"]).replace('T', " ");
    lines.add(
        "Started",
        started.split(['.', 'Z']).next().unwrap_or_default(),
    );
    let running = match found.status() {
        RecordStatus::Running => " (running)",
        _ => "",
    };
    let duration = record::duration(found, SystemTime::now());
    lines.add("Duration", &format!("{duration}{running}"));
    match (found.status(), &found.error) {
        (RecordStatus::Canceled, _) => lines.add("Status", "Canceled"),
        (_, Some(error)) => lines.add("Error", &format!("{} {}", error.code, error.message)),
        _ => {}
    }
    if found.total_steps > 0 {
        let cached = f64::from(found.cached_steps) / f64::from(found.total_steps) * 100.0;
        let (done, all) = (found.completed_steps, found.total_steps);
        lines.add(
            "Build Steps",
            &format!("{done}/{all} ({cached:.0}% cached)"),
        );
    }
    if identity == Identity::Buildx {
        return lines.aligned(identity);
    }
    if found.warnings > 0 {
        lines.add("Warnings", &found.warnings.to_string());
    }
    lines.add("Image names", &text(&known["ImageNames"]));
    lines.add(
        "Image digest",
        &record::image_digest(found).unwrap_or_default(),
    );
    lines.aligned(identity)
}

fn configured(config: &Value, identity: Identity) -> String {
    let mut lines = Lines::default();
    for (key, name) in CONFIG {
        lines.add(name, &text(&config[key]));
    }
    lines.add("Sandbox Hostname", &text(&config["SandboxHostname"]));
    for pair in config["RestRaw"].as_array().into_iter().flatten() {
        lines.add(&text(&pair["Name"]), &text(&pair["Value"]));
    }
    lines.aligned(identity)
}

/// The lines of the Dockerfile, and the end of the step's log.
fn failed(error: &Value) -> String {
    let sources = BASE64.decode(text(&error["Sources"])).unwrap_or_default();
    let mut out = String::new();
    out.push_str(&String::from_utf8_lossy(&sources));
    let logs = error["Logs"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if !logs.is_empty() {
        out.push_str(&format!("Logs:\n> => {}:\n", text(&error["Name"])));
        for line in logs {
            out.push_str(&format!("> {}\n", text(line)));
        }
        out.push('\n');
    }
    out
}

/// Lines of labels and values. Empty values are omitted.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0.push_str(&format!("{name}:\t{value}\n"));
        }
    }

    fn aligned(&self, identity: Identity) -> String {
        aligned(&self.0, 1, identity)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

/// The cells in columns. buildx separates them with tabs, which scripts may split.
fn aligned(text: &str, padding: usize, identity: Identity) -> String {
    match identity {
        Identity::Buildx => align_with_tabs(text),
        Identity::Solvekit | Identity::Buildctl => align(text, 0, padding),
    }
}

fn table(title: &str, rows: &Value, fields: &[&str], identity: Identity) -> String {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return String::new();
    }
    let row = |row: &Value| {
        let cells: Vec<String> = fields.iter().map(|&field| text(&row[field])).collect();
        format!("{}\n", cells.join("\t"))
    };
    let body: String = rows.iter().map(row).collect();
    format!("{}\n", aligned(&format!("{title}\n{body}"), 2, identity))
}
