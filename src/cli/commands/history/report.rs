//! `solvekit history report`.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use solvekit::build_report::{BuildReport, FailureReport, Format, Status};
use solvekit::client::{BuildRecord, RecordStatus};
use solvekit::progress::{self, Display, Mode, Options, Summary};

use super::{Daemon, Found, History, details, record};
use crate::cli::commands::build::write_file;
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::usage::HistoryUsage;
use crate::cli::report::{Failure, recorded};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReportArgs {
    /// The build: its reference, or ^1 for the one before the newest [default: the newest build]
    #[arg(value_name = "REF")]
    build: Option<String>,

    /// Write the report to this file, and not to stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// html, md, json, junit or codequality [default: what the file's name says; md without one]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history report -o build.html         a page about the newest build
  solvekit history report ^1 --format json      the build before it, for programs";

fn format(text: &str) -> Result<Format, String> {
    let names = || Format::ALL.map(Format::name).join(", ");
    Format::from_name(text).ok_or_else(|| format!("there are {}", names()))
}

impl ReportArgs {
    /// The format that is asked for, or else that of the file's name. A name without an ending, as
    /// GitHub's step summary has, means Markdown.
    fn format(&self) -> Result<Format, HistoryUsage> {
        match (self.format, &self.output) {
            (Some(format), _) => Ok(format),
            (None, Some(path)) if path.extension().is_some() => {
                let known = Format::of_path(path);
                known.ok_or_else(|| HistoryUsage::ReportName(path.clone()))
            }
            (None, _) => Ok(Format::Markdown),
        }
    }
}

pub(super) async fn cmd_report(args: &ReportArgs, history: &History<'_>) -> Result<(), Failure> {
    let format = args.format()?;
    let Found { daemon, record } = history.ended(args.build.as_deref()).await?;
    let summary = summary(daemon, &record).await?;
    let known = details::known(daemon, &record).await;
    let mut report = report(&known, &record, &summary);
    report.names = daemon.image_names(&record).await;
    recorded::add(&mut report, "", &daemon.client, &record).await;
    let rendered = report.render(format);
    match &args.output {
        Some(path) => write_file(path, rendered.as_bytes()),
        None if matches!(format, Format::Json | Format::CodeQuality) => print_json(&rendered),
        None => print_text(&rendered),
    }
}

/// Replays the build's progress.
async fn summary(daemon: &Daemon<'_>, record: &BuildRecord) -> Result<Summary, Failure> {
    let updates = daemon.client.status(&record.build_ref).await?;
    let (writer, received) = progress::channel();
    let source = writer.source();
    drop(writer);
    let display = Display::new(Mode::None, std::io::sink(), Options::default());
    let (summary, forwarded) = tokio::join!(display.run(received), source.forward(updates));
    forwarded.map_err(Failure::from)?;
    Ok(summary)
}

fn report(known: &Value, record: &BuildRecord, summary: &Summary) -> BuildReport {
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut report = BuildReport::default();
    report.title = known["Name"].as_str().unwrap_or("build").to_owned();
    report.timeline = summary.timeline.clone();
    report.warnings.clone_from(&summary.warnings);
    report.platforms = texts(&known["Platform"]);
    report.build_refs = vec![record.build_ref.clone()];
    report.digest = record::image_digest(record);
    report.status = match record.status() {
        RecordStatus::Canceled => Status::Cancelled,
        RecordStatus::Error => Status::Failed,
        _ => Status::Succeeded,
    };
    if let Some(error) = &record.error {
        let lines = known["Error"]["Sources"].as_str();
        let lines = lines.and_then(|text| BASE64.decode(text).ok());
        let mut reported = FailureReport::default();
        reported.message.clone_from(&error.message);
        reported.excerpt = String::from_utf8_lossy(&lines.unwrap_or_default()).into_owned();
        reported.steps.clone_from(&summary.failed);
        report.failure = Some(reported);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_of(output: Option<&str>, format: Option<Format>) -> Result<Format, HistoryUsage> {
        let args = ReportArgs {
            build: None,
            output: output.map(PathBuf::from),
            format,
        };
        args.format()
    }

    #[test]
    fn an_unknown_ending_is_an_error_unless_a_format_is_given() {
        assert_eq!(format_of(None, None).unwrap(), Format::Markdown);
        assert_eq!(format_of(Some("a.html"), None).unwrap(), Format::Html);
        assert_eq!(format_of(Some("summary"), None).unwrap(), Format::Markdown);
        let given = format_of(Some("a.xyz"), Some(Format::Json));
        assert_eq!(given.unwrap(), Format::Json);
        let error = format_of(Some("a.xyz"), None).unwrap_err();
        assert!(matches!(error, HistoryUsage::ReportName(_)), "{error}");
    }
}
