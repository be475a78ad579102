//! Decides which step prints next.
//!
//! Completed steps are printed at once. A running step keeps its turn until it ends, unless it has
//! used its share of time or another step has waited too long.

use std::time::{Duration, SystemTime};

use super::super::view::{StepState, View};
use super::Plain;

/// The minimum time of a turn.
const KEEP: Duration = Duration::from_secs(5);
/// The maximum time that a step with news waits.
const WAIT: Duration = Duration::from_secs(10);
/// As [`WAIT`], in bytes of log.
const WAIT_BYTES: usize = 256 << 10;

/// A step's urgency.
struct Pressure {
    position: usize,
    waited: Duration,
    /// The amount of news per second.
    speed: f64,
    /// True if it has waited too long.
    over: bool,
}

impl Plain {
    /// Returns the steps to print now: the current one first, then completed ones by their end.
    pub(super) fn take_turns(&self, view: &View, now: SystemTime) -> Vec<usize> {
        let touched = self
            .touched
            .iter()
            .copied()
            .filter(|&position| view.step(position).is_shown());
        let (mut ended, running): (Vec<usize>, Vec<usize>) =
            touched.partition(|&position| view.step(position).work.is_completed());
        ended.sort_by_cached_key(|&position| {
            (
                self.current != Some(position),
                view.ended_at(view.step(position), now),
            )
        });
        let current = self.current.filter(|current| running.contains(current));
        // Other steps' lines would interrupt it, so the current step comes last.
        ended.into_iter().chain(current).collect()
    }

    /// Returns the step that takes the turn, once all completed steps are printed.
    pub(super) fn next_turn(
        &self,
        speaker: Option<usize>,
        view: &View,
        now: SystemTime,
    ) -> Option<usize> {
        let is_shown = |position: &usize| view.step(*position).is_shown();
        let waiting: Vec<usize> = self.touched.iter().copied().filter(is_shown).collect();
        match (speaker, waiting.is_empty()) {
            (Some(_), true) => None,
            // There is no news and no turn: print the name of a running step.
            (None, true) => {
                let at_work = |position: &usize| view.step(*position).state() == StepState::Running;
                view.shown()
                    .iter()
                    .copied()
                    .find(at_work)
                    .filter(|next| self.current != Some(*next))
            }
            (None, false) => self
                .pressures(&waiting, now)
                .into_iter()
                .reduce(stronger)
                .map(|most| most.position),
            (Some(speaker), false) => self.challenger(speaker, waiting, now),
        }
    }

    /// Returns the step that takes over the turn.
    fn challenger(
        &self,
        speaker: usize,
        mut waiting: Vec<usize>,
        now: SystemTime,
    ) -> Option<usize> {
        waiting.retain(|position| *position != speaker);
        let others = self.pressures(&waiting, now);
        let sum: f64 = others.iter().map(|pressure| pressure.speed).sum();
        let strongest = others.into_iter().reduce(stronger)?;
        if strongest.over {
            return Some(strongest.position);
        }
        let own = self.pressures(&[speaker], now).into_iter().next()?;
        let share = own.speed / (sum + own.speed);
        let turn = KEEP.as_secs_f64() / (1.0 - share);
        (turn < own.waited.as_secs_f64()).then_some(strongest.position)
    }

    fn pressures(&self, positions: &[usize], now: SystemTime) -> Vec<Pressure> {
        let of = |&position: &usize| {
            let entry = self.entry_of(position)?;
            let waited = now.duration_since(entry.since?).unwrap_or_default();
            let speed = f64::from(entry.news) / waited.as_secs_f64().max(0.001);
            Some(Pressure {
                position,
                waited,
                speed,
                over: waited > WAIT || entry.bytes > WAIT_BYTES,
            })
        };
        positions.iter().filter_map(of).collect()
    }
}

/// Returns the more urgent one; of two equal ones the earlier.
fn stronger(one: Pressure, other: Pressure) -> Pressure {
    if (other.over, other.speed) > (one.over, one.speed) {
        other
    } else {
        one
    }
}
