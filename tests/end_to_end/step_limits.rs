//! `--max-parallel-steps`: limits the concurrent steps, and otherwise changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::nodes::Both;
use crate::shared_cache::prune;
use crate::support::{Finished, Running, folder_of, keep_cache, prune_alone, solvekit, unique};

/// Stages that take a second each, and an image of all of them. A step that runs prints a text that
/// its command does not contain.
fn stages(count: usize, word: &str) -> String {
    let mut text = String::new();
    let mut last = "FROM alpine\n".to_owned();
    for stage in 0..count {
        text.push_str(&format!(
            "FROM alpine AS s{stage}\nRUN sleep 1; echo {word} {stage} > /f && echo \
             {word}-step-$((1+1))\n"
        ));
        last.push_str(&format!("COPY --from=s{stage} /f /f{stage}\n"));
    }
    text + &last
}

fn limited(context: &Path, most: usize, more: &[&str]) -> Command {
    let most = format!("--max-parallel-steps={most}");
    let mut command = solvekit(["build", "--progress=rawjson", &most]);
    command.args(more).arg(context);
    command
}

/// The times when steps with a word in their names ran, by their names and digests.
fn times(log: &str, word: &str) -> BTreeMap<(String, String), BTreeSet<(String, String)>> {
    let mut times: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in log.lines() {
        let Ok(update) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        for vertex in update["vertexes"].as_array().into_iter().flatten() {
            let text = |key: &str| vertex[key].as_str().unwrap_or_default().to_owned();
            let is_done = !text("completed").is_empty() && vertex["cached"] != true;
            if text("name").contains(word) && is_done {
                let key = (text("name"), text("digest"));
                times
                    .entry(key)
                    .or_default()
                    .insert((text("started"), text("completed")));
            }
        }
    }
    times
}

/// The most steps that ran at the same time. Times of one daemon can be compared as text.
fn most_at_once(log: &str, word: &str) -> usize {
    let times: Vec<(String, String)> = times(log, word).into_values().flatten().collect();
    let at = |time: &str| {
        times
            .iter()
            .filter(|it| it.0.as_str() <= time && *time < *it.1)
            .count()
    };
    times.iter().map(|it| at(&it.0)).max().unwrap_or_default()
}

#[test]
fn no_more_steps_run_at_once_than_the_limit() {
    let _cache = keep_cache();
    for (most, expected) in [(1, 1), (2, 2), (100, 6)] {
        let word = unique();
        let context = folder_of(&[("Dockerfile", &stages(6, &word))]);
        let log = Finished::of(&mut limited(context.path(), most, &[]))
            .succeeded()
            .stderr;
        assert_eq!(times(&log, &word).len(), 6, "{log}");
        assert_eq!(most_at_once(&log, &word), expected, "{log}");
        // The steps are those of a build without a limit.
        let mut again = solvekit(["build", "--progress=plain"]);
        let again = Finished::of(again.arg(context.path())).succeeded().stderr;
        assert_not_run_of(&again, &word);
    }
}

#[track_caller]
fn assert_not_run_of(log: &str, word: &str) {
    assert!(log.contains(word), "the steps are missing:\n{log}");
    assert!(
        !log.contains(&format!("{word}-step-2")),
        "a step ran:\n{log}"
    );
}

#[test]
fn the_steps_of_all_platforms_count_and_each_is_shown_once() {
    let word = unique();
    let context = folder_of(&[("Dockerfile", &stages(2, &word))]);
    let platforms = ["--platform=linux/amd64,linux/arm64"];
    let log = Finished::of(&mut limited(context.path(), 1, &platforms))
        .succeeded()
        .stderr;
    assert_eq!(times(&log, &word).len(), 4, "{log}");
    assert_eq!(most_at_once(&log, &word), 1, "{log}");

    let word = unique();
    let context = folder_of(&[("Dockerfile", &stages(2, &word))]);
    let mut plain = solvekit(["build", "--progress=plain", "--max-parallel-steps=1"]);
    let run = Finished::of(plain.args(platforms).arg(context.path())).succeeded();
    for platform in ["amd64", "arm64"] {
        let name = format!(" [linux/{platform} s1 2/2] RUN sleep 1; echo {word}");
        assert_eq!(run.steps_named(&name), 1, "{}", run.stderr);
    }
}

#[test]
fn targets_of_a_bake_file_share_the_limit() {
    let words = [unique(), unique()];
    let files = words.each_ref().map(|word| stages(2, word));
    let bake = "group default { targets = [\"a\", \"b\"] }\n\
                target a { dockerfile = \"a\" }\ntarget b { dockerfile = \"b\" }\n"
        .replace("group default", "group \"default\"")
        .replace("target a", "target \"a\"")
        .replace("target b", "target \"b\"");
    let context = folder_of(&[
        ("a", &files[0]),
        ("b", &files[1]),
        ("docker-bake.hcl", &bake),
    ]);
    let mut command = solvekit(["bake", "--progress=rawjson", "--max-parallel-steps=1"]);
    let log = Finished::of(command.current_dir(context.path()))
        .succeeded()
        .stderr;
    assert_eq!(times(&log, "RUN sleep 1").len(), 4, "{log}");
    assert_eq!(most_at_once(&log, "RUN sleep 1"), 1, "{log}");
}

#[test]
fn a_step_that_the_build_does_not_need_is_not_run() {
    let word = unique();
    let dockerfile = format!(
        "FROM alpine AS files\nRUN echo {word} > /f && echo {word}-step-$((1+1))\nFROM \
         alpine\nCOPY --from=files /f /{word}\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    // `--load` commits all layers; other layers can be removed by another test's prune.
    let tag = format!("step-limits:{word}");
    let mut build = solvekit(["build", "--load", "--tag", &tag]);
    Finished::of(build.arg(context.path())).succeeded();
    // The daemon has the copied files, but not the step that made them.
    forget(&format!("exec /bin/sh -c echo {word} "));
    let more = format!("{dockerfile}RUN echo more {word}\n");
    std::fs::write(context.path().join("Dockerfile"), more).expect("it can be written");
    let log = Finished::of(&mut limited(context.path(), 1, &[]))
        .succeeded()
        .stderr;
    assert_eq!(times(&log, "RUN echo more").len(), 1, "{log}");
    assert!(times(&log, &format!("RUN echo {word}")).is_empty(), "{log}");
}

/// Removes the record with this text in its description.
pub(super) fn forget(description: &str) {
    let filter = format!("description~=\"{description}\"");
    let listed = Finished::of(&mut solvekit([
        "du",
        "--format={{.ID}}",
        "--filter",
        &filter,
    ]));
    let ids: Vec<String> = listed
        .succeeded()
        .stdout
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let filter = format!("id={}", ids[0]);
    let _alone = prune_alone();
    let pruned = Finished::of(&mut solvekit(["prune", "-af", "--filter", &filter])).succeeded();
    assert!(pruned.stdout.contains(&ids[0]), "{}", pruned.stdout);
}

#[test]
fn without_a_cache_each_step_runs_once() {
    let word = unique();
    let context = folder_of(&[("Dockerfile", &stages(2, &word))]);
    Finished::of(solvekit(["build"]).arg(context.path())).succeeded();
    let mut command = solvekit(["build", "--progress=plain", "--max-parallel-steps=1"]);
    let command = command.arg("--no-cache").arg(context.path());
    let log = Finished::of(command).succeeded().stderr;
    assert_eq!(log.matches(&format!("{word}-step-2")).count(), 2, "{log}");
}

#[test]
fn a_failure_is_that_of_a_build_without_a_limit() {
    let word = unique();
    let dockerfile = stages(2, &word).replace("sleep 1", "sleep 0; [ -e /x ] || exit 7");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let failed = Finished::of(
        solvekit(["build", "--progress=plain", "--max-parallel-steps=1"]).arg(context.path()),
    );
    let failed = failed.failed_with(1, &["exit code: 7", ">>> RUN sleep 0;", "Dockerfile:2"]);
    assert!(!failed.stderr.contains("dry-run"), "{}", failed.stderr);
}

#[test]
fn ctrl_c_ends_it() {
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN echo {word}-$((1+1)); sleep 600\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut command = solvekit(["build", "--progress=plain", "--max-parallel-steps=1"]);
    let mut run = Running::start(command.arg(context.path()));
    run.until(&format!("{word}-2"));
    run.interrupt();
    run.wait().failed_with(130, &[]);
}

#[test]
fn an_imported_cache_counts() {
    let word = unique();
    let context: TempDir = folder_of(&[("Dockerfile", &stages(2, &word))]);
    let cache = folder_of(&[]);
    let at = cache.path().display();
    let to = format!("--cache-to=type=local,dest={at},mode=max");
    Finished::of(solvekit(["build", &to]).arg(context.path())).succeeded();
    prune(&word);
    let mut again = solvekit(["build", "--progress=plain", "--max-parallel-steps=1"]);
    again
        .arg(format!("--cache-from=type=local,src={at}"))
        .arg(context.path());
    let log = Finished::of(&mut again).succeeded().stderr;
    assert_not_run_of(&log, &word);
}

#[test]
fn a_limit_is_at_least_one_and_may_be_huge() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    for wrong in ["0", "-1", "65536", "many"] {
        let flag = format!("--max-parallel-steps={wrong}");
        let built = Finished::of(solvekit(["build", &flag]).arg(context.path()));
        built.failed_with(1, &["--max-parallel-steps"]);
    }
    Finished::of(&mut limited(context.path(), 65535, &[])).succeeded();
}

#[test]
fn the_steps_of_two_nodes_run_once_each() {
    let (word, both) = (unique(), Both::new());
    let context = folder_of(&[("Dockerfile", &stages(2, &word))]);
    let mut build = both.home.solvekit(&["build", "--progress=plain"]);
    build.env("BUILDX_BUILDER", "both");
    build.args([
        "--platform=linux/amd64,linux/arm64",
        "--max-parallel-steps=1",
    ]);
    let run = Finished::of(build.arg(context.path())).succeeded();
    for platform in ["amd64", "arm64"] {
        for stage in 0..2 {
            let name = format!(" [linux/{platform} s{stage} 2/2] RUN sleep 1; echo {word}");
            assert_eq!(run.steps_named(&name), 1, "{}", run.stderr);
        }
    }
    let ran = run.stderr.matches(&format!("{word}-step-2")).count();
    assert_eq!(ran, 4, "{}", run.stderr);
}
