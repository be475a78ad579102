//! `--report`: a report about a build for people and CI systems.

use std::path::PathBuf;

use solvekit::build_report::{BuildReport, FailureReport, Format, Status};
use solvekit::pipeline::csv_fields;
use solvekit::progress::Summary;
use solvekit::spread::Built;

use super::headings::OUTPUTS;
use super::places;
use crate::cli::commands::build::write_file;
use crate::cli::environment::Environment;
use crate::cli::interrupt::EXIT_INTERRUPTED;
use crate::cli::report::recorded::sources;
use crate::cli::report::{Failure, annotations};

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = OUTPUTS)]
pub(crate) struct ReportArgs {
    /// Write a report of the build: NAME.html, .md, .json, .junit or .codequality.json, or
    /// type=html|md|json|junit|codequality,dest=FILE
    #[arg(long = "report", value_name = "FILE", value_parser = parse)]
    wanted: Vec<Wanted>,
}

/// A report to write.
#[derive(Debug, Clone)]
struct Wanted {
    format: Format,
    path: PathBuf,
}

fn parse(text: &str) -> Result<Wanted, String> {
    let formats = || Format::ALL.map(Format::name).join(", ");
    if !text.starts_with("type=") {
        let path = PathBuf::from(text);
        let format = Format::of_path(&path).ok_or_else(|| {
            "the end of its name says no format: use .html, .md, .json, .junit, \
             .codequality.json, or type=FORMAT,dest=FILE"
                .to_owned()
        })?;
        return Ok(Wanted { format, path });
    }
    let (mut name, mut dest) = (String::new(), String::new());
    for field in csv_fields(text).map_err(|error| error.to_string())? {
        match field.split_once('=') {
            Some(("type", value)) => name = value.to_owned(),
            Some(("dest", value)) => dest = value.to_owned(),
            _ => {
                return Err(format!(
                    "there is no field {field:?}; the fields are type and dest"
                ));
            }
        }
    }
    let format = Format::from_name(&name)
        .ok_or_else(|| format!("there is no format {name:?}; there are {}", formats()))?;
    match dest.as_str() {
        "-" => Err("a report is written to a file; for stdout, dest=/dev/stdout".to_owned()),
        "" => Err(format!("dest= is missing: type={name},dest=FILE")),
        path => Ok(Wanted {
            format,
            path: path.into(),
        }),
    }
}

impl ReportArgs {
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Checks that the files can be written.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let mut wanted = self.wanted.iter();
        wanted.try_for_each(|wanted| places::ready("--report", &wanted.path))
    }

    /// Writes the reports, and the annotations of a GitHub Actions job. If a report cannot be
    /// written, a successful build fails.
    pub(crate) fn write(
        &self,
        report: &BuildReport,
        environment: &Environment,
    ) -> Result<(), Failure> {
        annotations::write(report, environment);
        let mut wanted = self.wanted.iter();
        wanted.try_for_each(|wanted| {
            write_file(&wanted.path, report.render(wanted.format).as_bytes())
        })
    }
}

/// The report of a finished build.
pub(crate) fn of_build<'a>(
    title: String,
    built: impl IntoIterator<Item = &'a Built>,
    failure: Option<&Failure>,
    summary: &Summary,
) -> BuildReport {
    let mut report = BuildReport::default();
    report.title = title;
    report.timeline = summary.timeline.clone();
    report.warnings.clone_from(&summary.warnings);
    for built in built {
        add(&mut report, built);
    }
    report.sources.sort();
    report.sources.dedup();
    if let Some(failure) = failure {
        report.status = match failure.exit_code() {
            EXIT_INTERRUPTED => Status::Cancelled,
            _ => Status::Failed,
        };
        let mut reported = FailureReport::default();
        reported.message = failure.message().to_owned();
        reported.excerpt = failure.excerpt().to_owned();
        reported.steps.clone_from(&summary.failed);
        report.failure = Some(reported);
    }
    report
}

fn add(report: &mut BuildReport, built: &Built) {
    let outcome = &built.outcome;
    for platform in &outcome.built {
        let platform = platform.to_string();
        if !report.platforms.contains(&platform) {
            report.platforms.push(platform);
        }
    }
    let names = outcome.names().into_iter().map(str::to_owned);
    report.names.extend(names);
    // With several targets this is the last one's digest.
    report.digest = outcome.digest().map(|digest| digest.to_string());
    let parts = built.parts.iter().map(|part| part.build_ref.clone());
    report.build_refs.extend(parts);
    for provenance in outcome.provenance.values() {
        report.sources.extend(sources(provenance));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_name_or_a_type() {
        let wanted = parse("out/build.html").unwrap();
        assert_eq!(wanted.format, Format::Html);
        let wanted = parse("type=md,dest=/tmp/summary").unwrap();
        assert_eq!(
            (wanted.format, wanted.path),
            (Format::Markdown, "/tmp/summary".into())
        );
        for (text, part) in [
            ("report.txt", "says no format"),
            ("type=pdf,dest=x", "there are html, md, json"),
            ("type=md", "dest= is missing"),
            ("type=md,dest=-", "for stdout, dest=/dev/stdout"),
            ("type=md,dest=x,name=y", "there is no field \"name=y\""),
            ("type=md,dest=x,y", "there is no field \"y\""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
