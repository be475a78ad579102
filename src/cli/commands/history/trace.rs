//! `solvekit history trace`: shows what the daemon did during a build, and how long each part took.

use std::collections::{HashMap, HashSet};
use std::io::IsTerminal as _;
use std::time::Duration;

use solvekit::bundle::{Span, Trace};
use solvekit::text::one_line;

use super::{Found, History};
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_data, print_json, print_text};
use crate::cli::report::usage::HistoryUsage;

/// The size limit of a trace, in bytes.
const LIMIT: usize = 512 << 20;
/// How long the daemon may take to finish the trace, before it is asked to.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TraceArgs {
    /// The build: its reference, or ^1 for the one before the newest [default: the newest build]
    #[arg(value_name = "REF")]
    build: Option<String>,

    /// Compare with the trace of this build
    #[arg(long, value_name = "REF")]
    compare: Option<String>,

    /// Print as tree, json (for the Jaeger UI), or otlp (as the daemon stores it) [default: tree on
    /// a terminal, otherwise json]
    #[arg(long, value_name = "FORMAT", value_parser = ["tree", "json", "otlp"])]
    format: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history trace                              the newest build
  solvekit history trace --compare ^1                 side by side with the build before it
  solvekit history trace --format json > trace.json   for the Jaeger UI";

pub(super) async fn cmd_trace(args: &TraceArgs, history: &History<'_>) -> Result<(), Failure> {
    let mut found = vec![load(args.build.as_deref(), history).await?];
    if let Some(other) = &args.compare {
        found.insert(0, load(Some(other), history).await?);
    }
    let format = args.format.as_deref().unwrap_or_else(|| {
        if std::io::stdout().is_terminal() {
            "tree"
        } else {
            "json"
        }
    });
    match format {
        "otlp" => found.iter().try_for_each(|(_, bytes)| print_data(bytes)),
        "tree" => {
            let trees = found.iter().map(|(trace, _)| tree(&trace.spans()));
            print_text(&trees.collect::<Vec<_>>().join("\n"))
        }
        _ => {
            let traces: Vec<Trace> = found.into_iter().map(|(trace, _)| trace).collect();
            print_json(&format!("{:#}\n", Trace::to_jaeger(&traces)))
        }
    }
}

/// The trace of a build, parsed and as stored.
async fn load(named: Option<&str>, history: &History<'_>) -> Result<(Trace, Vec<u8>), Failure> {
    let Found { daemon, mut record } = history.ended(named).await?;
    if record.trace.is_none() {
        tokio::time::sleep(PAUSE).await;
        daemon
            .client
            .finalize_build_record(&record.build_ref)
            .await?;
        let again = daemon.record(&record.build_ref).await?;
        record = again.ok_or(HistoryUsage::UnknownBuild(record.build_ref))?;
    }
    let build_ref = &record.build_ref;
    let Some(kept) = &record.trace else {
        return Err(HistoryUsage::NoTrace(build_ref.clone()).into());
    };
    let bytes = daemon.client.read_blob(kept.digest.as_str(), LIMIT).await?;
    let trace = Trace::parse(&bytes).map_err(|error| Failure::from_error(&error))?;
    Ok((trace, bytes))
}

/// Each span below its parent: its start and its duration.
fn tree(spans: &[Span]) -> String {
    let begin = spans.first().map_or(0, |span| span.start);
    let mut text = format!("{:>10}  {:>10}\n", "BEGAN", "TOOK");
    let ids: HashSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let mut parts: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut stack = Vec::new();
    // In reverse, because the stack is popped from its end.
    for (at, span) in spans.iter().enumerate().rev() {
        match ids.contains(span.parent.as_str()) && span.parent != span.id {
            true => parts.entry(&span.parent).or_default().push(at),
            false => stack.push((at, 0)),
        }
    }
    while let Some((at, depth)) = stack.pop() {
        let span = &spans[at];
        text.push_str(&format!(
            "{:>10}  {:>10}  {}{}{}\n",
            seconds(span.start - begin),
            seconds(span.duration),
            "  ".repeat(depth.min(40)),
            one_line(&span.name),
            if span.failed { "  (failed)" } else { "" }
        ));
        // Removed from the map: spans in a cycle, or with a duplicate id, are shown once.
        let below = parts.remove(span.id.as_str()).unwrap_or_default();
        stack.extend(below.into_iter().map(|part| (part, depth + 1)));
    }
    text
}

fn seconds(micros: u64) -> String {
    format!("{:.3}s", Duration::from_micros(micros).as_secs_f64())
}
