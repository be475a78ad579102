//! Hand-written plans, and generated ones that are compared with a copy of the daemon's loop.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::filter::listed;
use super::*;

fn record(id: &str, size: i64, used: u64, parents: &[&str]) -> CacheRecord {
    CacheRecord {
        id: id.to_owned(),
        mutable: false,
        in_use: false,
        size,
        parents: parents.iter().map(|&it| it.to_owned()).collect(),
        created_at: None,
        last_used_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(used)),
        usage_count: 1,
        description: String::new(),
        kind: "regular".to_owned(),
        shared: false,
    }
}

fn plan(records: &[CacheRecord], options: &PruneOptions) -> PrunePlan {
    let matching = records.iter().map(|record| record.id.as_str()).collect();
    let listing = Listing {
        all: records,
        matching: &matching,
    };
    PrunePlan::new(&listing, options)
}

fn ids(plan: &PrunePlan) -> Vec<&str> {
    plan.removed.iter().map(|it| it.id.as_str()).collect()
}

#[test]
fn parents_go_after_all_their_children() {
    let mut held = record("held", 1, 1, &["base"]);
    held.in_use = true;
    let records = [
        record("base", 1, 1, &[]),
        record("a", 1, 1, &[]),
        record("b", 1, 1, &["a"]),
        record("c", 1, 1, &["b", "a"]),
        held,
    ];
    let plan = plan(&records, &PruneOptions::default());
    assert_eq!(ids(&plan), ["c", "b", "a"]);
    assert_eq!(plan.bytes(), 3);
    assert_eq!((plan.kept.in_use, plan.kept.parents), (1, 1));
}

#[test]
fn protected_records_go_with_all_only() {
    let mut records = [
        record("internal", 1, 1, &[]),
        record("frontend", 1, 1, &[]),
        record("shared", 1, 1, &[]),
    ];
    records[0].kind = "internal".to_owned();
    records[1].kind = "frontend".to_owned();
    records[2].shared = true;
    let mut options = PruneOptions::default();
    assert_eq!(plan(&records, &options).kept.protected, 3);
    options.all = true;
    assert_eq!(plan(&records, &options).removed.len(), 3);
}

#[test]
fn the_least_used_go_first_until_less_than_the_limit_is_left() {
    let mut records = [
        record("old", 10, 1, &[]),
        record("older but popular", 10, 0, &[]),
        record("new", 10, 9, &[]),
    ];
    records[1].usage_count = 9;
    let mut options = PruneOptions {
        max_used_space: 20,
        ..PruneOptions::default()
    };
    // At the exact limit the daemon removes one more record, here one of two equal ones.
    let of_two = plan(&records, &options);
    assert_eq!((ids(&of_two)[0], of_two.kept.within_limits), ("old", 1));
    assert_eq!(of_two.doubts, [PruneDoubt::EqualRank]);
    options.max_used_space = 21;
    assert_eq!(ids(&plan(&records, &options)), ["old"]);
    options.reserved_space = 31;
    assert_eq!(ids(&plan(&records, &options)), [""; 0]);
}

#[test]
fn a_choice_between_equals_is_a_doubt() {
    let records = [record("a", 10, 1, &[]), record("b", 10, 1, &[])];
    let mut options = PruneOptions {
        max_used_space: 15,
        ..PruneOptions::default()
    };
    let one = plan(&records, &options);
    assert_eq!(ids(&one), ["a"]);
    assert_eq!(one.doubts, [PruneDoubt::EqualRank]);
    options.max_used_space = 1;
    let both = plan(&records, &options);
    assert_eq!((both.removed.len(), both.doubts.len()), (2, 0));
}

#[test]
fn free_space_is_planned_for_a_full_disk() {
    let records = [record("a", 10, 1, &[]), record("b", 10, 2, &[])];
    let mut options = PruneOptions {
        min_free_space: 5,
        ..PruneOptions::default()
    };
    let one = plan(&records, &options);
    assert_eq!(ids(&one), ["a"]);
    assert_eq!(one.doubts, [PruneDoubt::FreeSpaceUnknown]);
    // No bytes to keep means no limit.
    options.min_free_space = 20;
    assert_eq!(plan(&records, &options).removed.len(), 2);
}

#[test]
fn many_records_are_planned_in_a_moment() {
    let records: Vec<_> = (0..20_000)
        .map(|at| record(&at.to_string(), 1, at, &[]))
        .collect();
    let options = PruneOptions {
        max_used_space: 1,
        ..PruneOptions::default()
    };
    let plan = plan(&records, &options);
    assert_eq!(plan.removed.len(), 20_000);
    assert_eq!(plan.doubts, [PruneDoubt::Estimated]);
}

prop_compose! {
    fn any_records()(parts in prop::collection::vec(
        (0..5i64, prop::option::of(0..4u64), 0..3i64, prop::collection::vec(0..12usize, 0..3),
         any::<(bool, bool)>(), 0..4u8, any::<bool>()), 0..12)
    ) -> (Vec<CacheRecord>, Vec<bool>) {
        let matches = parts.iter().map(|part| part.6).collect();
        let records = parts.into_iter().enumerate().map(|(at, part)| {
            let (size, used, count, parents, (in_use, shared), kind, _) = part;
            let parents: Vec<String> = parents.iter().map(|it| it.to_string()).collect();
            CacheRecord {
                // Mostly forests, but also graphs that no daemon sends.
                parents: parents.into_iter().filter(|it| at > 0 && *it != at.to_string()).collect(),
                last_used_at: used.map(|it| SystemTime::UNIX_EPOCH + Duration::from_secs(it)),
                usage_count: count,
                in_use: in_use && at % 3 == 0,
                shared,
                kind: ["regular", "internal", "frontend", "source.local"][usize::from(kind)]
                    .to_owned(),
                ..record(&at.to_string(), size, 0, &[])
            }
        });
        (records.collect(), matches)
    }
}

/// The daemon's loop: select all records that may be removed, remove one or all of them, repeat.
fn repeated(records: &[CacheRecord], matches: &[bool], options: &PruneOptions) -> Vec<String> {
    let mut left: Vec<(usize, &CacheRecord)> = records.iter().enumerate().collect();
    let sizes = left.iter().filter(|it| !it.1.shared).map(|it| it.1.size);
    let mut total: i64 = sizes.sum();
    let keep = bytes_to_keep(total, options);
    let mut removed = Vec::new();
    loop {
        if keep != 0 && total < keep {
            return removed;
        }
        let is_parent = |id: &str| left.iter().any(|it| it.1.parents.iter().any(|it| it == id));
        let may_go = |record: &CacheRecord| {
            let is_kept = record.shared || matches!(&*record.kind, "internal" | "frontend");
            !record.in_use && !is_parent(&record.id) && (options.all || !is_kept)
        };
        let ready = left.iter().filter(|(at, it)| matches[*at] && may_go(it));
        let ready: Vec<usize> = ready.map(|it| it.0).collect();
        let ranked = order::ranked(&ready, records);
        let batch = if keep == 0 { ranked.len() } else { 1 };
        if ranked.is_empty() {
            return removed;
        }
        for (number, _) in ranked.into_iter().take(batch) {
            total -= records[number].size;
            removed.push(records[number].id.clone());
            left.retain(|it| it.0 != number);
        }
    }
}

proptest! {
    #[test]
    fn a_plan_is_what_the_daemons_loop_removes(
        (records, matches) in any_records(),
        all: bool,
        limits in (0..3i64, 0..20i64, 0..20i64, 0..20i64),
    ) {
        let on = |bit: i64, value: i64| if limits.0 >= bit { value } else { 0 };
        let options = PruneOptions {
            all,
            reserved_space: on(1, limits.1),
            max_used_space: on(1, limits.2),
            min_free_space: on(2, limits.3),
            ..PruneOptions::default()
        };
        let matching: HashSet<&str> = records
            .iter()
            .zip(&matches)
            .filter(|it| *it.1)
            .map(|it| it.0.id.as_str())
            .collect();
        let plan = PrunePlan::new(&Listing { all: &records, matching: &matching }, &options);
        let expected = repeated(&records, &matches, &options);
        if bytes_to_keep(sum(records.iter().filter(|it| !it.shared)), &options) == 0 {
            let sorted = |mut ids: Vec<String>| { ids.sort(); ids };
            let ids = plan.removed.iter().map(|it| it.id.clone()).collect();
            prop_assert_eq!(sorted(ids), sorted(expected));
        } else {
            prop_assert_eq!(ids(&plan), expected);
        }
        let kept = plan.kept;
        let kept = kept.in_use + kept.protected + kept.parents + kept.within_limits;
        prop_assert_eq!(plan.removed.len() + kept, matching.len());
        let removed: HashSet<&str> = ids(&plan).into_iter().collect();
        for record in records.iter().filter(|it| !removed.contains(it.id.as_str())) {
            let mut parents = record.parents.iter();
            prop_assert!(parents.all(|id| !removed.contains(id.as_str())));
        }
    }

    #[test]
    fn any_filter_can_be_rewritten(text in ".{0,40}", simple in "[a-z=~!,\"/|\\\\ ]{0,30}") {
        for filter in [text, simple] {
            let rewritten = listed(&filter);
            if !filter.contains("inuse") && !filter.contains("parents") {
                prop_assert_eq!(rewritten, filter);
            }
        }
    }
}
