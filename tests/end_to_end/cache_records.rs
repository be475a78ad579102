//! `du` and `prune` on the real daemon, for the records of this test only.

use serde_json::Value;

use crate::support::{Finished, folder_of, solvekit, unique};

#[test]
fn records_are_listed_and_removed_by_what_they_are() {
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN echo {word} > /a\nRUN echo {word} >> /a\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    Finished::of(solvekit(["build"]).arg(context.path())).succeeded();

    let of_this_test = format!("description~={word}");
    let records = listed(&of_this_test);
    assert_eq!(records.len(), 2, "{records:?}");
    for record in &records {
        assert_eq!(record["Type"], "regular");
        assert_eq!(record["Reclaimable"], true);
        assert!(
            record["CreatedAt"]
                .as_str()
                .is_some_and(|at| at.starts_with("20"))
        );
    }
    let ids: Vec<&str> = records
        .iter()
        .filter_map(|record| record["ID"].as_str())
        .collect();
    let table = Finished::of(solvekit(["du", "--filter"]).arg(&of_this_test)).succeeded();
    assert!(table.stdout.starts_with("ID "), "{}", table.stdout);
    assert!(
        ids.iter().all(|id| table.stdout.contains(id)),
        "{}",
        table.stdout
    );
    let pretty = ["du", "--verbose", "--filter"];
    let pretty = Finished::of(solvekit(pretty).arg(&of_this_test)).succeeded();
    assert_eq!(pretty.stdout.matches("Description:").count(), 2);

    // Nobody says yes.
    let kept =
        Finished::of(solvekit(["prune", "--all", "--filter"]).arg(&of_this_test)).succeeded();
    assert!(
        kept.stderr.contains("nothing was removed"),
        "{}",
        kept.stderr
    );
    assert_eq!(listed(&of_this_test).len(), 2);

    // The second step's record is in the way of the first one's.
    for _ in 0..2 {
        for id in &ids {
            let filter = format!("id={id}");
            let pruned =
                Finished::of(solvekit(["prune", "-af", "--filter"]).arg(&filter)).succeeded();
            assert!(pruned.stdout.contains("Total:\t"), "{}", pruned.stdout);
        }
    }
    assert!(listed(&of_this_test).is_empty());
}

#[test]
fn the_sums_stand_below_the_whole_list() {
    let listed = Finished::of(&mut solvekit(["du"])).succeeded();
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("Total:\t")),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.starts_with("Reclaimable:\t")));
}

#[test]
fn a_wrong_filter_is_named_before_anything_is_removed() {
    Finished::of(&mut solvekit(["prune", "-f", "--filter", "until=soon"]))
        .failed_with(1, &["--filter \"until=soon\"", "until=24h"]);
    Finished::of(&mut solvekit(["du", "--filter", "=x"])).failed_with(1, &["it has no key"]);
}

fn listed(filter: &str) -> Vec<Value> {
    let run = Finished::of(solvekit(["du", "--format=json", "--filter"]).arg(filter)).succeeded();
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}
