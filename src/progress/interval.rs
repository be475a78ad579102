//! The time spans in which a step was worked on, and the clocks that measured them.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

/// A time span; without an end it is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) start: SystemTime,
    pub(super) stop: Option<SystemTime>,
}

impl Interval {
    /// Returns the duration, up to `now` if the span is open. Never negative, whatever the clocks
    /// say.
    pub(super) fn duration(&self, now: SystemTime) -> Duration {
        self.stop
            .unwrap_or(now)
            .duration_since(self.start)
            .unwrap_or_default()
    }
}

/// Merges spans that overlap or touch; the result is sorted.
pub(super) fn merge(intervals: impl IntoIterator<Item = Interval>) -> Vec<Interval> {
    let mut sorted: Vec<Interval> = intervals.into_iter().collect();
    sorted.sort_by_key(|interval| interval.start);
    let mut merged: Vec<Interval> = Vec::with_capacity(sorted.len());
    for next in sorted {
        match merged.last_mut() {
            Some(last) if last.stop.is_none_or(|stop| stop >= next.start) => {
                last.stop = last.stop.zip(next.stop).map(|(one, other)| one.max(other));
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// The spans of one step by source. A repeated start replaces the earlier report.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Work {
    spans: BTreeMap<(u64, SystemTime), Option<SystemTime>>,
    /// The number of open spans.
    open: usize,
}

impl Work {
    /// Records a span by a source's clock. Returns true if it is new.
    pub(super) fn note(
        &mut self,
        source: u64,
        start: SystemTime,
        stop: Option<SystemTime>,
    ) -> bool {
        let before = self.spans.insert((source, start), stop);
        self.open += usize::from(stop.is_none());
        self.open -= usize::from(before == Some(None));
        before != Some(stop)
    }

    /// Returns the spans by this client's clock.
    pub(super) fn merged(&self, clocks: &Clocks) -> Vec<Interval> {
        merge(self.spans.iter().map(|(&(source, start), &stop)| Interval {
            start: clocks.local(source, start),
            stop: stop.map(|stop| clocks.local(source, stop)),
        }))
    }

    /// Returns the total time worked.
    pub(super) fn elapsed(&self, clocks: &Clocks, now: SystemTime) -> Duration {
        self.merged(clocks)
            .iter()
            .map(|interval| interval.duration(now))
            .sum()
    }

    /// True for a line of this client that is not work: see `Step::note`.
    pub(super) fn is_note(&self) -> bool {
        let mut spans = self.spans.iter();
        spans.all(|(&(source, start), &stop)| source == 0 && stop == Some(start))
    }

    /// Returns the number of spans.
    pub(super) fn count(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn is_started(&self) -> bool {
        !self.spans.is_empty()
    }

    /// True if the step has started and no span is open.
    pub(super) fn is_completed(&self) -> bool {
        self.is_started() && self.open == 0
    }

    /// Returns the last start that this source reported, by its own clock.
    pub(super) fn last_start(&self, source: u64) -> Option<SystemTime> {
        let of_source = self.spans.keys().rev().find(|(of, _)| *of == source);
        of_source.map(|(_, start)| *start)
    }
}

/// The differences between each source's clock and this client's.
///
/// An event cannot happen after its arrival. So the smallest distance between a source's newest
/// time and its arrival is the best estimate of the difference, and improves with every event.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks {
    /// The nanoseconds to add to a source's times. Source 0 is this client.
    offsets: HashMap<u64, i128>,
}

impl Clocks {
    /// Learns from an event that arrives `now`, with `newest` as its newest time.
    pub(super) fn observe(&mut self, source: u64, newest: SystemTime, now: SystemTime) {
        if source == 0 {
            return;
        }
        let offset = match now.duration_since(newest) {
            Ok(behind) => nanos(behind),
            Err(ahead) => -nanos(ahead.duration()),
        };
        self.offsets
            .entry(source)
            .and_modify(|known| *known = offset.min(*known))
            .or_insert(offset);
    }

    /// Converts a source's time to this client's clock.
    pub(super) fn local(&self, source: u64, at: SystemTime) -> SystemTime {
        let offset = self.offsets.get(&source).copied().unwrap_or(0);
        let distance =
            Duration::from_nanos(u64::try_from(offset.unsigned_abs()).unwrap_or(u64::MAX));
        let moved = if offset < 0 {
            at.checked_sub(distance)
        } else {
            at.checked_add(distance)
        };
        moved.unwrap_or(at)
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn spans(list: &[(u64, u64)]) -> Vec<Interval> {
        let stop = |seconds| (seconds != 0).then(|| at(seconds));
        list.iter()
            .map(|&(start, end)| Interval {
                start: at(start),
                stop: stop(end),
            })
            .collect()
    }

    #[test]
    fn what_overlaps_or_touches_is_one_span() {
        let check = |given: &[(u64, u64)], expected: &[(u64, u64)]| {
            assert_eq!(merge(spans(given)), spans(expected), "{given:?}");
        };
        check(&[], &[]);
        check(&[(3, 5), (1, 2)], &[(1, 2), (3, 5)]);
        check(&[(1, 3), (2, 5), (5, 6), (8, 9)], &[(1, 6), (8, 9)]);
        check(&[(1, 10), (2, 3), (4, 5)], &[(1, 10)]);
        // 0 means no end.
        check(&[(1, 4), (3, 0), (6, 7)], &[(1, 0)]);
        check(&[(1, 2), (3, 0)], &[(1, 2), (3, 0)]);
    }

    #[test]
    fn an_end_before_the_start_lasts_no_time() {
        let interval = Interval {
            start: at(5),
            stop: Some(at(3)),
        };
        assert_eq!(interval.duration(at(9)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_is_wrong_by_an_hour_is_corrected() {
        let mut clocks = Clocks::default();
        let mut work = Work::default();
        work.note(1, at(3600), None);
        // The first event came 2 seconds late; the next one did not.
        clocks.observe(1, at(3600), at(12));
        clocks.observe(1, at(3605), at(15));
        assert_eq!(work.elapsed(&clocks, at(17)), Duration::from_secs(7));
    }

    #[test]
    fn a_step_that_is_worked_on_twice_counts_both() {
        let mut work = Work::default();
        work.note(1, at(10), None);
        assert!(!work.is_completed());
        work.note(1, at(10), Some(at(12)));
        assert!(work.is_completed());
        work.note(1, at(20), Some(at(21)));
        assert_eq!(
            work.elapsed(&Clocks::default(), at(99)),
            Duration::from_secs(3)
        );
        assert_eq!(work.last_start(1), Some(at(20)));
        assert_eq!(work.last_start(2), None);
    }
}
