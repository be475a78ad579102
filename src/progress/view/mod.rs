//! The state of all steps, computed from the events so far. Pure: it reads no clock and draws
//! nothing.

mod bounds;
mod omitted;
mod step;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime};

use super::event::{StatusUpdate, Vertex, VertexLog, VertexStatus, Warning};
use super::group::Group;
use super::interval::{Clocks, Interval, merge};
use super::name::StepName;
use bounds::Bounds;
pub(super) use step::CANCELED;
pub use step::{StepState, StepView};

/// The state of a build, or of several that are shown together.
#[derive(Debug, Default)]
pub struct View {
    steps: Vec<StepView>,
    /// Steps by digest; the members of a group map to the group's step.
    by_digest: HashMap<String, usize>,
    /// Groups by id.
    groups: HashMap<String, Group>,
    /// The shown steps, by their start.
    shown: Vec<usize>,
    clocks: Clocks,
    /// The source and time of the first start.
    first: Option<(u64, SystemTime)>,
    warnings: Vec<Warning>,
    /// Positions of the warnings with equal keys.
    warning_positions: HashMap<u64, Vec<usize>>,
    bounds: Bounds,
}

/// The changes of an event, by position in [`View::step`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// The steps whose own state changed.
    pub(super) steps: Vec<usize>,
    /// The step and index of each changed transfer.
    pub(super) transfers: Vec<(usize, usize)>,
    /// The steps with a new warning.
    pub(super) warned: Vec<usize>,
    /// The step of each log in the update, with the time since its start; `None` if the step is
    /// unknown.
    pub(super) logs: Vec<Option<(usize, Duration)>>,
}

impl View {
    /// Applies an event of a source (0: this client's own clock), which arrived `now` by this
    /// client's clock.
    pub fn apply(&mut self, source: u64, update: &StatusUpdate, now: SystemTime) {
        self.take_in(source, update, now);
    }

    /// Returns the started steps, by their start.
    pub fn steps(&self) -> impl Iterator<Item = &StepView> + '_ {
        self.shown.iter().map(|&position| &self.steps[position])
    }

    /// Returns the time that a step was worked on.
    pub fn elapsed(&self, step: &StepView, now: SystemTime) -> Duration {
        step.work.elapsed(&self.clocks, now)
    }

    /// Returns the numbers of completed and of known steps.
    pub fn counts(&self) -> (usize, usize) {
        let known = self.steps.iter().filter(|step| !step.hidden);
        known.fold((0, 0), |(ended, all), step| {
            (ended + usize::from(step.work.is_completed()), all + 1)
        })
    }

    /// Returns all warnings, each once, in the order of arrival.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns the time since the first step started.
    pub fn age(&self, now: SystemTime) -> Duration {
        let start = self.first.map(|(source, at)| self.clocks.local(source, at));
        start
            .and_then(|start| now.duration_since(start).ok())
            .unwrap_or_default()
    }

    pub(super) fn take_in(
        &mut self,
        source: u64,
        update: &StatusUpdate,
        now: SystemTime,
    ) -> Changes {
        if let Some(newest) = newest_time(update) {
            self.clocks.observe(source, newest, now);
        }
        let mut changes = Changes::default();
        let mut changed = HashSet::new();
        for vertex in &update.vertexes {
            let known = self.by_digest.get(&vertex.digest);
            let known = known.and_then(|position| self.steps.get(*position));
            if !self.bounds.admit_vertex(vertex, known) {
                continue;
            }
            let position = self.take_vertex(source, vertex);
            changes
                .steps
                .extend(position.filter(|position| changed.insert(*position)));
        }
        for status in &update.statuses {
            changes.transfers.extend(self.take_status(source, status));
        }
        for warning in &update.warnings {
            changes.warned.extend(self.take_warning(warning));
        }
        for log in &update.logs {
            changes.logs.push(self.take_log(source, log));
        }
        self.free_logs(&changes.steps);
        if let Some(warning) = self.bounds.warning() {
            self.warnings.push(warning);
        }
        changes
    }

    pub(super) fn step(&self, position: usize) -> &StepView {
        &self.steps[position]
    }

    /// Returns the positions of the started steps, by their start.
    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// Returns the time spans of a step's work, by this client's clock.
    pub(super) fn spans(&self, step: &StepView) -> Vec<Interval> {
        step.work.merged(&self.clocks)
    }

    /// Returns the end of a step; `now` for an unfinished one.
    pub(super) fn ended_at(&self, step: &StepView, now: SystemTime) -> SystemTime {
        step.work
            .merged(&self.clocks)
            .last()
            .and_then(|interval| interval.stop)
            .unwrap_or(now)
    }

    /// Returns the time that several steps were worked on; overlaps count once.
    pub(super) fn elapsed_together<'a>(
        &self,
        steps: impl Iterator<Item = &'a StepView>,
        now: SystemTime,
    ) -> Duration {
        let spans: Vec<Interval> = steps
            .flat_map(|step| step.work.merged(&self.clocks))
            .collect();
        merge(spans)
            .iter()
            .map(|interval| interval.duration(now))
            .sum()
    }

    /// Returns the duration of a transfer; `None` if its start is unknown.
    pub(super) fn transfer_elapsed(
        &self,
        step: &StepView,
        transfer: usize,
        now: SystemTime,
    ) -> Duration {
        let (Some(status), Some(&source)) = (
            step.transfers.get(transfer),
            step.transfer_sources.get(transfer),
        ) else {
            return Duration::ZERO;
        };
        let Some(start) = status.started else {
            return Duration::ZERO;
        };
        let local = |at| self.clocks.local(source, at);
        Interval {
            start: local(start),
            stop: status.completed.map(local),
        }
        .duration(now)
    }

    /// Applies a vertex. Returns the position of the changed step.
    fn take_vertex(&mut self, source: u64, vertex: &Vertex) -> Option<usize> {
        if let Some(started) = vertex.started {
            self.first.get_or_insert((source, started));
        }
        if vertex.progress_group.is_some() {
            return self.take_member(source, vertex);
        }
        let is_new = !self.by_digest.contains_key(&vertex.digest);
        let position = self.position(&vertex.digest);
        let step = &mut self.steps[position];
        if is_new {
            step.inputs.clone_from(&vertex.inputs);
        }
        // Every build that needs a vertex announces it again, as if it had not started.
        if step.work.is_started() && vertex.started.is_none() {
            return None;
        }
        let mut changed = step.name.full() != vertex.name
            || step.cached != vertex.cached
            || step.error != vertex.error;
        if changed {
            step.name = StepName::new(&vertex.name);
            step.cached = vertex.cached;
            step.error.clone_from(&vertex.error);
        }
        let started = vertex.started?;
        changed |= step.work.note(source, started, vertex.completed);
        self.show(position);
        changed.then_some(position)
    }

    fn take_member(&mut self, source: u64, vertex: &Vertex) -> Option<usize> {
        let group = vertex.progress_group.as_ref()?;
        let known = self.by_digest.contains_key(&group.id);
        let is_new = !self.by_digest.contains_key(&vertex.digest);
        let position = self.position(&group.id);
        let step = &mut self.steps[position];
        if is_new {
            // Those of the member that is the group's result are the first.
            let at = if group.weak { step.inputs.len() } else { 0 };
            step.inputs.splice(at..at, vertex.inputs.iter().cloned());
        }
        if !known {
            step.name = StepName::new(&group.name);
            step.hidden = true;
        }
        self.by_digest.insert(vertex.digest.clone(), position);
        let members = self.groups.entry(group.id.clone()).or_default();
        let visible = members.note(vertex);
        let hidden = step.hidden && !visible;
        let mut changed = step.cached != members.is_cached()
            || step.error != members.error()
            || step.hidden != hidden;
        if changed {
            step.cached = members.is_cached();
            members.error().clone_into(&mut step.error);
            step.hidden = hidden;
        }
        if let Some(started) = vertex.started {
            changed |= step.work.note(source, started, vertex.completed);
        }
        if step.hidden || !step.work.is_started() {
            return None;
        }
        self.show(position);
        changed.then_some(position)
    }

    fn take_status(&mut self, source: u64, status: &VertexStatus) -> Option<(usize, usize)> {
        let &position = self.by_digest.get(&status.vertex)?;
        let step = &mut self.steps[position];
        if let Some(&known) = step.transfer_positions.get(&status.id) {
            step.transfers[known] = status.clone();
            step.transfer_sources[known] = source;
            return Some((position, known));
        }
        // A transfer that has not started has nothing to show.
        status.started?;
        if !self.bounds.admit_status(status, step.transfers.len()) {
            return None;
        }
        step.omitted.note(step.transfers.len(), &status.id);
        let next = step.transfers.len();
        step.transfer_positions.insert(status.id.clone(), next);
        step.transfers.push(status.clone());
        step.transfer_sources.push(source);
        Some((position, next))
    }

    fn take_warning(&mut self, warning: &Warning) -> Option<usize> {
        if !self.bounds.admit_warning(warning, self.warnings.len()) {
            return None;
        }
        let known = self.warning_positions.entry(key(warning)).or_default();
        if !known.iter().any(|at| same(&self.warnings[*at], warning)) {
            known.push(self.warnings.len());
            self.warnings.push(warning.clone());
        }
        let &position = self.by_digest.get(&warning.vertex)?;
        self.steps[position].warnings.push(warning.clone());
        Some(position)
    }

    fn take_log(&mut self, source: u64, log: &VertexLog) -> Option<(usize, Duration)> {
        let &position = self.by_digest.get(&log.vertex)?;
        let step = &mut self.steps[position];
        let start = step.work.last_start(source);
        let at = log
            .timestamp
            .zip(start)
            .and_then(|(at, start)| at.duration_since(start).ok());
        let at = at.unwrap_or_default();
        if !step.keeps_log {
            step.keeps_log = self.bounds.admit_log();
        }
        if step.keeps_log {
            step.log.write_from(log.stream, &log.data, at);
        }
        Some((position, at))
    }

    /// Frees the logs of successful steps.
    fn free_logs(&mut self, positions: &[usize]) {
        for &position in positions {
            let step = &mut self.steps[position];
            if matches!(step.state(), StepState::Done | StepState::Cached) {
                step.log.clear();
                if std::mem::take(&mut step.keeps_log) {
                    self.bounds.release_log();
                }
            }
        }
    }

    /// Returns the digests of the steps that a step needs. A vertex of a group has the group's.
    pub(super) fn inputs(&self, step: &StepView) -> Vec<String> {
        let known = |vertex: &String| match self.by_digest.get(vertex) {
            Some(position) => self.steps[*position].digest.clone(),
            None => vertex.clone(),
        };
        let inputs = step.inputs.iter().map(known);
        inputs.filter(|input| *input != step.digest).collect()
    }

    /// Returns the position of a digest's or group id's step, created if new.
    fn position(&mut self, id: &str) -> usize {
        if let Some(&position) = self.by_digest.get(id) {
            return position;
        }
        self.steps.push(StepView {
            digest: id.to_string(),
            ..Default::default()
        });
        let position = self.steps.len() - 1;
        self.by_digest.insert(id.to_string(), position);
        position
    }

    fn show(&mut self, position: usize) {
        if !std::mem::replace(&mut self.steps[position].shown, true) {
            self.shown.push(position);
        }
    }
}

/// Returns true if both have the same content; their vertexes may differ.
fn same(one: &Warning, other: &Warning) -> bool {
    (&one.short, &one.detail, &one.url, &one.source, &one.ranges)
        == (
            &other.short,
            &other.detail,
            &other.url,
            &other.source,
            &other.ranges,
        )
}

/// Returns a key that is equal for equal warnings. Sources may be long and are left out.
fn key(warning: &Warning) -> u64 {
    let mut hasher = DefaultHasher::new();
    let text = (&warning.short, &warning.detail, &warning.url);
    (text, &warning.ranges).hash(&mut hasher);
    hasher.finish()
}

/// Returns the latest time in an update.
fn newest_time(update: &StatusUpdate) -> Option<SystemTime> {
    let vertexes = update
        .vertexes
        .iter()
        .flat_map(|vertex| [vertex.started, vertex.completed]);
    let statuses = update
        .statuses
        .iter()
        .flat_map(|status| [status.timestamp, status.completed]);
    let logs = update.logs.iter().map(|log| log.timestamp);
    vertexes.chain(statuses).chain(logs).flatten().max()
}

#[cfg(test)]
mod tests;
