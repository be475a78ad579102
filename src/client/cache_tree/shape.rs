//! Parents, children and places of records. Without recursion: a listing can have any depth.

use std::collections::HashMap;

use crate::client::CacheRecord;

/// The parents and children of each record, as indices.
pub(super) struct Links {
    pub(super) parents: Vec<Vec<usize>>,
    pub(super) children: Vec<Vec<usize>>,
}

/// The place of a record.
pub(super) struct Place {
    pub(super) number: usize,
    pub(super) depth: usize,
    pub(super) begins_branch: bool,
    pub(super) bytes_below: i64,
}

impl Links {
    pub(super) fn new(records: &[CacheRecord]) -> Self {
        let numbers = records.iter().enumerate();
        let numbers: HashMap<&str, usize> = numbers.map(|(at, it)| (it.id.as_str(), at)).collect();
        let mut children = vec![Vec::new(); records.len()];
        let mut parents = Vec::with_capacity(records.len());
        for (number, record) in records.iter().enumerate() {
            let known = record.parents.iter();
            let mut known: Vec<usize> = known
                .filter_map(|id| numbers.get(id.as_str()).copied())
                .filter(|parent| *parent != number)
                .collect();
            known.dedup();
            for parent in &known {
                children[*parent].push(number);
            }
            parents.push(known);
        }
        Self { parents, children }
    }

    /// The indices, parents first. Records in a cycle are omitted.
    pub(super) fn parents_first(&self) -> Vec<usize> {
        let mut missing: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..missing.len()).filter(|at| missing[*at] == 0).collect();
        let mut done = 0;
        while let Some(number) = order.get(done).copied() {
            done += 1;
            for child in &self.children[number] {
                missing[*child] -= 1;
                if missing[*child] == 0 {
                    order.push(*child);
                }
            }
        }
        order
    }
}

/// The places of all records, the largest branches first. A record with several parents is placed
/// below the first one.
pub(super) fn places(records: &[CacheRecord], links: &Links) -> Vec<Place> {
    let order = links.parents_first();
    let mut below: Vec<i64> = records.iter().map(|record| record.size.max(0)).collect();
    let mut branches: Vec<Vec<usize>> = vec![Vec::new(); records.len()];
    for number in order.iter().rev() {
        if let Some(parent) = links.parents[*number].first() {
            below[*parent] = below[*parent].saturating_add(below[*number]);
            branches[*parent].push(*number);
        }
    }
    let smallest_first = |numbers: &mut Vec<usize>| {
        numbers.sort_by(|a, b| {
            let sizes = below[*a].cmp(&below[*b]);
            sizes.then_with(|| records[*b].id.cmp(&records[*a].id))
        });
    };
    branches.iter_mut().for_each(smallest_first);
    let is_root = |number: &usize| links.parents[*number].is_empty();
    let mut is_ordered = vec![false; records.len()];
    order.iter().for_each(|number| is_ordered[*number] = true);
    let mut roots: Vec<usize> = (0..records.len()).filter(is_root).collect();
    smallest_first(&mut roots);
    // Records in a cycle, which no daemon has, come last.
    let mut open: Vec<(usize, usize, bool)> = (0..records.len())
        .filter(|number| !is_ordered[*number])
        .chain(roots)
        .map(|number| (number, 0, false))
        .collect();
    let mut places = Vec::with_capacity(records.len());
    while let Some((number, depth, begins_branch)) = open.pop() {
        places.push(Place {
            number,
            depth,
            begins_branch,
            bytes_below: below[number],
        });
        let branches = &branches[number];
        let is_split = branches.len() > 1;
        let next = branches.iter();
        open.extend(next.map(|child| (*child, depth + usize::from(is_split), is_split)));
    }
    places
}
