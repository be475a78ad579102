//! The running steps of a source, which end with it.

use std::collections::HashMap;
use std::time::SystemTime;

use super::event::{StatusUpdate, Vertex};
use super::source::Source;
use super::view::CANCELED;

/// More steps than run at once in any build: protects the memory from a hostile daemon.
const LIMIT: usize = 1 << 12;

/// Knows which steps of a source are running. When it is dropped they are reported as cancelled:
/// otherwise a step whose daemon was lost would count as running for ever, also after the next
/// daemon has finished it.
#[derive(Debug)]
pub(super) struct Running<'a> {
    source: &'a Source,
    /// The steps by their digest.
    steps: HashMap<String, Vertex>,
    /// The last time that the source reported.
    latest: Option<SystemTime>,
}

impl<'a> Running<'a> {
    pub(super) fn of(source: &'a Source) -> Self {
        Self {
            source,
            steps: HashMap::new(),
            latest: None,
        }
    }

    /// Records the starts and ends of an update.
    pub(super) fn note(&mut self, update: &StatusUpdate) {
        let of_steps = update.vertexes.iter();
        let of_steps = of_steps.flat_map(|vertex| [vertex.started, vertex.completed]);
        let of_logs = update.logs.iter().map(|log| log.timestamp);
        let latest = of_steps.chain(of_logs).max().flatten();
        self.latest = self.latest.max(latest);
        for vertex in &update.vertexes {
            let is_running = vertex.started.is_some() && vertex.completed.is_none();
            if !is_running {
                self.steps.remove(&vertex.digest);
            } else if self.steps.len() < LIMIT {
                self.steps.insert(vertex.digest.clone(), vertex.clone());
            }
        }
    }

    /// The source has reported everything.
    pub(super) fn forget(mut self) {
        self.steps.clear();
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.steps.is_empty() {
            return;
        }
        let latest = self.latest;
        let cancelled = |vertex: Vertex| Vertex {
            completed: latest.max(vertex.started),
            error: CANCELED.to_owned(),
            ..vertex
        };
        let mut vertexes: Vec<Vertex> = self
            .steps
            .drain()
            .map(|(_, step)| cancelled(step))
            .collect();
        vertexes.sort_by_key(|vertex| vertex.started);
        self.source.send_at_once(StatusUpdate {
            vertexes,
            ..StatusUpdate::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::super::channel::channel;
    use super::super::fixture::{at, begun, ended};
    use super::super::plain::Plain;
    use super::super::view::{StepState, View};
    use super::*;

    const RUN: &str = "[2/2] RUN make";

    /// Forwards the reports of daemons one after another, and returns the plain output.
    async fn shown(daemons: impl IntoIterator<Item = Vec<Result<StatusUpdate, ()>>>) -> String {
        let (writer, mut events) = channel();
        for reports in daemons {
            let _ = writer.source().forward(stream::iter(reports)).await;
        }
        drop(writer);
        let (mut view, mut plain) = (View::default(), Plain::default());
        let mut out = Vec::new();
        while let Some(event) = events.recv().await {
            let changes = view.take_in(event.source, &event.update, at(60_000));
            plain.note(&event.update, &changes, at(60_000));
            out.extend(plain.print(&view, at(60_000)));
        }
        out.extend(plain.finish(&view, at(60_000)));
        let is_running = |step: &super::super::StepView| step.state() == StepState::Running;
        assert!(!view.steps().any(is_running));
        String::from_utf8(out).unwrap()
    }

    #[tokio::test]
    async fn a_step_of_a_lost_daemon_is_finished_by_the_next_one() {
        let lost = vec![Ok(begun("a", RUN, 10_000)), Err(())];
        let next = vec![
            Ok(begun("a", RUN, 20_000)),
            Ok(ended("a", RUN, 20_000, 32_000)),
        ];
        assert_eq!(
            shown([lost, next]).await,
            "#1 [2/2] RUN make\n#1 CANCELED\n\n#1 [2/2] RUN make\n#1 DONE 12.0s\n"
        );
    }

    #[tokio::test]
    async fn steps_that_have_ended_stay_as_they_are() {
        let all = vec![
            Ok(begun("a", RUN, 10_000)),
            Ok(ended("a", RUN, 10_000, 12_000)),
            Err(()),
        ];
        assert_eq!(shown([all]).await, "#1 [2/2] RUN make\n#1 DONE 2.0s\n");
    }
}
