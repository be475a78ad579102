//! JUnit XML, as CI systems show it: a test suite per platform, a test case per step.

use std::fmt::Write as _;
use std::time::Duration;

use super::text::escaped;
use super::{BuildReport, text};
use crate::progress::{StepState, TimelineStep};

pub(super) fn render(report: &BuildReport) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let steps = report.timeline.steps.iter();
    let _ = writeln!(
        out,
        "<testsuites name=\"{}\" {} time=\"{}\">",
        escaped(&report.title),
        counts(&steps.collect::<Vec<_>>()),
        seconds(report.timeline.took)
    );
    for (group, steps) in report.groups() {
        suite(&mut out, report, group, &steps);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, report: &BuildReport, group: &str, steps: &[&TimelineStep]) {
    let name = match group {
        "" => "build",
        group => group,
    };
    let name = escaped(name);
    let worked = steps.iter().map(|step| step.worked()).sum();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" {} time=\"{}\">",
        counts(steps),
        seconds(worked)
    );
    for step in steps {
        let _ = write!(
            out,
            "    <testcase classname=\"{name}\" name=\"{}\" time=\"{}\"",
            escaped(&step.name),
            seconds(step.worked())
        );
        match step.state {
            StepState::Failed => {
                let _ = write!(
                    out,
                    ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                    escaped(&step.error),
                    escaped(&log_of(report, step))
                );
            }
            StepState::Canceled | StepState::Running | StepState::Pending => {
                let state = text::state(step.state);
                let _ = write!(
                    out,
                    ">\n      <skipped message=\"{state}\"/>\n    </testcase>\n"
                );
            }
            StepState::Done | StepState::Cached => out.push_str("/>\n"),
        }
    }
    out.push_str("  </testsuite>\n");
}

fn counts(steps: &[&TimelineStep]) -> String {
    let count = |is: fn(StepState) -> bool| steps.iter().filter(|step| is(step.state)).count();
    let failures = count(|state| state == StepState::Failed);
    let skipped = count(|state| {
        matches!(
            state,
            StepState::Canceled | StepState::Running | StepState::Pending
        )
    });
    format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"",
        steps.len()
    )
}

fn log_of(report: &BuildReport, step: &TimelineStep) -> String {
    let failed = report.failure.iter().flat_map(|failure| &failure.steps);
    let mut logs = failed.filter(|failed| failed.digest == step.digest);
    logs.next()
        .map(|failed| failed.log.join("\n"))
        .unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}
