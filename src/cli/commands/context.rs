//! `solvekit context ls`: shows the content of a build's context, and the rules that exclude files.

use clap::ValueHint;
use serde_json::json;
use solvekit::pipeline;
use solvekit::session::{Survey, Tally};

use crate::cli::args::contexts::FileArgs;
use crate::cli::args::values;
use crate::cli::report::records::size;
use crate::cli::report::terminal::{print_json, print_text, warn};
use crate::cli::report::usage::BuildUsage;
use crate::cli::report::{Failure, build_failure};

#[derive(Debug, clap::Args)]
pub(crate) struct ContextCommandArgs {
    #[command(subcommand)]
    command: ContextCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ContextCommand {
    /// List the files that a build can read, largest first, and what each ignore rule excludes
    Ls(LsArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct LsArgs {
    /// The folder of the build context
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::DirPath)]
    context: String,

    /// List this many of the largest files
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = values::number::<usize>(0..=1_000_000_000, 20)
    )]
    largest: usize,

    /// Print in this format
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,

    #[command(flatten)]
    files: FileArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit context ls
  solvekit context ls -f deploy/Dockerfile -n 30 .   the 30 largest files";

pub(crate) fn cmd_context(args: &ContextCommandArgs) -> Result<(), Failure> {
    let ContextCommand::Ls(args) = &args.command;
    let request = args.files.request(&args.context)?;
    let inputs =
        pipeline::read_inputs(&request).map_err(|error| build_failure::before_daemon(&error))?;
    let folder = inputs
        .folder()
        .ok_or_else(|| BuildUsage::NotAFolder(args.context.clone()))?;
    for path in inputs.ignore_files_in_utf16() {
        let path = path.display();
        warn(&format!(
            "{path} is UTF-16, so nothing is excluded from the context: save it as UTF-8"
        ));
    }
    let survey = Survey::of(folder, inputs.excludes(), args.largest)
        .map_err(|error| Failure::from_error(&error))?;
    match args.format.as_str() {
        "json" => print_json(&format!("{}\n", as_json(&survey))),
        _ => print_text(&as_table(&survey, inputs.excludes())),
    }
}

fn as_json(survey: &Survey) -> serde_json::Value {
    let tally = |tally: &Tally| json!({ "files": tally.files, "bytes": tally.bytes });
    let named = |tallies: &std::collections::BTreeMap<String, Tally>, key: &str| {
        let rows = tallies.iter().map(|(name, of)| {
            let mut row = tally(of);
            row[key] = name.as_str().into();
            row
        });
        rows.collect::<Vec<_>>()
    };
    let largest = survey.largest.iter();
    let largest: Vec<_> = largest
        .map(|(path, bytes)| json!({ "path": path, "bytes": bytes }))
        .collect();
    json!({
        "included": tally(&survey.included),
        "entries": named(&survey.entries, "path"),
        "excluded": named(&survey.excluded, "rule"),
        "largest": largest,
    })
}

fn as_table(survey: &Survey, rules: &[String]) -> String {
    let mut text = row("SIZE", "FILES", "INCLUDED");
    let mut entries: Vec<_> = survey.entries.iter().collect();
    entries.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then_with(|| a.0.cmp(b.0)));
    for (name, tally) in entries {
        text.push_str(&tally_row(tally, name));
    }
    text.push_str(&tally_row(&survey.included, "in all"));
    if !survey.largest.is_empty() {
        text.push_str(&format!("\n{}", row("SIZE", "", "LARGEST FILES")));
    }
    for (path, bytes) in &survey.largest {
        text.push_str(&row(&size_of(*bytes), "", path));
    }
    if !survey.excluded.is_empty() {
        text.push_str(&format!(
            "\n{}",
            row("SIZE", "FILES", "EXCLUDED BY THE RULE")
        ));
    }
    // In the order of the ignore file: the last matching rule decides.
    let mut shown: Vec<&str> = Vec::new();
    for rule in rules.iter().map(|rule| rule.trim()) {
        if let Some(tally) = survey.excluded.get(rule).filter(|_| !shown.contains(&rule)) {
            text.push_str(&tally_row(tally, rule));
            shown.push(rule);
        }
    }
    text
}

fn tally_row(tally: &Tally, name: &str) -> String {
    row(&size_of(tally.bytes), &tally.files.to_string(), name)
}

fn row(size: &str, files: &str, name: &str) -> String {
    format!("{size:>9}  {files:>8}  {name}\n")
}

fn size_of(bytes: u64) -> String {
    size(i64::try_from(bytes).unwrap_or(i64::MAX))
}
