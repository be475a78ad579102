//! `buildctl debug workers`.

use solvekit::client::Worker;
use solvekit::oci::Platform;
use solvekit::template::{Struct, Value};

use super::cache::{rendered, template};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::commands::inspect::long_time;
use crate::cli::commands::workers;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::columns::align_with_tabs;
use crate::cli::report::terminal::print_text;

#[derive(Debug, clap::Args)]
pub(super) struct WorkersArgs {
    /// List these workers only: id==ID or labels."KEY"==VALUE; repeatable
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Show every field of each worker
    #[arg(short, long)]
    verbose: bool,

    /// Go template for the list of workers, for example '{{json .}}'
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
}

pub(super) async fn cmd_workers(
    args: &WorkersArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let template = template(args.format.as_deref())?;
    let client = connection.connect(environment).await?;
    let workers = client.workers_matching(&args.filter).await?;
    if let Some(template) = template {
        let list: Vec<Struct> = workers.iter().map(workers::fields).collect();
        return rendered(&template, &Value::from(list));
    }
    let text = match args.verbose {
        true => workers.iter().map(paragraph).collect(),
        false => workers
            .iter()
            .fold("ID\tPLATFORMS\n".to_owned(), |text, worker| {
                text + &format!("{}\t{}\n", worker.id, platforms(worker))
            }),
    };
    print_text(&align_with_tabs(&text))
}

fn platforms(worker: &Worker) -> String {
    let platforms = worker.platforms.iter().map(Platform::normalized);
    let platforms: Vec<String> = platforms.map(|it| it.to_string()).collect();
    platforms.join(",")
}

fn paragraph(worker: &Worker) -> String {
    let mut text = format!("ID:\t{}\nPlatforms:\t{}\n", worker.id, platforms(worker));
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let version = worker.version.clone().unwrap_or_default();
    line(format!(
        "BuildKit:\t{} {} {}",
        version.package, version.version, version.revision
    ));
    if !version.dockerfile_version.is_empty() {
        line(format!("Dockerfile:\t{}", version.dockerfile_version));
    }
    line("Labels:".to_owned());
    for (key, value) in &worker.labels {
        line(format!("\t{key}:\t{value}"));
    }
    if !worker.devices.is_empty() {
        line("Devices:".to_owned());
    }
    for device in &worker.devices {
        line(format!("\tName:\t{}", device.name));
        line(match device.on_demand {
            true => "\tOnDemand:\ttrue".to_owned(),
            false => format!("\tAutoAllow:\t{}", device.auto_allow),
        });
        for (key, value) in &device.annotations {
            line(format!("\tAnnotations:\t{key}:\t{value}"));
        }
    }
    if !worker.devices.is_empty() {
        line(String::new());
    }
    for (number, rule) in worker.gc_policy.iter().enumerate() {
        line(format!("GC Policy rule#{number}:"));
        line(format!("\tAll:\t{}", rule.all));
        if !rule.filters.is_empty() {
            line(format!("\tFilters:\t{}", rule.filters.join(" ")));
        }
        if !rule.keep_duration.is_zero() {
            line(format!(
                "\tKeep duration:\t{}",
                long_time(rule.keep_duration)
            ));
        }
        for (name, bytes) in [
            ("Reserved space", rule.reserved_space),
            ("Minimum free space", rule.min_free_space),
            ("Maximum used space", rule.max_used_space),
        ] {
            if bytes > 0 {
                line(format!("\t{name}:\t{}", super::cache::rounded(bytes)));
            }
        }
    }
    text + "\n"
}
