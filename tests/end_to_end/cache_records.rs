//! `du` and `prune` on the real daemon, restricted to the records of this test.

use serde_json::Value;

use crate::support::{Finished, folder_of, prune_alone, solvekit, unique};

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

    // Nobody confirms.
    let kept =
        Finished::of(solvekit(["prune", "--all", "--filter"]).arg(&of_this_test)).succeeded();
    assert!(
        kept.stderr.contains("nothing was removed"),
        "{}",
        kept.stderr
    );
    assert_eq!(listed(&of_this_test).len(), 2);

    // The first step's record cannot be removed before the second's.
    for _ in 0..2 {
        for id in &ids {
            let filter = format!("id={id}");
            let _alone = prune_alone();
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

/// The records of this test that a prune would remove, in order.
fn planned(flags: &[&str]) -> Value {
    let mut run = solvekit(["prune", "--dry-run=json"]);
    let run = Finished::of(run.args(flags)).succeeded();
    serde_json::from_str::<Value>(&run.stdout).expect("JSON")["nodes"][0].take()
}

fn ids(records: &Value) -> Vec<String> {
    let records = records.as_array().expect("a list").iter();
    let ids = records.map(|record| record["id"].as_str().expect("an id").to_owned());
    ids.collect()
}

/// The ids in the first column, between the header and the total.
fn removed(table: &str) -> Vec<String> {
    let lines = table.lines().filter(|line| !line.starts_with("Total:"));
    let ids = lines
        .skip(1)
        .filter_map(|line| line.split_whitespace().next());
    ids.map(|id| id.trim_end_matches('*').to_owned()).collect()
}

/// Builds two chains of steps on one base step; returns the word in all their descriptions.
fn two_chains() -> String {
    let word = unique();
    for chain in ["one", "two"] {
        let run = |step: &str| format!("RUN echo {word} {chain} {step} > /{step}\n");
        let dockerfile = format!(
            "FROM alpine\nRUN echo {word} base > /base\n{}{}",
            run("first"),
            run("second")
        );
        let context = folder_of(&[("Dockerfile", &dockerfile)]);
        Finished::of(solvekit(["build"]).arg(context.path())).succeeded();
    }
    word
}

/// Builds two chains of steps; returns the filter for their records. It uses ids, because older
/// daemons have no descriptions during a prune.
fn chains_by_id() -> String {
    let records = listed(&format!("description~={}", two_chains()));
    let ids = records.iter().filter_map(|record| record["ID"].as_str());
    let ids: Vec<&str> = ids.map(|id| id.trim_end_matches('*')).collect();
    assert_eq!(ids.len(), 5, "{records:?}");
    format!("--filter=id=^({})$", ids.join("|"))
}

#[test]
fn a_dry_run_of_a_prune_says_what_the_prune_then_removes() {
    // A limit of one byte is never reached, so it shows the order.
    for limit in [None, Some("--reserved-space=1")] {
        let filter = chains_by_id();
        let flags: Vec<&str> = ["-a", &filter].into_iter().chain(limit).collect();
        let plan = planned(&flags);
        let mut expected = ids(&plan["records"]);
        assert_eq!(expected.len(), 5, "{plan}");
        let text = Finished::of(solvekit(["prune", "--dry-run"]).args(&flags)).succeeded();
        assert_eq!(removed(&text.stdout), expected);
        assert!(
            text.stderr.contains("nothing was removed"),
            "{}",
            text.stderr
        );

        let alone = prune_alone();
        let run = Finished::of(solvekit(["prune", "-f"]).args(&flags)).succeeded();
        drop(alone);
        let mut gone = removed(&run.stdout);
        // Among thousands of other records the plan does not claim to know the order.
        let doubts = plan["doubts"].as_array().expect("a list");
        if limit.is_none() || doubts.contains(&"estimated".into()) {
            gone.sort();
            expected.sort();
        }
        assert_eq!(gone, expected);
        let total = |text: &str| text.lines().last().map(str::to_owned);
        assert_eq!(total(&run.stdout), total(&text.stdout));
        assert_eq!(planned(&flags)["records"], Value::Array(Vec::new()));
    }
}

#[test]
fn a_dry_run_of_a_prune_counts_what_stays_and_why() {
    let filter = chains_by_id();
    let plan = planned(&["-a", &filter, "--reserved-space=100tb"]);
    assert_eq!(plan["records"], Value::Array(Vec::new()));
    assert_eq!(
        (&plan["kept"]["withinLimits"], &plan["kept"]["parents"]),
        (&2.into(), &3.into())
    );
    let young = planned(&["-a", &filter, "--filter=until=1h"]);
    assert_eq!(young["records"], Value::Array(Vec::new()));
    let disk = planned(&["-a", &filter, "--min-free-space=1"]);
    let doubts = disk["doubts"].as_array().expect("a list");
    assert!(doubts.contains(&"free-space-unknown".into()), "{disk}");
    let all = planned(&["--filter=inuse"]);
    assert_eq!(
        all["records"],
        Value::Array(Vec::new()),
        "a prune does not know this field"
    );
}

#[test]
fn the_tree_has_the_steps_of_a_build_below_each_other() {
    let word = unique();
    let dockerfile = format!(
        "FROM alpine AS base\nRUN echo {word} base > /base\nFROM base AS one\nRUN \
         --mount=type=cache,target=/c echo {word} > /one\nCOPY a /{word}\nFROM base AS two\nCOPY \
         --from=one /one /{word}-two\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile), ("a", "a")]);
    let path = context.path().to_str().expect("UTF-8");
    Finished::of(&mut solvekit(["build", path])).succeeded();
    Finished::of(&mut solvekit(["build", "--target=one", path])).succeeded();

    let mut tree = solvekit(["du", "--tree", "--format=json"]);
    let tree = Finished::of(&mut tree).succeeded();
    let tree: Value = serde_json::from_str(&tree.stdout).expect("JSON");
    let node = &tree["nodes"][0];
    let records = node["records"].as_array().expect("a list");
    let line = |step: &str| {
        let has = |line: &&Value| line["step"].as_str().is_some_and(|it| it == step);
        records
            .iter()
            .find(has)
            .unwrap_or_else(|| panic!("{step} is missing"))
    };
    let base = line(&format!("[base 2/2] RUN echo {word} base > /base"));
    let one = line(&format!(
        "[one 1/2] RUN --mount=type=cache,target=/c echo {word} > /one"
    ));
    let copy = line(&format!("[one 2/2] COPY a /{word}"));
    let two = line(&format!("[two 1/1] COPY --from=one /one /{word}-two"));
    assert_eq!(
        (&base["stage"], &base["children"]),
        (&"base".into(), &2.into())
    );
    assert_eq!(
        (&one["stage"], &two["stage"]),
        (&"one".into(), &"two".into())
    );
    assert_eq!(copy["depth"], one["depth"]);
    assert_eq!(
        one["depth"].as_u64(),
        base["depth"].as_u64().map(|it| it + 1)
    );
    // The step that both builds share.
    let mut builds: Vec<&str> = base["builds"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    builds.sort_unstable();
    assert_eq!(builds, [path, &format!("{path} (stage one)")]);
    assert_eq!(two["builds"], serde_json::json!([path]));
    let prunes = node["prunes"].as_array().expect("a list");
    assert_eq!(prunes[1]["command"], "solvekit prune --all");

    let text = Finished::of(&mut solvekit(["du", "--tree"]))
        .succeeded()
        .stdout;
    for part in [
        &format!("  └ [two 1/1] COPY --from=one /one /{word}-two"),
        "shared by 2 branches",
        "What a prune would free:",
        &format!("  {path} (stage one): "),
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    Finished::of(&mut solvekit(["du", "--tree", "--format={{.ID}}"]))
        .failed_with(1, &["--tree cannot be printed as \"{{.ID}}\""]);
}
