//! The unprinted news of one step.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use super::super::event::VertexStatus;
use super::super::text::{log_time, moved, seconds};
use crate::text::{LogFilter, one_line};

/// A transfer is printed again after this time, or after a certain part of the whole.
const TRANSFER_EVERY: Duration = Duration::from_secs(5);
const TRANSFER_PART: f64 = 0.05;
/// An unfinished line longer than this is not repeated at the step's next turn.
const OPEN_LINE: usize = 64 << 10;

#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) index: Option<u32>,
    /// The transfers with news.
    pub(super) moved: BTreeSet<usize>,
    /// The last printed state of each transfer: bytes and time.
    printed: HashMap<usize, (i64, Option<SystemTime>)>,
    /// The number of printed warnings.
    pub(super) warned: usize,
    filter: LogFilter,
    /// The lines of the log, each with its time.
    lines: Vec<Vec<u8>>,
    /// The number of bytes in `lines`.
    pub(super) bytes: usize,
    /// True if the last of `lines` is unfinished.
    open: bool,
    /// The number of bytes of the first of `lines` that are already on the screen.
    offset: usize,
    /// The amount of news since the step's last turn, and its start.
    pub(super) news: u32,
    pub(super) since: Option<SystemTime>,
}

impl Entry {
    /// Counts a piece of news.
    pub(super) fn count(&mut self, now: SystemTime) {
        if self.news == 0 {
            self.since = Some(now);
        }
        self.news = self.news.saturating_add(1);
    }

    pub(super) fn reset_count(&mut self) {
        self.news = 0;
    }

    /// Adds a piece of log with its time since the step's start.
    pub(super) fn write(&mut self, data: &[u8], at: Duration) {
        self.bytes += data.len();
        let mut shown = Vec::with_capacity(data.len());
        self.filter.push(data, &mut shown);
        for piece in shown.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            match self.lines.last_mut() {
                Some(line) if self.open => line.extend_from_slice(text),
                _ => self
                    .lines
                    .push([log_time(at).as_bytes(), b" ", text].concat()),
            }
            self.open = !ended;
        }
    }

    /// Prints the log; an unfinished line stays open.
    pub(super) fn print_log(&mut self, index: u32, out: &mut Vec<u8>) {
        let count = self.lines.len();
        for (number, line) in self.lines.iter().enumerate() {
            if number == 0 && self.offset > 0 {
                out.extend_from_slice(&line[self.offset.min(line.len())..]);
            } else {
                out.extend_from_slice(format!("#{index} ").as_bytes());
                out.extend_from_slice(line);
            }
            if number + 1 < count || !self.open {
                out.push(b'\n');
            }
        }
        // Other steps' text must not inherit its colours.
        self.filter.reset(out);
        self.keep_open_line();
    }

    /// Ends an unfinished line on the screen; it is repeated when more of it arrives.
    pub(super) fn close_line(&mut self, out: &mut Vec<u8>) {
        if self.offset > 0 {
            out.push(b'\n');
            self.offset = 0;
        }
    }

    /// Ends the log: an unfinished line is not repeated.
    pub(super) fn end_log(&mut self, out: &mut Vec<u8>) {
        self.close_line(out);
        self.lines.clear();
        self.open = false;
    }

    fn keep_open_line(&mut self) {
        let open = if self.open { self.lines.pop() } else { None };
        self.lines.clear();
        self.bytes = 0;
        self.offset = 0;
        if let Some(mut line) = open {
            if line.len() > OPEN_LINE {
                line.truncate(1);
            }
            self.offset = line.len();
            self.lines.push(line);
        }
    }

    /// Returns a transfer's line, and true if the transfer is unfinished; `None` if it is not worth
    /// a line yet.
    pub(super) fn transfer_line(
        &mut self,
        number: usize,
        status: &VertexStatus,
    ) -> Option<(String, bool)> {
        let open = status.completed.is_none();
        if open && !self.worth_a_line(number, status) {
            return None;
        }
        self.printed
            .insert(number, (status.current, status.timestamp));
        let mut line = one_line(&status.id).into_owned();
        let bytes = moved(status);
        if !bytes.is_empty() {
            line = format!("{line} {bytes}");
        }
        let end = status.completed.or(status.timestamp);
        let took = end
            .zip(status.started)
            .and_then(|(end, start)| end.duration_since(start).ok());
        if let Some(took) = took.filter(|took| took.as_millis() > 10) {
            line = format!("{line} {}", seconds(took));
        }
        if !open {
            line.push_str(" done");
        }
        Some((line, open))
    }

    fn worth_a_line(&self, number: usize, status: &VertexStatus) -> bool {
        let Some(&(bytes, at)) = self.printed.get(&number) else {
            return true;
        };
        let part = if status.total > 0 {
            (status.current.saturating_sub(bytes)) as f64 / status.total as f64
        } else {
            0.0
        };
        let passed = status
            .timestamp
            .zip(at)
            .and_then(|(now, then)| now.duration_since(then).ok())
            .unwrap_or_default();
        part >= TRANSFER_PART || passed >= TRANSFER_EVERY
    }
}
