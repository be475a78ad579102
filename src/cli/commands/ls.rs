//! `solvekit ls`: lists all builders and their nodes, as a table or JSON.

use futures_util::future::join_all;
use serde_json::{Value, json};
use solvekit::builder::{Builder, DEFAULT_CONTEXT, Error, Report};
use solvekit::client::TimeLimits;
use solvekit::template::{self, Struct};

use crate::cli::args::builder::Builders;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::builder_platforms::{marked, shortened};
use crate::cli::report::builders::message;
use crate::cli::report::table_format::{Format, heads, with_json};
use crate::cli::report::terminal::{print_json, print_text, talk};
use crate::cli::report::{Failure, builder_json};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LsArgs {
    /// Print as table, json (one object per line), or with a Go template; "table TEMPLATE" prints
    /// columns
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,

    /// List all platforms
    #[arg(long)]
    no_trunc: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit ls
  solvekit ls --format '{{.Name}} {{.DriverEndpoint}}'   chosen fields, by a template";

/// The fields and their headers.
const FIELDS: [(&str, &str); 7] = [
    ("Name", "NAME/NODE"),
    ("DriverEndpoint", "DRIVER/ENDPOINT"),
    ("LastActivity", "LAST ACTIVITY"),
    ("Status", "STATUS"),
    ("Buildkit", "BUILDKIT"),
    ("Platforms", "PLATFORMS"),
    ("Error", "ERROR"),
];

const TABLE: &str = "{{.Name}}\t{{.DriverEndpoint}}\t{{.Status}}\t{{.Buildkit}}\t{{.Platforms}}";

/// The values of the fields above, in the same order.
type Line = [String; 7];

/// A builder and the reports of its nodes.
struct Listed {
    builder: Builder,
    is_current: bool,
    identity: Identity,
    reports: Vec<Result<Report, Error>>,
}

pub(crate) async fn cmd_ls(
    args: &LsArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let format = match args.format.as_str() {
        "json" => None,
        text => Some(Format::parse(text, TABLE)?.over("*commands.lsContext")),
    };
    let builders = Builders::of(environment)?;
    let (listed, mut problems) = list(&builders, connection.limits(), environment.identity).await?;
    match format {
        None => {
            let lines = listed
                .iter()
                .map(|one| format!("{}\n", json(&builders, one)));
            print_json(&lines.collect::<String>())?;
        }
        Some(format) => {
            let lines = |one| lines(&builders, one, format.is_table, args.no_trunc);
            let entries = listed.iter().flat_map(|one| {
                let object = json(&builders, one);
                let lines = lines(one).into_iter();
                lines.map(move |line| {
                    let entry = with_json(&entry(line), &object);
                    entry.hidden("Builder", template::Value::from(object.clone()))
                })
            });
            print_text(&format.print(heads(FIELDS), entries)?)?;
            problems.extend(
                listed
                    .iter()
                    .filter(|_| format.is_table)
                    .flat_map(problems_of),
            );
        }
    }
    if !problems.is_empty() {
        talk(&format!("\n{}\n", problems.join("\n")));
    }
    Ok(())
}

/// The builders of the store, the docker contexts that no builder is named after, and the builders
/// that cannot be read.
async fn list(
    builders: &Builders,
    limits: TimeLimits,
    identity: Identity,
) -> Result<(Vec<Listed>, Vec<String>), Failure> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for builder in builders.store.builders()? {
        match builder {
            Ok(builder) => found.push(builder),
            Err(error) => problems.push(Failure::from_error(&error).into_message()),
        }
    }
    for context in builders.contexts.names() {
        if !found.iter().any(|builder| builder.name == context) {
            found.push(Builder::of_context(context));
        }
    }
    let current = match builders.current() {
        Ok(builder) => builder.name,
        Err(_) => DEFAULT_CONTEXT.to_owned(),
    };
    let ask = async |builder: Builder| Listed {
        is_current: builder.name == current,
        identity,
        reports: builders.reports(&builder, limits).await,
        builder,
    };
    Ok((join_all(found.into_iter().map(ask)).await, problems))
}

impl Listed {
    /// The error of a docker context whose engine does not answer. buildx calls the builder broken
    /// then, not its node.
    fn broken(&self) -> Option<String> {
        match self.reports.as_slice() {
            [Err(error)] if self.identity == Identity::Buildx && self.builder.of_context => {
                Some(message(error, self.identity))
            }
            _ => None,
        }
    }
}

/// The line of the builder, then those of its nodes.
fn lines(builders: &Builders, listed: &Listed, is_table: bool, all_platforms: bool) -> Vec<Line> {
    let builder = &listed.builder;
    let star = if listed.is_current && is_table {
        "*"
    } else {
        ""
    };
    let activity = builders.store.last_activity(&builder.name);
    let mut lines = vec![Line::default()];
    lines[0][0] = format!("{}{star}", builder.name);
    if let Some(reason) = listed.broken() {
        lines[0][3] = "error".to_owned();
        lines[0][6] = reason;
        return lines;
    }
    lines[0][1].clone_from(&builder.driver);
    lines[0][2] = activity.map_or_else(String::new, |at| builder_json::time(Some(at)));
    let indent = if is_table { " \\_ " } else { "" };
    for (node, report) in builder.nodes.iter().zip(&listed.reports) {
        let (status, version, reported, error) = match report {
            Ok(report) => (
                report.status.to_string(),
                &*report.version,
                &*report.platforms,
                String::new(),
            ),
            Err(error) => {
                let reason = message(error, listed.identity);
                ("error".to_owned(), "", &[][..], reason)
            }
        };
        let platforms = marked(&node.platforms, reported);
        let platforms = match all_platforms || !is_table {
            true => platforms.join(", "),
            false => shortened(&platforms),
        };
        lines.push([
            format!("{indent}{}", node.name),
            format!("{indent}{}", node.endpoint),
            String::new(),
            status,
            version.to_owned(),
            platforms,
            error,
        ]);
    }
    lines
}

fn entry(line: Line) -> Struct {
    let fields = FIELDS.iter().zip(line);
    fields.fold(Struct::new(), |all, ((name, _), value)| {
        all.field(name, name, value)
    })
}

fn problems_of(listed: &Listed) -> Vec<String> {
    if let Some(reason) = listed.broken() {
        let name = &listed.builder.name;
        return vec![format!("Cannot load builder {name}: {reason}")];
    }
    let nodes = listed.builder.nodes.iter().zip(&listed.reports);
    let failed = nodes.filter_map(|(node, report)| Some((node, report.as_ref().err()?)));
    let line = |(node, error): (&solvekit::builder::Node, &Error)| {
        let reason = message(error, listed.identity);
        format!(
            "Failed to get status for {} ({}): {reason}",
            listed.builder.name, node.name
        )
    };
    failed.map(line).collect()
}

fn json(builders: &Builders, listed: &Listed) -> Value {
    let builder = &listed.builder;
    let activity = builders.store.last_activity(&builder.name);
    if let Some(reason) = listed.broken() {
        return json!({
            "Name": builder.name,
            "Driver": "",
            "LastActivity": builder_json::time(activity),
            "Dynamic": builder.dynamic,
            "Current": listed.is_current,
            "Nodes": [{"Name": "", "Endpoint": ""}],
            "Err": reason,
        });
    }
    let nodes = builder.nodes.iter().zip(&listed.reports);
    let nodes: Vec<Value> = nodes
        .map(|(node, report)| builder_json::node(node, report, listed.identity))
        .collect();
    json!({
        "Name": builder.name,
        "Driver": builder.driver,
        "LastActivity": builder_json::time(activity),
        "Dynamic": builder.dynamic,
        "Current": listed.is_current,
        "Nodes": nodes,
    })
}
