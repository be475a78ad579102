//! Annotations in a GitHub Actions job: warnings and errors, shown beside the lines that they are
//! about. <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::fmt::Write as _;

use solvekit::build_report::BuildReport;

use super::terminal::talk;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;

/// The most annotations of each kind that GitHub shows for a step.
const LIMIT: usize = 10;

/// Writes the annotations in a GitHub Actions job. Not as buildx: docker's actions make their own.
pub(crate) fn write(report: &BuildReport, environment: &Environment) {
    if environment.github_actions && environment.identity == Identity::Solvekit {
        talk(&render(report));
    }
}

fn render(report: &BuildReport) -> String {
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
    if let Some(failure) = &report.failure {
        let steps = failure.steps.iter().take(LIMIT);
        let steps: String = steps.map(|step| format!("\n{}", step.name)).collect();
        let text = format!("{}{steps}", failure.message);
        let _ = writeln!(out, "::error::{}", data(&text));
    }
    out
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
    use solvekit::build_report::FailureReport;
    use solvekit::progress::{FailedStep, SourceInfo, SourceRange, Warning};

    use super::*;

    #[test]
    fn a_warning_has_its_line_and_an_error_its_step() {
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
        let mut failure = FailureReport::default();
        failure.message = "exit code: 1".into();
        let step = FailedStep {
            name: "[build 2/3] RUN make".into(),
            ..FailedStep::default()
        };
        failure.steps = vec![step];
        report.failure = Some(failure);
        assert_eq!(
            render(&report),
            "::warning file=a%2Cb/Dockerfile,line=3,endLine=4::100%25 wrong%0Aindeed\n\
             ::error::exit code: 1%0A[build 2/3] RUN make\n"
        );
    }
}
