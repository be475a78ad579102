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

#[test]
fn records_are_printed_by_a_template_with_buildx_s_names_and_times() {
    let word = unique();
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM alpine\nRUN echo {word} > /a\n"),
    )]);
    Finished::of(solvekit(["build"]).arg(context.path())).succeeded();
    let filter = format!("description~={word}");
    let du = |format: &str| {
        let mut du = solvekit(["du", "--filter", &filter, "--format", format]);
        Finished::of(&mut du).succeeded().stdout
    };
    let json: Value = serde_json::from_str(&du("json")).expect("one object");
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    let all = [
        "CreatedAt",
        "Description",
        "ID",
        "LastUsedAt",
        "Mutable",
        "Parents",
        "Reclaimable",
        "Shared",
        "Size",
        "Type",
        "UsageCount",
    ];
    assert_eq!(keys, all);
    let created = json["CreatedAt"].as_str().expect("text");
    assert!(created.ends_with(" +0000 UTC"), "{created}");
    assert_eq!(json["Parents"].as_array().map(Vec::len), Some(1), "{json}");

    let id = json["ID"].as_str().expect("text");
    assert_eq!(du("{{.ID}} {{.Type}}"), format!("{id} regular\n"));
    let table = du("table {{.Type}}\\t{{.Shared}}");
    assert!(table.starts_with("TYPE      SHARED\nregular   "), "{table}");
    let pretty = du("pretty");
    assert!(pretty.contains("\nParents:\n - "), "{pretty}");
    let mut wrong = solvekit(["du", "--format", "{{.Nope}}"]);
    Finished::of(&mut wrong).failed_with(1, &["Nope"]);
}

#[test]
fn workers_are_printed_by_buildctl_s_templates() {
    let format =
        "{{range .}}{{.ID}} {{(index .Platforms 0).OS}} {{.BuildkitVersion.Package}}{{end}}";
    let printed = Finished::of(&mut solvekit(["workers", "--format", format])).succeeded();
    let words: Vec<&str> = printed.stdout.split_whitespace().collect();
    assert!(words.len() >= 2 && words[1] == "linux", "{words:?}");
    let json = Finished::of(&mut solvekit(["workers", "--format", "{{json .}}"])).succeeded();
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json[0]["id"], words[0]);
}

fn listed(filter: &str) -> Vec<Value> {
    let run = Finished::of(solvekit(["du", "--format=json", "--filter"]).arg(filter)).succeeded();
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}
