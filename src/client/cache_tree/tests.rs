//! Trees of small caches, and of generated ones.

use std::collections::HashSet;

use proptest::prelude::*;
use solvekit_core::explain::{Graph, Kind, Step, description_hash};

use super::*;

fn record(id: &str, description: &str, parents: &[&str]) -> CacheRecord {
    CacheRecord {
        id: id.to_owned(),
        mutable: false,
        in_use: false,
        size: 10,
        parents: parents.iter().map(|&it| it.to_owned()).collect(),
        created_at: None,
        last_used_at: None,
        usage_count: 1,
        description: description.to_owned(),
        kind: "regular".to_owned(),
        shared: false,
    }
}

fn run(command: &str) -> String {
    format!("mount / from exec /bin/sh -c {command}")
}

fn step(name: &str, description: &str, kind: Kind, inputs: &[usize]) -> Step {
    Step {
        name: name.to_owned(),
        described: description_hash(description),
        kind,
        inputs: inputs.to_vec(),
        ..Step::default()
    }
}

fn build(name: &str, steps: Vec<Step>) -> Record {
    Record {
        name: name.to_owned(),
        graphs: vec![Graph {
            steps,
            ..Graph::default()
        }],
        ..Record::default()
    }
}

/// An image, a step on it, and two stages that are based on that step.
fn cache() -> Vec<CacheRecord> {
    vec![
        record("image", "pulled from docker.io/library/alpine:latest", &[]),
        record("make", &run("make"), &["image"]),
        record("test", &run("test"), &["make"]),
        record("copy", "[last 2/2] COPY . .", &["make"]),
        record("more", "[last 2/2] COPY more .", &["copy"]),
        record("cache", "cached mount /cache", &[]),
    ]
}

fn shown(tree: &CacheTree) -> Vec<String> {
    let lines = tree.lines.iter();
    let lines = lines.map(|line| format!("{}{}", "-".repeat(line.depth), line.step));
    lines.collect()
}

#[test]
fn a_branch_is_one_step_further_in_and_a_chain_is_not() {
    let tree = CacheTree::new(cache(), &[]);
    assert_eq!(
        shown(&tree),
        [
            "layer of docker.io/library/alpine:latest",
            "RUN make",
            "-[last 2/2] COPY . .",
            "-[last 2/2] COPY more .",
            "-RUN test",
            "cached mount /cache",
        ]
    );
    assert_eq!(tree.lines[0].bytes_below, 50);
    assert_eq!(tree.lines[1].children, 2);
    assert_eq!(tree.lines[2].stage.as_deref(), Some("last"));
    assert!(tree.lines[2].begins_branch && !tree.lines[3].begins_branch);
}

#[test]
fn steps_are_those_of_known_builds_with_the_same_steps_before() {
    let alpine = || step("FROM alpine", "", Kind::Image, &[]);
    let make = || step("[build 1/2] RUN make", &run("make"), Kind::Run, &[0]);
    let test = |input| step("[build 2/2] RUN test", &run("test"), Kind::Run, &[input]);
    let mut other = test(1);
    other.name = "[other 2/2] RUN test".to_owned();
    let builds = [
        // This build's test follows another step, which is not in the cache.
        build(
            "elsewhere",
            vec![alpine(), step("", &run("x"), Kind::Run, &[0]), other],
        ),
        build("app", vec![alpine(), make(), test(1)]),
        build("lib", vec![alpine(), make()]),
    ];
    let tree = CacheTree::new(cache(), &builds);
    let line = |id: &str| tree.lines.iter().find(|line| line.record.id == id).unwrap();
    assert_eq!(line("test").step, "[build 2/2] RUN test");
    assert_eq!(line("test").stage.as_deref(), Some("build"));
    assert_eq!(line("test").builds, [0]);
    assert_eq!(line("image").builds, [0, 1]);
    let builds: Vec<_> = tree.builds.iter().collect();
    let of = |at: usize| {
        (
            builds[at].name.as_str(),
            builds[at].records,
            builds[at].own_bytes,
        )
    };
    assert_eq!(
        (builds.len(), of(0), of(1)),
        (2, ("app", 3, 10), ("lib", 2, 0))
    );
}

proptest! {
    #[test]
    fn every_record_has_one_place(
        parents in prop::collection::vec(prop::collection::vec(0..15usize, 0..3), 0..15),
    ) {
        let count = parents.len();
        let records = parents.into_iter().enumerate().map(|(at, parents)| {
            let parents: Vec<String> = parents.iter().map(usize::to_string).collect();
            let mut record = record(&at.to_string(), "x", &[]);
            record.parents = parents;
            record
        });
        let tree = CacheTree::new(records.collect(), &[]);
        let ids: HashSet<&str> = tree.lines.iter().map(|line| line.record.id.as_str()).collect();
        prop_assert_eq!(ids.len(), count);
        prop_assert_eq!(tree.lines.len(), count);
    }

    #[test]
    fn stages_are_read_of_any_name(name in "[\\[\\] a-c/0-9]{0,12}") {
        let _ = names::stage(&name);
    }
}
