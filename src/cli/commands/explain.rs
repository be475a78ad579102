//! `solvekit explain`: shows why the steps of an earlier build ran.

use clap::ValueEnum;
use solvekit::explain::Store;

use crate::cli::environment::Environment;
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::usage::HistoryUsage;
use crate::cli::report::{Failure, explanation};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// The build: its reference [default: the last build]
    #[arg(value_name = "REF", conflicts_with = "last")]
    build: Option<String>,

    /// Explain the last build, as without REF
    #[arg(long)]
    last: bool,

    /// Print in this format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}

const EXAMPLES: &str = "\
Examples:
  solvekit explain                 why the steps of the last build ran
  solvekit explain --format json   all reasons, for programs
  solvekit build --explain .       build, and say it at the end";

/// Shows the explanation that was recorded when the build ended.
pub(crate) fn cmd_explain(args: &ExplainArgs, environment: &Environment) -> Result<(), Failure> {
    let build_ref = args.build.as_deref();
    // The history shows references as BUILDER/NODE/REF.
    let build_ref = build_ref.map(|text| text.rsplit('/').next().unwrap_or(text));
    let store = environment
        .state
        .as_ref()
        .map(|state| Store::new(state.join("explain")));
    let report = match &store {
        Some(store) => store.report(build_ref),
        None => Ok(None),
    };
    let report = report.map_err(|error| Failure::from_error(&error))?;
    let report = report.ok_or_else(|| HistoryUsage::NotExplained(args.build.clone()))?;
    match args.format {
        Format::Text => print_text(&explanation::text(&report)),
        Format::Json => {
            let json = serde_json::to_string_pretty(&report);
            let json = json.map_err(|error| Failure::from_error(&error))?;
            print_json(&format!("{json}\n"))
        }
    }
}
