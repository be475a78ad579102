//! A simulation of many clients that share the nodes of one builder: 10,000 builds on 100 nodes.
//!
//! `cargo test --test placement -- --nocapture` prints the tables of docs/scale.md. The same seed
//! gives the same figures everywhere. The choice is the library's own; daemons, caches and time are
//! simulated.

#![expect(clippy::print_stdout, reason = "the tables are read with --nocapture")]

mod world;

use solvekit::spread::Placement;
use world::{Event, Figures, Policy, World};

const BUILDS: usize = 10_000;
const NODES: usize = 100;

fn run(policy: Policy, events: &[(usize, Event)]) -> Figures {
    World::new(NODES, policy).run(BUILDS, events)
}

#[test]
fn a_pool_keeps_caches_and_spreads_builds() {
    let policies = [
        ("random", Policy::Random),
        ("first", Policy::Of(Placement::First)),
        ("idle", Policy::Of(Placement::Idle)),
        ("hash alone", Policy::HashAlone),
        ("pool", Policy::Of(Placement::Pool)),
    ];
    println!("\n| placement | cache hits | most builds on one node | most at once on one node |");
    println!("|---|---|---|---|");
    let [random, first, idle, hash, pool] = policies.map(|(name, policy)| {
        let figures = run(policy, &[]);
        println!(
            "| {name} | {:.0} % | {:.1} times the mean | {} (mean {:.1}) |",
            figures.hit_share() * 100.0,
            figures.busiest() / figures.mean(),
            figures.most_at_once,
            figures.mean_at_once(),
        );
        figures
    });
    assert!(pool.hit_share() > random.hit_share() + 0.25);
    assert!(pool.hit_share() > idle.hit_share() + 0.25);
    assert!(pool.hit_share() > hash.hit_share() - 0.05);
    assert!(pool.busiest() < hash.busiest() / 2.0);
    assert!(pool.most_at_once <= 10, "{}", pool.most_at_once);
    assert!(hash.most_at_once > 2 * pool.most_at_once);
    assert!(first.most_at_once > 10 * pool.most_at_once);
}

#[test]
fn a_node_that_joins_or_leaves_moves_its_share() {
    println!("\n| after 5,000 builds | contexts that moved | cache hits before | after |");
    println!("|---|---|---|---|");
    let policy = Policy::Of(Placement::Pool);
    for (name, event) in [
        ("a node joins", Event::Joins),
        ("a node leaves", Event::Leaves(7)),
        ("ten nodes leave", Event::LeaveFrom(20, 10)),
    ] {
        let figures = run(policy, &[(BUILDS / 2, event)]);
        let (before, after) = figures.hits_around(BUILDS / 2, 1000);
        println!(
            "| {name} | {:.1} % | {:.0} % | {:.0} % |",
            figures.moved * 100.0,
            before * 100.0,
            after * 100.0
        );
        let expected = match event {
            Event::LeaveFrom(..) => 0.10,
            _ => 0.01,
        };
        assert!(figures.moved < 2.0 * expected, "{name}: {}", figures.moved);
        assert!(after > before - 0.1 - expected, "{name}: {before} {after}");
    }
}

#[test]
fn a_node_that_hangs_delays_few_builds() {
    let event = [(BUILDS / 2, Event::Hangs(7))];
    let figures = run(Policy::Of(Placement::Pool), &event);
    let (before, after) = figures.hits_around(BUILDS / 2, 1000);
    println!(
        "\n| a node hangs after 5,000 builds | |\n|---|---|\n\
         | builds that ran on it | {}, built again elsewhere |\n\
         | builds that waited 2 s for it | {} of 5,000, by 50 clients |\n\
         | builds that were put on it afterwards | {} |\n\
         | cache hits before and after | {:.0} %, {:.0} % |",
        figures.lost,
        figures.delayed,
        figures.put_on_hanging,
        before * 100.0,
        after * 100.0
    );
    assert_eq!(figures.put_on_hanging, 0);
    // In 2,000 s each of the 50 clients tries the node again after 30 s, 60 s … 600 s.
    assert!(figures.delayed < 500, "{}", figures.delayed);
    assert!(figures.lost < 10, "{}", figures.lost);
    assert!(after > before - 0.1);
}

#[test]
fn clients_that_start_at_once_do_not_choose_the_same_node() {
    println!("\n| 500 builds begin at once, and see idle nodes | most on one of 100 nodes |");
    println!("|---|---|");
    let most = |contexts: usize, policy| {
        let world = World::new(NODES, policy);
        world.burst(500, contexts)
    };
    let pool = Policy::Of(Placement::Pool);
    for (name, contexts, policy) in [
        ("first, of 500 contexts", 500, Policy::Of(Placement::First)),
        ("pool, of 500 contexts", 500, pool),
        ("pool, of 50 contexts", 50, pool),
    ] {
        println!("| {name} | {} |", most(contexts, policy));
    }
    assert!(most(500, pool) <= 20);
    assert!(most(50, pool) <= 50);
}
