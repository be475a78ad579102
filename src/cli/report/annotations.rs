//! Annotations in a GitHub Actions job: warnings and errors, shown beside the lines that they are
//! about. <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::fmt::Write as _;

use solvekit::build_report::BuildReport;

use super::Failure;
use super::last_lines::Place;
use super::terminal::talk;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;

/// The most annotations of each kind that GitHub shows for a step.
const LIMIT: usize = 10;

/// Writes the warnings of a build in a GitHub Actions job. Not as buildx: docker's actions make
/// their own.
pub(crate) fn write(report: &BuildReport, environment: &Environment) {
    if is_wanted(environment) {
        talk(&warnings(report));
    }
}

/// Writes the failure of a build, also of one that did not begin.
pub(crate) fn write_failure(failure: &Failure, environment: &Environment) {
    if is_wanted(environment) {
        talk(&errors(failure));
    }
}

fn is_wanted(environment: &Environment) -> bool {
    environment.github_actions && environment.identity == Identity::Solvekit
}

fn warnings(report: &BuildReport) -> String {
    let mut out = String::new();
    for warning in report.warnings.iter().take(LIMIT) {
        let text = String::from_utf8_lossy(&warning.short);
        let file = warning.source.as_ref().map(|source| &*source.filename);
        let range = warning.ranges.first();
        out.push_str("::warning");
        if let (Some(file), Some(range)) = (file, range) {
            let end = range.end.line.max(range.start.line);
            let _ = write!(
                out,
                " file={},line={},endLine={end}",
                property(file),
                range.start.line
            );
        }
        let _ = writeln!(out, "::{}", data(&text));
    }
    out
}

/// One annotation for each failed step, or one for the whole failure.
fn errors(failure: &Failure) -> String {
    let steps = failure.failed_steps().iter().take(LIMIT);
    let of_steps: String = steps
        .map(|step| {
            let text = format!("{}\n{}", step.title(), failure.message());
            error(step.place().or(failure.place()), text.trim_start())
        })
        .collect();
    match (of_steps.is_empty(), failure.message().is_empty()) {
        (false, _) => of_steps,
        (true, false) => error(failure.place(), failure.message()),
        (true, true) => String::new(),
    }
}

fn error(place: Option<&Place>, text: &str) -> String {
    let place = place.map(|it| format!(" file={},line={}", property(&it.file), it.line));
    format!("::error{}::{}\n", place.unwrap_or_default(), data(text))
}

/// Escapes the text after `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of `file=`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use solvekit::client::SourceDetail;
    use solvekit::progress::{SourceInfo, SourceRange, Warning};

    use super::super::last_lines;
    use super::*;

    #[test]
    fn a_warning_has_its_line() {
        let source = SourceInfo {
            filename: "a,b/Dockerfile".into(),
            ..SourceInfo::default()
        };
        let warning = Warning {
            short: "100% wrong\nindeed".into(),
            source: Some(source),
            ranges: vec![SourceRange::lines(3, 4)],
            ..Warning::default()
        };
        let mut report = BuildReport::default();
        report.warnings = vec![warning];
        assert_eq!(
            warnings(&report),
            "::warning file=a%2Cb/Dockerfile,line=3,endLine=4::100%25 wrong%0Aindeed\n"
        );
    }

    #[test]
    fn an_error_has_the_line_of_each_failed_step_or_its_own() {
        let step = |line| {
            let mut lines = SourceDetail::default();
            lines.info.filename = "Dockerfile".into();
            lines.info.data = "FROM a AS one\nRUN x\nRUN y\n".into();
            lines.ranges = vec![SourceRange::lines(line, line)];
            last_lines::of_instruction(&lines, None)
        };
        let failure = Failure::new("2 of 3 platforms failed");
        assert_eq!(errors(&failure), "::error::2 of 3 platforms failed\n");
        let place = Place {
            file: "docker-bake.hcl".into(),
            line: 7,
        };
        let failure = failure.at(Some(place));
        assert_eq!(
            errors(&failure),
            "::error file=docker-bake.hcl,line=7::2 of 3 platforms failed\n"
        );
        let failure = failure.ends_with(step(2)).ends_with(step(3));
        assert_eq!(
            errors(&failure),
            "::error file=Dockerfile,line=2::stage one: RUN x%0A2 of 3 platforms failed\n\
             ::error file=Dockerfile,line=3::stage one: RUN y%0A2 of 3 platforms failed\n"
        );
        assert_eq!(errors(&Failure::silent(1)), "");
    }
}
