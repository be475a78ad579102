//! Examples of choices, and properties that hold for all.

use proptest::prelude::*;

use super::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("node{number}")).collect()
}

fn nodes<'a>(names: &'a [String], running: &[usize]) -> Vec<PoolNode<'a>> {
    let nodes = names.iter().zip(running);
    let node = |(name, running): (&'a String, &usize)| PoolNode {
        name,
        running: *running,
    };
    nodes.map(node).collect()
}

/// The number of `builds` on each node.
fn counts(nodes: &[PoolNode<'_>], builds: impl Iterator<Item = (String, u64)>) -> Vec<usize> {
    let mut counts = vec![0; nodes.len()];
    for (key, draw) in builds {
        counts[pool_node(nodes, &key, draw).unwrap()] += 1;
    }
    counts
}

#[test]
fn the_choice_is_the_same_in_every_version() {
    let names = names(5);
    let nodes = nodes(&names, &[0; 5]);
    let keys = ["", "/home/me/app", "https://git.test/app", "größe"];
    let chosen = keys.map(|key| pool_node(&nodes, key, 0));
    assert_eq!(chosen, [3, 3, 4, 2].map(Some));
}

#[test]
fn clients_of_many_contexts_that_see_the_same_loads_spread() {
    let names = names(10);
    let nodes = nodes(&names, &[1; 10]);
    let builds = (0..1000).map(|number| (format!("/src/{number}"), number));
    for count in counts(&nodes, builds) {
        assert!((60..=140).contains(&count), "{count} of 1000 on one of ten");
    }
}

#[test]
fn clients_of_one_context_that_see_the_same_loads_spread_when_its_node_is_busy() {
    let names = names(10);
    let idle = nodes(&names, &[0; 10]);
    let own = pool_node(&idle, "app", 0).unwrap();
    let with = |running: usize| {
        let mut nodes = idle.clone();
        nodes[own].running = running;
        counts(&nodes, (0..1000).map(|draw| ("app".to_owned(), draw)))
    };
    assert_eq!(with(1)[own], 1000, "it has room");
    let busy = with(2);
    assert!((550..=780).contains(&busy[own]), "{busy:?}");
    let busier = with(3);
    assert!((230..=450).contains(&busier[own]), "{busier:?}");
    let full = with(4);
    assert_eq!(full[own], 0, "{full:?}");
    // All that do not fit go to the context's second node, which then has a warm cache too.
    assert_eq!(full.iter().filter(|count| **count > 0).count(), 1);
}

#[test]
fn overflows_of_different_contexts_go_to_different_nodes() {
    let names = names(10);
    let mut all = nodes(&names, &[0; 10]);
    let of_first = |number: &u64| pool_node(&all, &format!("/src/{number}"), 0) == Some(3);
    let contexts: Vec<u64> = (0..2000).filter(of_first).collect();
    all[3].running = 50;
    let builds = contexts.iter().map(|it| (format!("/src/{it}"), *it));
    let overflow = counts(&all, builds);
    assert_eq!(overflow[3], 0);
    let most = overflow.iter().max().unwrap();
    assert!(*most * 4 < contexts.len(), "{overflow:?}");
}

#[test]
fn without_nodes_there_is_none() {
    assert_eq!(pool_node(&[], "app", 1), None);
}

fn some_loads() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..30, 1..20)
}

proptest! {
    #[test]
    fn a_full_node_gets_nothing(loads in some_loads(), key: String, draw: u64) {
        let names = names(loads.len());
        let nodes = nodes(&names, &loads);
        let chosen = pool_node(&nodes, &key, draw).unwrap();
        let all: usize = loads.iter().sum();
        let (running, count) = (nodes[chosen].running, nodes.len());
        prop_assert!(running < ROOM || running * count < (all + 1) * 5 / 4 + count, "{loads:?}");
    }

    #[test]
    fn the_order_of_the_nodes_does_not_matter(loads in some_loads(), key: String, draw: u64) {
        let names = names(loads.len());
        let mut nodes = nodes(&names, &loads);
        let chosen = pool_node(&nodes, &key, draw).map(|node| nodes[node]);
        nodes.reverse();
        prop_assert_eq!(pool_node(&nodes, &key, draw).map(|node| nodes[node]), chosen);
    }

    #[test]
    fn a_node_that_leaves_moves_only_its_own_contexts(
        count in 2_usize..20, left in 0_usize..20, key: String, draws: (u64, u64),
    ) {
        let names = names(count);
        let all = nodes(&names, &vec![0; count]);
        let chosen = all[pool_node(&all, &key, draws.0).unwrap()];
        let mut rest = all.clone();
        let gone = rest.remove(left % count);
        let then = rest[pool_node(&rest, &key, draws.1).unwrap()];
        prop_assert!(chosen == gone || chosen == then);
    }

    #[test]
    fn huge_loads_are_no_overflow(loads in proptest::collection::vec(any::<usize>(), 1..5)) {
        let names = names(loads.len());
        let nodes = nodes(&names, &loads);
        let chosen = pool_node(&nodes, "app", 7).unwrap();
        prop_assert!(chosen < loads.len());
    }
}
