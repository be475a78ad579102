//! When a watcher looks, asks, tells and gives up.

use std::time::Duration;

use super::NOTICE;

/// The least number of times that a watcher looks within the limit.
pub(super) const LOOKS: u32 = 12;
/// The longest time between two looks, so that a long limit does not delay the question.
const LONGEST: Duration = Duration::from_secs(5);
/// The number of looks without anything received after which the daemon is asked.
const LOOKS_BEFORE_QUESTION: u32 = 3;

/// The times at which a watcher looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// The time between two looks.
    pub(super) interval: Duration,
    /// The number of looks without anything received after which the user is told.
    notice: Option<u32>,
    /// The number of looks without anything received after which the daemon hangs.
    hangs: u32,
}

impl Pace {
    pub(super) fn of(limit: Duration) -> Self {
        let looks = limit.as_nanos().div_ceil(LONGEST.as_nanos());
        let hangs = u32::try_from(looks).unwrap_or(u32::MAX).max(LOOKS);
        let interval = (limit / hangs).clamp(Duration::from_millis(1), LONGEST);
        let looks = u32::try_from(NOTICE.as_nanos().div_ceil(interval.as_nanos()));
        Self {
            interval,
            notice: looks.ok().filter(|looks| *looks < hangs),
            hangs,
        }
    }
}

/// The looks since the last data.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    reads: u64,
    looks: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Alive,
    Ask,
    Hangs,
}

impl Quiet {
    pub(super) fn look(&mut self, reads: u64, pace: Pace) -> Verdict {
        if reads == self.reads {
            self.looks += 1;
        } else {
            *self = Self { reads, looks: 0 };
        }
        match self.looks {
            looks if looks >= pace.hangs => Verdict::Hangs,
            LOOKS_BEFORE_QUESTION.. => Verdict::Ask,
            _ => Verdict::Alive,
        }
    }

    /// True at the one look at which the user is told.
    pub(super) fn is_notable(&self, pace: Pace) -> bool {
        Some(self.looks) == pace.notice
    }
}

#[cfg(test)]
mod tests {
    use super::super::SILENCE_LIMIT;
    use super::*;

    #[test]
    fn a_long_limit_does_not_delay_the_question() {
        let pace = |seconds, notice, hangs| Pace {
            interval: Duration::from_secs(seconds),
            notice,
            hangs,
        };
        assert_eq!(Pace::of(SILENCE_LIMIT), pace(5, Some(6), 12));
        assert_eq!(Pace::of(Duration::from_secs(12)), pace(1, None, 12));
        assert_eq!(Pace::of(NOTICE).notice, None);
        assert_eq!(Pace::of(Duration::from_secs(36)), pace(3, Some(10), 12));
        assert_eq!(Pace::of(Duration::from_secs(600)), pace(5, Some(6), 120));
        assert_eq!(Pace::of(Duration::MAX), pace(5, Some(6), u32::MAX));
        let odd = Duration::from_secs(61);
        assert_eq!(Pace::of(odd).hangs, 13);
        assert_eq!(Pace::of(odd).interval, odd / 13);
    }

    #[test]
    fn data_ends_the_silence() {
        let mut quiet = Quiet::default();
        let pace = Pace::of(SILENCE_LIMIT);
        let mut looks = |reads, count| (0..count).map(|_| quiet.look(reads, pace)).last();
        assert_eq!(looks(0, LOOKS_BEFORE_QUESTION - 1), Some(Verdict::Alive));
        assert_eq!(looks(0, 1), Some(Verdict::Ask));
        assert_eq!(looks(1, 1), Some(Verdict::Alive));
        assert_eq!(looks(1, LOOKS - 1), Some(Verdict::Ask));
        assert_eq!(looks(1, 1), Some(Verdict::Hangs));
        assert_eq!(looks(2, 1), Some(Verdict::Alive));
    }
}
