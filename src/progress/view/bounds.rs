//! How much of what a daemon reports is remembered. A build of many thousand steps stays far below; a daemon that reports
//! without end fills no memory.

use bytes::Bytes;

use super::super::event::{Vertex, VertexStatus, Warning};
use super::step::StepView;

/// Text of steps, transfers and warnings, with what is kept besides; bytes.
const BYTES: usize = 128 << 20;
/// What a vertex, a transfer or a warning takes besides its text, bytes.
const ENTRY: usize = 512;
/// How often a step begins again.
const SPANS: usize = 1000;
/// Transfers of a step: layers, files of a context.
const TRANSFERS: usize = 2000;
/// Warnings of a build.
const WARNINGS: usize = 1000;
/// Steps whose last lines are kept at a time, of up to 400 KiB each; those that ended well need theirs no more.
const LOGS: usize = 256;

/// What was remembered so far.
#[derive(Debug)]
pub(super) struct Bounds {
    left: usize,
    logs: usize,
    /// Something was left out.
    hit: bool,
    told: bool,
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
            hit: false,
            told: false,
        }
    }

    pub(super) fn admit_vertex(&mut self, vertex: &Vertex, known: Option<&StepView>) -> bool {
        let text = vertex.name.len() + vertex.error.len();
        match known {
            None => self.admit(ENTRY + vertex.digest.len() + text),
            // The end of a step is told even when there is no room for more of them.
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

    /// Said once, when something was left out.
    pub(super) fn warning(&mut self) -> Option<Warning> {
        let first = self.hit && !std::mem::replace(&mut self.told, self.hit);
        first.then(|| Warning {
            short: "the daemon reports more steps, transfers or warnings than are kept; the rest is not shown".into(),
            ..Warning::default()
        })
    }

    fn admit_one_of(&mut self, known: usize, limit: usize, text: usize) -> bool {
        match known < limit {
            true => self.admit(ENTRY + text),
            false => {
                self.hit = true;
                false
            }
        }
    }

    fn admit(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.hit = true,
        }
        !self.hit
    }
}
