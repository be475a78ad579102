//! Which step speaks next.
//!
//! What has ended is printed at once. Of those at work one keeps speaking until it ends, unless it has spoken for its share of the
//! time or another one has been silent for too long.

use std::time::{Duration, SystemTime};

use super::super::view::{StepState, View};
use super::Plain;

/// The least time for which a step keeps speaking.
const KEEP: Duration = Duration::from_secs(5);
/// The most time for which a step with news is kept waiting.
const WAIT: Duration = Duration::from_secs(10);
/// As [`WAIT`], in bytes of log.
const WAIT_BYTES: usize = 256 << 10;

/// How much a step presses to speak.
struct Pressure {
    position: usize,
    waited: Duration,
    /// News per second.
    speed: f64,
    /// It has waited for too long.
    over: bool,
}

impl Plain {
    /// The steps to print now: the current one first, then those that have ended, in the order of their ends.
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
        // The others' lines would come between: the current step keeps its place at the end.
        ended.into_iter().chain(current).collect()
    }

    /// The step that speaks next, if it is not the one that spoke last; asked when all that ended is printed.
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
            // Nobody has news, and nobody speaks: say what is being worked on.
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

    /// The step that takes the turn from the one that speaks.
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

/// The one that presses more; of two alike the earlier.
fn stronger(one: Pressure, other: Pressure) -> Pressure {
    if (other.over, other.speed) > (one.over, one.speed) {
        other
    } else {
        one
    }
}
