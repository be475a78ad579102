//! `solvekit inspect`: shows the details of a builder and its nodes.

use std::time::Duration;

use solvekit::builder::{Builder, Error, Node, Report, Status};
use solvekit::client::GcRule;

use super::bootstrap;
use crate::cli::args::builder::Builders;
use crate::cli::args::complete;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::builder_platforms::marked;
use crate::cli::report::builders::message;
use crate::cli::report::columns::align;
use crate::cli::report::terminal::print_text;
use crate::cli::report::{Failure, records};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    /// The name of the builder [default: the current one]
    #[arg(value_name = "NAME", add = complete::builders())]
    name: Option<String>,

    /// Start the builder first
    #[arg(long)]
    bootstrap: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit inspect
  solvekit inspect far --bootstrap   start it first";

pub(crate) async fn cmd_inspect(
    args: &InspectArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let builders = Builders::of(environment)?;
    let builder = builders.selected(args.name.as_deref(), connection, environment)?;
    let in_buildx = environment.identity == Identity::Buildx;
    if in_buildx && builder.of_context {
        let reports = builders.reports(&builder, connection.limits()).await;
        if let [Err(error)] = reports.as_slice() {
            return print_text(&broken(&builder, error, args.bootstrap));
        }
    }
    if args.bootstrap {
        let limits = connection.limits();
        bootstrap::boot(&builders, &builder, None, limits, environment).await?;
    }
    let reports = builders.reports(&builder, connection.limits()).await;
    let mut text = format!("Name:\t{}\nDriver:\t{}\n", builder.name, builder.driver);
    if let Some(at) = builders.store.last_activity(&builder.name) {
        text.push_str(&format!(
            "Last Activity:\t{} {} +0000 UTC\n",
            at.date(),
            clock(at)
        ));
    }
    if !builder.placement.is_empty() {
        text.push_str(&format!("Placement:\t{}\n", builder.placement));
    }
    text.push_str("\nNodes:\n");
    for (position, (node, report)) in builder.nodes.iter().zip(&reports).enumerate() {
        if position > 0 {
            text.push('\n');
        }
        text.push_str(&of_node(node, report, environment));
    }
    print_text(&align(&text, 0, 1))
}

/// buildx's text for a docker context whose engine does not answer.
fn broken(builder: &Builder, error: &Error, with_nodes: bool) -> String {
    let reason = message(error, Identity::Buildx);
    let nodes = if with_nodes { "\nNodes:\n" } else { "" };
    format!(
        "Name:   {}\nDriver: \nError:  {reason}\n{nodes}",
        builder.name
    )
}

fn clock(at: time::OffsetDateTime) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

fn of_node(node: &Node, report: &Result<Report, Error>, environment: &Environment) -> String {
    let mut text = format!("Name:\t{}\nEndpoint:\t{}\n", node.name, node.endpoint);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{name}:\t{value}\n"));
        }
    };
    let options = node
        .driver_opts
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"));
    line("Driver Options", &options.collect::<Vec<_>>().join(" "));
    match report {
        Err(error) => line("Error", &message(error, environment.identity)),
        Ok(report) => {
            line("Status", &report.status.to_string());
            line("BuildKit daemon flags", &node.buildkitd_flags.join(" "));
            line("BuildKit version", &report.version);
            line(
                "Platforms",
                &marked(&node.platforms, &report.platforms).join(", "),
            );
            if !report.pods.is_empty() {
                text.push_str("Pods:\n");
            }
            for pod in &report.pods {
                text.push_str(&format!("\t{}:\t{}\n", pod.name, pod.state));
            }
            if report.status == Status::Running {
                text.push_str(&of_daemon(report, environment.debug));
            }
        }
    }
    for (path, bytes) in &node.files {
        text.push_str(&format!("File#{path}:\n"));
        for line in String::from_utf8_lossy(bytes).split('\n') {
            text.push_str(&format!("\t> {line}\n"));
        }
    }
    text
}

/// The features of the driver are shown only with --debug, as in buildx.
fn of_daemon(report: &Report, debug: bool) -> String {
    let mut text = String::new();
    if debug {
        text.push_str("Features:\n");
        for (name, there) in &report.features {
            text.push_str(&format!("\t{name}:\t{there}\n"));
        }
    }
    if !report.labels.is_empty() {
        text.push_str("Labels:\n");
    }
    for (name, value) in &report.labels {
        text.push_str(&format!("\t{name}:\t{value}\n"));
    }
    if !report.devices.is_empty() {
        text.push_str("Devices:\n");
    }
    for device in &report.devices {
        text.push_str(&format!("\tName:\t{}\n", device.name));
        match device.on_demand {
            true => text.push_str("\tOn-Demand:\ttrue\n"),
            false => text.push_str(&format!(
                "\tAutomatically allowed:\t{}\n",
                device.auto_allow
            )),
        }
        if !device.annotations.is_empty() {
            text.push_str("\tAnnotations:\n");
        }
        for (name, value) in &device.annotations {
            text.push_str(&format!("\t\t{name}:\t{value}\n"));
        }
    }
    for (number, rule) in report.gc_policy.iter().enumerate() {
        text.push_str(&format!("GC Policy rule#{number}:\n{}", of_rule(rule)));
    }
    text
}

fn of_rule(rule: &GcRule) -> String {
    let mut text = format!("\tAll:\t{}\n", rule.all);
    let mut line = |name: &str, value: String| text.push_str(&format!("\t{name}:\t{value}\n"));
    if !rule.filters.is_empty() {
        line("Filters", rule.filters.join(" "));
    }
    if !rule.keep_duration.is_zero() {
        line("Keep Duration", long_time(rule.keep_duration));
    }
    for (name, bytes) in [
        ("Reserved Space", rule.reserved_space),
        ("Max Used Space", rule.max_used_space),
        ("Min Free Space", rule.min_free_space),
    ] {
        if bytes > 0 {
            line(name, binary_size(bytes));
        }
    }
    text
}

/// A duration in Go's format, for example `48h0m0s`.
pub(crate) fn long_time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A size with four digits and a binary unit, for example `9.313GiB`.
fn binary_size(bytes: i64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < units.len() {
        number /= 1024.0;
        unit += 1;
    }
    format!("{}{}", records::four_digits(number), units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_those_of_buildx() {
        assert_eq!(long_time(Duration::from_secs(48 * 3600)), "48h0m0s");
        assert_eq!(long_time(Duration::from_secs(90)), "1m30s");
        assert_eq!(binary_size(10_000_000_000), "9.313GiB");
        assert_eq!(binary_size(512 << 20), "512MiB");
    }
}
