//! The timeline of a build's steps, for reports.

use std::time::{Duration, SystemTime};

use super::view::{StepState, StepView, View};

/// The timeline of a build's steps.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Timeline {
    /// When the first step started, by this client's clock.
    pub started: Option<SystemTime>,
    /// The time from the first start to the last end.
    pub took: Duration,
    /// The steps, by their start.
    pub steps: Vec<TimelineStep>,
}

/// A step in the timeline of a build.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TimelineStep {
    /// The digest of its vertex.
    pub digest: String,
    /// The name, e.g. `[linux/arm64 2/3] RUN make`.
    pub name: String,
    /// The platform, after the target's name if there are several; `None` if the name has none.
    pub group: Option<String>,
    /// The state at the end.
    pub state: StepState,
    /// The digests of the steps that it needed.
    pub inputs: Vec<String>,
    /// The time spans of its work, relative to the start of the build; they do not overlap.
    pub spans: Vec<Span>,
    /// The bytes that its transfers have moved.
    pub transferred: u64,
    /// The error; empty if there is none.
    pub error: String,
}

/// A span of time since the start of the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The start.
    pub start: Duration,
    /// The end, not before the start.
    pub end: Duration,
}

impl TimelineStep {
    /// Returns the time that the step worked.
    pub fn worked(&self) -> Duration {
        self.spans.iter().map(|span| span.end - span.start).sum()
    }

    /// Returns its last end.
    pub fn end(&self) -> Duration {
        self.spans.last().map(|span| span.end).unwrap_or_default()
    }

    /// Returns its first start.
    pub fn start(&self) -> Duration {
        self.spans
            .first()
            .map(|span| span.start)
            .unwrap_or_default()
    }
}

impl View {
    /// Returns the timeline; unfinished steps count as working until `now`.
    pub fn timeline(&self, now: SystemTime) -> Timeline {
        let steps = self.steps().filter(|step| !step.work.is_note());
        let works = steps.map(|step| (step, self.spans(step)));
        let works: Vec<_> = works.collect();
        let starts = works.iter().flat_map(|(_, spans)| spans.first());
        let Some(first) = starts.map(|span| span.start).min() else {
            return Timeline::default();
        };
        let since = |at: SystemTime| at.duration_since(first).unwrap_or_default();
        let steps = works.into_iter().map(|(step, spans)| {
            let spans = spans.into_iter().map(|span| {
                let start = since(span.start);
                let end = since(span.stop.unwrap_or(now)).max(start);
                Span { start, end }
            });
            of_step(step, self.inputs(step), spans.collect())
        });
        let steps: Vec<TimelineStep> = steps.collect();
        Timeline {
            started: Some(first),
            took: steps
                .iter()
                .map(TimelineStep::end)
                .max()
                .unwrap_or_default(),
            steps,
        }
    }
}

fn of_step(step: &StepView, inputs: Vec<String>, spans: Vec<Span>) -> TimelineStep {
    let transfers = step.transfers.iter();
    let moved = transfers.map(|transfer| u64::try_from(transfer.current).unwrap_or_default());
    TimelineStep {
        digest: step.digest.clone(),
        name: step.name().to_owned(),
        group: step.name.group().map(str::to_owned),
        state: step.state(),
        inputs,
        spans,
        transferred: moved.fold(0, u64::saturating_add),
        error: step.error().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;

    fn millis(text: &Timeline) -> Vec<(&str, Vec<(u128, u128)>)> {
        let span = |span: &Span| (span.start.as_millis(), span.end.as_millis());
        let steps = text.steps.iter();
        steps
            .map(|step| (&*step.name, step.spans.iter().map(span).collect()))
            .collect()
    }

    #[test]
    fn times_count_from_the_first_start() {
        let view = view(
            50,
            &[
                ended("a", "one", 10, 30),
                begun("b", "[linux/arm64 1/1] two", 20),
            ],
        );
        let timeline = view.timeline(at(50));
        assert_eq!(
            millis(&timeline),
            [
                ("one", vec![(0, 20)]),
                ("[linux/arm64 1/1] two", vec![(10, 40)])
            ]
        );
        assert_eq!(timeline.took, Duration::from_millis(40));
        assert_eq!(timeline.steps[1].group.as_deref(), Some("linux/arm64"));
        assert_eq!(timeline.steps[1].worked(), Duration::from_millis(30));
    }

    #[test]
    fn a_note_is_no_step() {
        let view = view(50, &[ended("n", "a note", 5, 5), ended("a", "one", 10, 30)]);
        assert_eq!(millis(&view.timeline(at(50))), [("one", vec![(0, 20)])]);
    }

    #[test]
    fn nothing_has_no_times() {
        let timeline = View::default().timeline(at(50));
        assert!(timeline.steps.is_empty() && timeline.started.is_none());
    }
}
