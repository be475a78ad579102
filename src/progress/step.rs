//! The client's own steps, shown like those of the daemon.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::channel::Writer;
use super::event::{LogStream, StatusUpdate, Vertex, VertexLog, VertexStatus, Warning};

/// How often a moving transfer is reported.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// A running step of the client. If it is dropped without an end, it is shown as cancelled.
#[derive(Debug)]
pub struct Step {
    writer: Writer,
    vertex: Vertex,
}

impl Step {
    pub(super) fn begin(writer: Writer, name: String) -> Self {
        let started = Some(writer.now());
        let vertex = Vertex {
            digest: writer.new_digest(),
            name,
            started,
            ..Default::default()
        };
        let step = Self { writer, vertex };
        step.report();
        step
    }

    /// The digest of the step, for a warning that comes after its end.
    pub fn digest(&self) -> &str {
        &self.vertex.digest
    }

    /// Completes the step.
    pub fn done(mut self) {
        self.end(false, String::new());
    }

    /// Completes the step at its start time: it is a message, not work.
    pub(super) fn note(mut self) {
        self.vertex.completed = self.vertex.started;
        self.report();
    }

    /// Completes the step as cached.
    pub fn cached(mut self) {
        self.end(true, String::new());
    }

    /// Ends the step with an error.
    pub fn fail(mut self, error: impl std::fmt::Display) {
        self.end(false, error.to_string());
    }

    /// Adds to the step's log; the bytes may end within a line.
    pub fn log(&self, stream: LogStream, data: impl Into<Bytes>) {
        let timestamp = Some(self.writer.now());
        let log = VertexLog {
            vertex: self.vertex.digest.clone(),
            stream,
            data: data.into(),
            timestamp,
        };
        self.writer.send_own(StatusUpdate {
            logs: vec![log],
            ..Default::default()
        });
    }

    /// Adds a warning, and sets this step as its vertex.
    pub fn warn(&self, mut warning: Warning) {
        warning.vertex.clone_from(&self.vertex.digest);
        self.writer.send_own(StatusUpdate {
            warnings: vec![warning],
            ..Default::default()
        });
    }

    /// Starts a transfer within the step, e.g. `transferring context`.
    pub fn transfer(&self, id: impl Into<String>) -> Transfer {
        let now = self.writer.now();
        let status = VertexStatus {
            id: id.into(),
            vertex: self.vertex.digest.clone(),
            timestamp: Some(now),
            started: Some(now),
            ..Default::default()
        };
        let transfer = Transfer {
            writer: self.writer.clone(),
            status,
            reported: now,
        };
        transfer.report();
        transfer
    }

    fn end(&mut self, cached: bool, error: String) {
        self.vertex.completed = Some(self.writer.now());
        self.vertex.cached = cached;
        self.vertex.error = error;
        self.report();
    }

    fn report(&self) {
        self.writer.send_own(StatusUpdate {
            vertexes: vec![self.vertex.clone()],
            ..Default::default()
        });
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.vertex.completed.is_none() {
            self.end(false, "context canceled".into());
        }
    }
}

/// A transfer within a [`Step`]; it ends when it is dropped.
#[derive(Debug)]
pub struct Transfer {
    writer: Writer,
    status: VertexStatus,
    reported: SystemTime,
}

impl Transfer {
    /// Sets the total number of bytes; 0 if unknown.
    pub fn set_total(&mut self, total: u64) {
        self.status.total = i64::try_from(total).unwrap_or(i64::MAX);
    }

    /// Sets the number of bytes so far. Frequent calls are cheap.
    pub fn set_current(&mut self, current: u64) {
        self.status.current = i64::try_from(current).unwrap_or(i64::MAX);
        let now = self.writer.now();
        // If the clock was set back, report at once.
        if now
            .duration_since(self.reported)
            .map_or(true, |passed| passed >= REPORT_EVERY)
        {
            self.reported = now;
            self.status.timestamp = Some(now);
            self.report();
        }
    }

    fn report(&self) {
        self.writer.send_own(StatusUpdate {
            statuses: vec![self.status.clone()],
            ..Default::default()
        });
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        let now = self.writer.now();
        self.status.timestamp = Some(now);
        self.status.completed = Some(now);
        self.report();
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel::{Updates, channel};
    use super::*;

    fn last_vertex(updates: &mut Updates) -> Vertex {
        let mut last = None;
        while let Some(event) = updates.try_recv() {
            last = event.update.vertexes.into_iter().next().or(last);
        }
        last.unwrap()
    }

    #[test]
    fn a_step_that_is_dropped_is_cancelled() {
        let (writer, mut updates) = channel();
        drop(writer.step("x"));
        assert_eq!(last_vertex(&mut updates).error, "context canceled");
    }

    #[test]
    fn steps_have_digests_of_their_own() {
        let (writer, mut updates) = channel();
        writer.step("x").done();
        let first = last_vertex(&mut updates);
        writer.step("x").cached();
        let second = last_vertex(&mut updates);
        assert_ne!(first.digest, second.digest);
        assert_eq!((first.cached, second.cached), (false, true));
        assert!(first.completed >= first.started);
    }

    #[tokio::test]
    async fn the_error_of_tracked_work_is_the_steps() {
        let (writer, mut updates) = channel();
        let result: Result<(), &str> = writer.track("resolve", async { Err("no such host") }).await;
        assert!(result.is_err());
        assert_eq!(last_vertex(&mut updates).error, "no such host");
    }

    #[test]
    fn a_transfer_ends_with_its_last_number() {
        let (writer, mut updates) = channel();
        let step = writer.step("x");
        let mut transfer = step.transfer("transferring context");
        (0..1000).for_each(|bytes| transfer.set_current(bytes));
        drop(transfer);
        let mut statuses = Vec::new();
        while let Some(event) = updates.try_recv() {
            statuses.extend(event.update.statuses);
        }
        assert!(statuses.len() < 100, "{} reports", statuses.len());
        let last = statuses.last().unwrap();
        assert_eq!((last.current, last.completed.is_some()), (999, true));
    }
}
