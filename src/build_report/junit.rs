//! JUnit XML, as CI systems show it: a test suite per platform, a test case per step. Properties of
//! the suite describe the image, properties of a case the layer that the step made.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::time::Duration;

use super::layers::{self, Placed};
use super::text::escaped;
use super::{BuildReport, LayerReport, text};
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
    let images = layers::of(report);
    let layers = by_step(&images);
    let groups = report.groups();
    let mut by_suite = by_suite(&images, &groups);
    for (group, steps) in &groups {
        let suite = Suite {
            report,
            group,
            images: by_suite.remove(group).unwrap_or_default(),
            layers: &layers,
        };
        suite.render(&mut out, steps);
    }
    out.push_str("</testsuites>\n");
    out
}

/// The layers by the digests of the steps that made them.
fn by_step<'a>(images: &[Placed<'a>]) -> HashMap<&'a str, Vec<&'a LayerReport>> {
    let mut layers: HashMap<&str, Vec<&LayerReport>> = HashMap::new();
    for (layer, step) in images.iter().flat_map(Placed::all) {
        if let Some(step) = step {
            layers.entry(&step.digest).or_default().push(layer);
        }
    }
    layers
}

/// The images by the suites that describe them: those of their target and platform, or else the
/// first one.
fn by_suite<'a>(
    images: &'a [Placed<'a>],
    groups: &[(&'a str, Vec<&TimelineStep>)],
) -> HashMap<&'a str, Vec<&'a Placed<'a>>> {
    let known: HashSet<&str> = groups.iter().map(|(group, _)| *group).collect();
    let first = groups.first().map(|(group, _)| *group).unwrap_or_default();
    let mut by_suite: HashMap<&str, Vec<&Placed<'_>>> = HashMap::new();
    for placed in images {
        let suite = known.get(&*placed.image.name()).copied();
        let own = by_suite.entry(suite.unwrap_or(first)).or_default();
        own.push(placed);
    }
    by_suite
}

/// A test suite.
struct Suite<'a> {
    report: &'a BuildReport,
    group: &'a str,
    images: Vec<&'a Placed<'a>>,
    /// The layers of all images by step: targets can share a step.
    layers: &'a HashMap<&'a str, Vec<&'a LayerReport>>,
}

impl Suite<'_> {
    fn render(&self, out: &mut String, steps: &[&TimelineStep]) {
        let name = match self.group {
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
        properties(out, "    ", &self.about_images());
        for step in steps {
            self.case(out, &name, step);
        }
        out.push_str("  </testsuite>\n");
    }

    fn case(&self, out: &mut String, class: &str, step: &TimelineStep) {
        let _ = write!(
            out,
            "    <testcase classname=\"{class}\" name=\"{}\" time=\"{}\"",
            escaped(&step.name),
            seconds(step.worked())
        );
        let mut inner = String::new();
        properties(&mut inner, "      ", &self.about_layers(step));
        match step.state {
            StepState::Failed => {
                let _ = writeln!(
                    inner,
                    "      <failure message=\"{}\">{}</failure>",
                    escaped(&step.error),
                    escaped(&log_of(self.report, step))
                );
            }
            StepState::Canceled | StepState::Running | StepState::Pending => {
                let state = text::state(step.state);
                let _ = writeln!(inner, "      <skipped message=\"{state}\"/>");
            }
            StepState::Done | StepState::Cached => {}
        }
        match inner.is_empty() {
            true => out.push_str("/>\n"),
            false => {
                let _ = write!(out, ">\n{inner}    </testcase>\n");
            }
        }
    }

    /// Digest and sizes of the suite's images. Several have their names in front.
    fn about_images(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for placed in &self.images {
            let image = placed.image;
            let prefix = match self.images.as_slice() {
                [_] => String::new(),
                _ => format!("{} ", image.name()),
            };
            let mut add = |name: &str, value: String| all.push((format!("{prefix}{name}"), value));
            add("image.platform", image.platform.clone());
            add("image.digest", image.digest.clone());
            add("image.size", image.size().to_string());
            add("image.sizes", image.sizes().to_owned());
            add("image.base.size", placed.base_size().to_string());
        }
        all
    }

    /// The layers that a step made. The same layer can be in several images.
    fn about_layers(&self, step: &TimelineStep) -> Vec<(String, String)> {
        let layers = self.layers.get(&*step.digest).into_iter().flatten();
        let mut seen = HashSet::new();
        let new = layers.filter(|layer| seen.insert((&layer.digest, layer.size)));
        let about = |layer: &&LayerReport| {
            let size = ("layer.size".to_owned(), layer.size.to_string());
            [size, ("layer.digest".to_owned(), layer.digest.clone())]
        };
        let all = new.flat_map(about);
        all.filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// Properties with names and values.
fn properties(out: &mut String, indent: &str, all: &[(String, String)]) {
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "{indent}<properties>");
    for (name, value) in all {
        let (name, value) = (escaped(name), escaped(value));
        let _ = writeln!(
            out,
            "{indent}  <property name=\"{name}\" value=\"{value}\"/>"
        );
    }
    let _ = writeln!(out, "{indent}</properties>");
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
