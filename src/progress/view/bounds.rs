//! Limits the memory for a daemon's reports. Builds with thousands of steps stay far below; a
//! hostile daemon cannot fill the memory.

use bytes::Bytes;

use super::super::event::{Vertex, VertexStatus, Warning};
use super::step::StepView;

/// The maximum text of steps, transfers and warnings with their overhead, in bytes.
const BYTES: usize = 128 << 20;
/// The overhead of a vertex, transfer or warning, in bytes.
const ENTRY: usize = 512;
/// The maximum number of restarts of a step.
const SPANS: usize = 1000;
/// The maximum number of transfers of a step: layers, files of a context.
const TRANSFERS: usize = 2000;
/// The maximum number of warnings of a build.
const WARNINGS: usize = 1000;
/// The maximum number of steps whose logs are kept, up to 400 KiB each. Successful steps free
/// theirs.
const LOGS: usize = 256;

/// The amounts used so far.
#[derive(Debug)]
pub(super) struct Bounds {
    left: usize,
    logs: usize,
    /// True if something was dropped.
    has_dropped: bool,
    is_warned: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::of(BYTES)
    }
}

impl Bounds {
    pub(super) fn of(bytes: usize) -> Self {
        Self {
            left: bytes,
            logs: 0,
            has_dropped: false,
            is_warned: false,
        }
    }

    pub(super) fn admit_vertex(&mut self, vertex: &Vertex, known: Option<&StepView>) -> bool {
        let text = vertex.name.len() + vertex.error.len();
        match known {
            None => {
                let inputs: usize = vertex.inputs.iter().map(String::len).sum();
                self.admit(ENTRY + vertex.digest.len() + text + inputs)
            }
            // The end of a known step is recorded even if there is no more room.
            Some(step) if step.name() == vertex.name && step.error() == vertex.error => {
                step.work.count() < SPANS
            }
            Some(_) => self.admit(text),
        }
    }

    pub(super) fn admit_status(&mut self, status: &VertexStatus, known: usize) -> bool {
        let text = status.id.len() + status.name.len() + status.vertex.len();
        self.admit_one_of(known, TRANSFERS, text)
    }

    pub(super) fn admit_warning(&mut self, warning: &Warning, known: usize) -> bool {
        let detail: usize = warning.detail.iter().map(Bytes::len).sum();
        let source = warning
            .source
            .as_ref()
            .map_or(0, |source| source.data.len());
        let text = warning.short.len() + warning.url.len() + detail + source;
        self.admit_one_of(known, WARNINGS, text + ENTRY * warning.ranges.len())
    }

    pub(super) fn admit_log(&mut self) -> bool {
        let room = self.logs < LOGS;
        self.logs += usize::from(room);
        room
    }

    pub(super) fn release_log(&mut self) {
        self.logs = self.logs.saturating_sub(1);
    }

    /// Returns a warning once, if something was dropped.
    pub(super) fn warning(&mut self) -> Option<Warning> {
        let first = self.has_dropped && !std::mem::replace(&mut self.is_warned, self.has_dropped);
        first.then(|| Warning {
            short: "the daemon reports more steps, transfers or warnings than are kept; the rest \
                    is not shown"
                .into(),
            ..Warning::default()
        })
    }

    fn admit_one_of(&mut self, known: usize, limit: usize, text: usize) -> bool {
        match known < limit {
            true => self.admit(ENTRY + text),
            false => {
                self.has_dropped = true;
                false
            }
        }
    }

    fn admit(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.has_dropped = true,
        }
        !self.has_dropped
    }
}
