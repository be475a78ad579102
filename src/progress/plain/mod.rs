//! `plain`: appended lines of text, for logs and CI systems.
//!
//! One step prints at a time. The lines, and the rules for the next step's turn, are BuildKit's, so
//! tools that parse its output can parse this.

mod entry;
mod turn;

use std::collections::BTreeSet;
use std::io::Write;
use std::time::SystemTime;

use super::event::StatusUpdate;
use super::text::seconds;
use super::view::{Changes, StepState, StepView, View};
use crate::text::{clip, one_line};
use entry::Entry;

/// The width of a cut name.
const NAME_COLUMNS: usize = 72;

/// Prints steps as lines.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// The text of the first line, `#0 …`.
    description: Option<String>,
    /// True to cut long names.
    truncate: bool,
    /// The print state of each step, by its position in the view.
    entries: Vec<Entry>,
    /// The step whose turn it is.
    current: Option<usize>,
    /// The steps with unprinted news.
    touched: BTreeSet<usize>,
    last_index: u32,
    /// True once something was printed.
    begun: bool,
    out: Vec<u8>,
}

impl Plain {
    pub(super) fn new(description: Option<String>, truncate: bool) -> Self {
        Self {
            description,
            truncate,
            ..Default::default()
        }
    }

    /// Records the changes of an update.
    pub(super) fn note(&mut self, update: &StatusUpdate, changes: &Changes, now: SystemTime) {
        for &position in &changes.steps {
            self.touch(position, now);
        }
        for &(position, transfer) in &changes.transfers {
            self.touch(position, now).moved.insert(transfer);
        }
        for &position in &changes.warned {
            self.entry(position).count(now);
        }
        for (log, place) in update.logs.iter().zip(&changes.logs) {
            if let Some((position, at)) = *place {
                self.touch(position, now).write(&log.data, at);
            }
        }
    }

    /// True if there is news that must wait for its turn.
    pub(super) fn is_waiting(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Prints the lines that are due.
    pub(super) fn print(&mut self, view: &View, now: SystemTime) -> Vec<u8> {
        let speaker = self
            .current
            .filter(|&current| view.step(current).state() == StepState::Running);
        for position in self.take_turns(view, now) {
            self.print_step(view, position, now);
        }
        if let Some(next) = self.next_turn(speaker, view, now) {
            self.print_step(view, next, now);
        }
        std::mem::take(&mut self.out)
    }

    /// Prints all remaining news.
    pub(super) fn finish(&mut self, view: &View, now: SystemTime) -> Vec<u8> {
        self.out = self.print(view, now);
        let waiting = self
            .touched
            .iter()
            .copied()
            .filter(|&position| view.step(position).is_shown());
        for position in waiting.collect::<Vec<_>>() {
            self.print_step(view, position, now);
        }
        if let Some(current) = self.current.take() {
            self.entries[current].close_line(&mut self.out);
        }
        std::mem::take(&mut self.out)
    }

    fn print_step(&mut self, view: &View, position: usize, now: SystemTime) {
        let step = view.step(position);
        self.touched.remove(&position);
        let index = self.index(position);
        if self.current != Some(position) {
            self.leave_current();
            self.begin(index, step.name());
            self.current = Some(position);
        }
        let open = self.print_transfers(index, position, step);
        self.print_warnings(index, position, step);
        let entry = &mut self.entries[position];
        entry.print_log(index, &mut self.out);
        if step.work.is_completed() && !open {
            let end = end_of(view, step, now);
            let entry = &mut self.entries[position];
            entry.end_log(&mut self.out);
            entry.reset_count();
            if let Some(line) = step.omitted_line() {
                self.line(index, &line);
            }
            self.line(index, &end);
            self.current = None;
        }
    }

    /// Marks the current step as unfinished, to be continued later.
    fn leave_current(&mut self) {
        let Some(current) = self.current.take() else {
            return;
        };
        let index = self.index(current);
        let entry = &mut self.entries[current];
        entry.close_line(&mut self.out);
        entry.reset_count();
        self.line(index, "...");
    }

    fn begin(&mut self, index: u32, name: &str) {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(b'\n');
        } else if let Some(description) = self.description.take() {
            let _ = write!(self.out, "#0 {}\n\n", one_line(&description));
        }
        let name = one_line(name);
        match clip(&name, NAME_COLUMNS) {
            (cut, _) if self.truncate && cut.len() < name.len() => {
                self.line(index, &format!("{cut}..."))
            }
            _ => self.line(index, &name),
        }
    }

    /// Prints transfers. Returns true if one of them is unfinished.
    fn print_transfers(&mut self, index: u32, position: usize, step: &StepView) -> bool {
        let entry = &mut self.entries[position];
        let moved = std::mem::take(&mut entry.moved);
        let statuses = moved
            .into_iter()
            .filter(|&number| !step.omits(number))
            .filter_map(|number| step.transfers.get(number).map(|status| (number, status)));
        let lines: Vec<(String, bool)> = statuses
            .filter_map(|(number, status)| entry.transfer_line(number, status))
            .collect();
        for (line, _) in &lines {
            // A transfer's line must not split an unfinished log line.
            self.entries[position].close_line(&mut self.out);
            self.line(index, line);
        }
        lines.iter().any(|(_, open)| *open)
    }

    fn print_warnings(&mut self, index: u32, position: usize, step: &StepView) {
        let printed = std::mem::replace(&mut self.entries[position].warned, step.warnings.len());
        for warning in step.warnings.iter().skip(printed) {
            self.entries[position].close_line(&mut self.out);
            let text = String::from_utf8_lossy(&warning.short);
            self.line(index, &format!("WARN: {}", one_line(&text)));
        }
    }

    fn line(&mut self, index: u32, text: &str) {
        let _ = writeln!(self.out, "#{index} {text}");
    }

    /// Returns the step's number, which is assigned at its first turn.
    fn index(&mut self, position: usize) -> u32 {
        let next = self.last_index + 1;
        let index = *self.entry(position).index.get_or_insert(next);
        self.last_index = self.last_index.max(index);
        index
    }

    fn touch(&mut self, position: usize, now: SystemTime) -> &mut Entry {
        self.touched.insert(position);
        let entry = self.entry(position);
        entry.count(now);
        entry
    }

    fn entry(&mut self, position: usize) -> &mut Entry {
        if self.entries.len() <= position {
            self.entries.resize_with(position + 1, Entry::default);
        }
        &mut self.entries[position]
    }

    fn entry_of(&self, position: usize) -> Option<&Entry> {
        self.entries.get(position)
    }
}

/// Returns the last line of a step.
fn end_of(view: &View, step: &StepView, now: SystemTime) -> String {
    match step.state() {
        StepState::Canceled => "CANCELED".into(),
        StepState::Failed => format!("ERROR: {}", one_line(step.error())),
        StepState::Cached => "CACHED".into(),
        _ => format!("DONE {}", seconds(view.elapsed(step, now))),
    }
}

#[cfg(test)]
mod tests;
