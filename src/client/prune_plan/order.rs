//! The order in which records are removed to reach a limit (`sortDeleteRecords` in BuildKit's
//! `cache/manager.go`): the time of the last use and the number of uses have the same weight.

use std::cmp::Ordering;

use crate::client::CacheRecord;

/// The square of the number of records (5,000) up to which the ranking is exact.
const EFFORT: usize = 25_000_000;

/// BuildKit ranks all records again after each removal, which takes quadratic time. With many
/// records, several are removed per ranking.
pub(super) fn removals_per_ranking(records: usize) -> usize {
    1 + records.saturating_mul(records) / EFFORT
}

/// The indices of records with their scores, in the order of removal.
pub(super) fn ranked(numbers: &[usize], records: &[CacheRecord]) -> Vec<(usize, f64)> {
    let mut ranks: Vec<(usize, f64)> = numbers.iter().map(|number| (*number, 0.0)).collect();
    add_ranks(&mut ranks, |number| records[number].last_used_at);
    // A record that was never used does not start a new rank.
    add_ranks(&mut ranks, |number| {
        let count = records[number].usage_count;
        (count != 0).then_some(count)
    });
    ranks.sort_by(|(a, left), (b, right)| {
        left.total_cmp(right)
            .then_with(|| records[*a].id.cmp(&records[*b].id))
    });
    ranks
}

/// Adds each record's rank by one property, as a fraction of the highest rank.
fn add_ranks<T: Ord>(ranks: &mut [(usize, f64)], property: impl Fn(usize) -> Option<T>) {
    ranks.sort_by_cached_key(|(number, _)| property(*number));
    let mut last = None;
    let mut rank = 1.0;
    let parts: Vec<f64> = ranks
        .iter()
        .map(|(number, _)| {
            let value = property(*number);
            if value != last {
                rank += 1.0;
                last = value;
            }
            rank
        })
        .collect();
    for ((_, score), part) in ranks.iter_mut().zip(parts) {
        *score += part / rank;
    }
}

/// Records that the daemon could remove instead of the first one.
pub(super) fn equal_to_first(ranked: &[(usize, f64)]) -> impl Iterator<Item = usize> {
    let first = ranked.first().map(|(_, score)| *score);
    let is_equal =
        move |score: f64| first.is_some_and(|it| it.total_cmp(&score) == Ordering::Equal);
    let equal = ranked.iter().take_while(move |(_, score)| is_equal(*score));
    let has_choice = ranked.get(1).is_some_and(|(_, score)| is_equal(*score));
    equal.map(|(number, _)| *number).filter(move |_| has_choice)
}
