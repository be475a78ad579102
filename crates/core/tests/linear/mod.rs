//! Checks that work grows linearly with the input, not quadratically.

use allocation_counter::{AllocationInfo, measure};
use rustix::time::{ClockId, clock_gettime};

/// Twice, with a margin for tables that grow by doubling.
const MOST: f64 = 2.6;

/// Runs the work with inputs of a size and of twice the size, and compares the allocations.
#[track_caller]
pub(crate) fn assert_linear<I>(size: usize, input: impl Fn(usize) -> I, work: impl Fn(&I)) {
    let counted = |size: usize| {
        let input = input(size);
        // Data that is created once, like the regular expressions of the lexer, does not count.
        measure(|| work(&input))
    };
    counted(8);
    let (once, twice) = (counted(size), counted(2 * size));
    let growth = |of: fn(&AllocationInfo) -> u64| of(&twice) as f64 / (of(&once) as f64 + 1024.0);
    let (count, bytes) = (
        growth(|info| info.count_total),
        growth(|info| info.bytes_total),
    );
    assert!(
        count < MOST,
        "allocations grow by {count:.2}: {once:?} {twice:?}"
    );
    assert!(bytes < MOST, "bytes grow by {bytes:.2}: {once:?} {twice:?}");
}

/// Work that only compares names allocates nothing. So this compares the processor time of this
/// thread for eight times the input, the best of several runs: linear is 8, quadratic is 64.
#[track_caller]
pub(crate) fn assert_linear_steps<I>(size: usize, input: impl Fn(usize) -> I, work: impl Fn(&I)) {
    let spent = |size: usize| {
        let input = input(size);
        let run = || {
            let begin = clock_gettime(ClockId::ThreadCPUTime);
            work(&input);
            let end = clock_gettime(ClockId::ThreadCPUTime);
            (end.tv_sec - begin.tv_sec) * 1_000_000_000 + end.tv_nsec - begin.tv_nsec
        };
        (0..5).map(|_| run()).min().unwrap_or_default()
    };
    let (once, more) = (spent(size), spent(8 * size));
    assert!(more < 24 * once, "{once} ns become {more} ns");
}
