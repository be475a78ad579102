//! The report at the end of a build: failed steps and warnings.

use std::fmt::Write;
use std::time::SystemTime;

use super::event::Warning;
use super::excerpt::SourceExcerpt;
use super::palette::{Palette, Tone};
use super::text::log_time;
use super::timeline::Timeline;
use super::view::{StepState, StepView, View};
use crate::dockerfile::Wording;
use crate::text::one_line;

/// The result of a display, in every mode.
#[derive(Debug, Default)]
pub struct Summary {
    /// The steps that failed by themselves, by their start; cancelled ones are not included.
    pub failed: Vec<FailedStep>,
    /// All warnings, each once.
    pub warnings: Vec<Warning>,
    /// The number of completed steps.
    pub ended: usize,
    /// The number of known steps.
    pub steps: usize,
    /// The timeline of the steps.
    pub timeline: Timeline,
    /// Why the output stopped; the build continued.
    pub write_error: Option<std::io::Error>,
}

/// A failed step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedStep {
    /// The digest of its vertex, as in the daemon's error.
    pub digest: String,
    /// The name, e.g. `[linux/arm64 2/3] RUN make`.
    pub name: String,
    /// The platform, if the name contains it. The caller may know it otherwise.
    pub platform: Option<String>,
    /// The error.
    pub error: String,
    /// The last lines of the log, each with the seconds since the step's start, without colours and
    /// control characters.
    pub log: Vec<String>,
    /// The position in `log` of the last line that was written to stderr and is not blank.
    pub last_of_stderr: Option<usize>,
    /// The wording of its report. BuildKit's has neither the exit code nor, without a log, the
    /// error.
    pub wording: Wording,
}

impl Summary {
    pub(super) fn new(view: &View, now: SystemTime) -> Self {
        let (ended, steps) = view.counts();
        let failed = view
            .steps()
            .filter(|step| step.state() == StepState::Failed);
        Self {
            failed: failed.map(FailedStep::new).collect(),
            warnings: view.warnings().to_vec(),
            ended,
            steps,
            timeline: view.timeline(now),
            write_error: None,
        }
    }
}

impl FailedStep {
    fn new(step: &StepView) -> Self {
        let mut log: Vec<String> = step
            .log()
            .lines()
            .map(|(at, text)| format!("{} {text}", log_time(at)))
            .collect();
        if step
            .log()
            .lines()
            .next_back()
            .is_some_and(|(_, text)| text.is_empty())
        {
            log.pop();
        }
        Self {
            digest: step.digest.clone(),
            name: step.name().to_string(),
            platform: step.platform().map(str::to_string),
            error: step.error().to_string(),
            log,
            last_of_stderr: step.log().last_of_stderr(),
            wording: Wording::Own,
        }
    }

    /// Returns the exit code of the step's process, parsed from the error; `None` if it failed
    /// otherwise.
    pub fn exit_code(&self) -> Option<u32> {
        let (_, rest) = self.error.rsplit_once("exit code: ")?;
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..digits].parse().ok()
    }

    /// Returns the last `count` lines of the log, without their times. The last line of stderr is
    /// one of them, because it often says what is wrong although more output follows.
    pub fn last_lines(&self, count: usize) -> Vec<&str> {
        let first = self.log.len().saturating_sub(count);
        let early = self.last_of_stderr.filter(|at| *at < first && count > 0);
        let rest = first + usize::from(early.is_some());
        let lines = early.into_iter().chain(rest..self.log.len());
        lines
            .filter_map(|at| self.log.get(at))
            .map(|line| line.split_once(' ').map_or(&**line, |(_, line)| line))
            .collect()
    }

    /// Renders the step's name and platform, the last `lines` lines of its log (or its error if
    /// there is no log), and the exit code.
    ///
    /// It begins and ends with a line of dashes, as in BuildKit's own report.
    pub fn render(&self, lines: usize) -> String {
        let mut out = format!("------\n > {}", one_line(&self.name));
        if let Some(platform) = self
            .platform
            .as_ref()
            .filter(|platform| !self.name_says(platform))
        {
            let _ = write!(out, " ({})", one_line(platform));
        }
        out.push_str(":\n");
        for line in &self.log[self.log.len().saturating_sub(lines)..] {
            let _ = writeln!(out, "{line}");
        }
        match (self.wording, self.exit_code()) {
            (Wording::BuildKit, _) => {}
            (Wording::Own, _) if self.log.is_empty() => {
                let _ = writeln!(out, "{}", one_line(&self.error));
            }
            (Wording::Own, Some(code)) => {
                let _ = writeln!(out, "exit code: {code}");
            }
            (Wording::Own, None) => {}
        }
        out.push_str("------\n");
        out
    }

    /// True if the name contains the platform, perhaps as `linux/amd64->arm64`.
    fn name_says(&self, platform: &str) -> bool {
        super::name::StepName::new(&self.name).platform() == Some(platform)
    }
}

/// Renders the report of a failed build: each failed step, then the source lines.
pub fn render_failure(
    failed: &[FailedStep],
    excerpts: &[SourceExcerpt],
    log_lines: usize,
) -> String {
    let steps = failed.iter().map(|step| step.render(log_lines));
    steps
        .chain(excerpts.iter().map(SourceExcerpt::render))
        .collect()
}

/// Renders the warnings at the end of a build; empty if there are none.
///
/// They are short if `expanding`, the way to see more, is given. Without it they have the details,
/// the rule's URL and the source lines.
pub fn render_warnings(warnings: &[Warning], expanding: Option<&str>, palette: &Palette) -> String {
    let mut out = String::new();
    if warnings.is_empty() {
        return out;
    }
    let count = if warnings.len() == 1 {
        "1 warning found".into()
    } else {
        format!("{} warnings found", warnings.len())
    };
    let hint = expanding.map_or_else(String::new, |way| format!(" ({way})"));
    let _ = writeln!(
        out,
        "\n {}",
        palette.paint(Tone::Warning, &format!("{count}{hint}:"))
    );
    for warning in warnings {
        let _ = writeln!(
            out,
            " - {}",
            one_line(&String::from_utf8_lossy(&warning.short))
        );
        if expanding.is_none() {
            out.push_str(&details(warning));
        }
    }
    out
}

fn details(warning: &Warning) -> String {
    let mut out = String::new();
    for detail in &warning.detail {
        let _ = writeln!(out, "{}", one_line(&String::from_utf8_lossy(detail)));
    }
    if !warning.url.is_empty() {
        let _ = writeln!(out, "More info: {}", one_line(&warning.url));
    }
    if let Some(file) = &warning.source {
        let excerpt = SourceExcerpt {
            file: file.clone(),
            ranges: warning.ranges.clone(),
        };
        out.push_str(&excerpt.render());
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::super::event::{SourceInfo, SourceRange};
    use super::*;

    fn failed() -> FailedStep {
        FailedStep {
            name: "[linux/arm64 2/3] RUN make".into(),
            platform: Some("linux/arm64".into()),
            error: "process \"/bin/sh -c make\" did not complete successfully: exit code: 2".into(),
            log: vec!["0.100 cc".into(), "0.200 make: Error 2".into()],
            ..Default::default()
        }
    }

    #[test]
    fn a_failed_step_is_shown_with_the_end_of_its_log() {
        let expected =
            "------\n > [linux/arm64 2/3] RUN make:\n0.200 make: Error 2\nexit code: 2\n------\n";
        assert_eq!(failed().render(1), expected);
    }

    #[test]
    fn the_last_line_of_stderr_is_among_the_last_lines() {
        let step = |last_of_stderr| FailedStep {
            log: ["0.1 no such file", "0.2 b", "0.3 c", "0.4 d"]
                .map(Into::into)
                .into(),
            last_of_stderr,
            ..FailedStep::default()
        };
        assert_eq!(step(None).last_lines(3), ["b", "c", "d"]);
        assert_eq!(step(Some(0)).last_lines(3), ["no such file", "c", "d"]);
        assert_eq!(step(Some(0)).last_lines(1), ["no such file"]);
        assert_eq!(step(Some(2)).last_lines(2), ["c", "d"]);
        assert_eq!(step(Some(0)).last_lines(9).len(), 4);
        assert_eq!(step(Some(0)).last_lines(0), [""; 0]);
    }

    #[test]
    fn a_platform_that_the_name_does_not_say_is_added() {
        let step = FailedStep {
            name: "[2/3] RUN make".into(),
            ..failed()
        };
        assert!(
            step.render(0)
                .contains(" > [2/3] RUN make (linux/arm64):\n")
        );
    }

    #[test]
    fn a_step_that_wrote_nothing_shows_its_error() {
        let step = FailedStep {
            log: Vec::new(),
            error: "\"/x\": not found".into(),
            ..failed()
        };
        assert!(step.render(10).contains("\n\"/x\": not found\n------\n"));
        assert_eq!(step.exit_code(), None);
    }

    #[test]
    fn warnings_are_counted_and_expand() {
        let warning = Warning {
            short: "FromAsCasing: keywords differ".into(),
            detail: vec!["a detail".into()],
            url: "https://example.com/rule".into(),
            source: Some(SourceInfo {
                filename: "Dockerfile".into(),
                data: "FROM x as y".into(),
                ..Default::default()
            }),
            ranges: vec![SourceRange::lines(1, 1)],
            ..Default::default()
        };
        let short = render_warnings(
            std::slice::from_ref(&warning),
            Some("use --debug to expand"),
            &Palette::none(),
        );
        assert_eq!(
            short,
            "\n 1 warning found (use --debug to expand):\n - FromAsCasing: keywords differ\n"
        );
        let long = render_warnings(&[warning.clone(), warning], None, &Palette::none());
        assert!(long.starts_with("\n 2 warnings found:\n - FromAsCasing"));
        assert!(long.contains("a detail\nMore info: https://example.com/rule\nDockerfile:1\n"));
        assert_eq!(render_warnings(&[], None, &Palette::none()), "");
    }
}
