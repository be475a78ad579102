//! The cache is shared with docker-buildx: each finds the steps that the other one has built.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use solvekit::client::{Address, Client, ConnectOptions, PruneOptions};
use tempfile::TempDir;
use tokio_stream::StreamExt as _;

use crate::support::{
    Engine, Finished, Pushed, buildx, folder_of, keep_cache, prune_alone, solvekit, unique,
};

/// Steps of many kinds (except HEALTHCHECK, whose text in the history depends on BuildKit's
/// version). `WORD` is new in each test, so that nothing else has built them.
const DOCKERFILE: &str = r#"ARG BASE=alpine
FROM ${BASE} AS files
ARG TARGETARCH
ENV WORD=WORD PLACE=/srv
WORKDIR $PLACE/app
COPY --chmod=0640 a.txt nested ./
RUN --mount=type=cache,target=/cache echo "$WORD $TARGETARCH" > out
COPY <<EOF /etc/motd
WORD
EOF

FROM ${BASE}
LABEL word="WORD"
ADD nested/b.txt /b-WORD
COPY --from=files /srv/app/out /etc/motd /result/
RUN --mount=type=bind,target=/context <<EOF
set -e
cat /context/a.txt > /last
echo WORD >> /last
EOF
USER 1000:1000
ENTRYPOINT ["cat"]
CMD ["/last"]
"#;

const PLATFORMS: &str = "linux/amd64,linux/arm64";

#[test]
fn what_docker_buildx_built_is_cached_here() {
    let _cache = keep_cache();
    let (context, names) = case();
    succeeded(buildx(push(&names[0], &context)));
    let here = succeeded(solvekit(push(&names[1], &context)));
    assert_all_cached(&here);
    assert_same(&names);
}

#[test]
fn what_was_built_here_is_cached_for_docker_buildx() {
    let _cache = keep_cache();
    let (context, names) = case();
    succeeded(solvekit(push(&names[0], &context)));
    let there = succeeded(buildx(push(&names[1], &context)));
    assert_all_cached(&there);
    assert_same(&names);
}

#[test]
fn a_registry_cache_of_docker_buildx_serves_a_pruned_daemon_here() {
    registry_cache(buildx, solvekit);
}

#[test]
fn a_registry_cache_made_here_serves_a_pruned_daemon_there() {
    registry_cache(solvekit, buildx);
}

#[test]
fn an_inline_cache_serves_a_pruned_daemon() {
    let (context, word) = runs();
    let name = format!("{}:latest", Engine::get().name("inline"));
    let mut first = solvekit(push(&name, &context));
    first.args(["--cache-to", "type=inline"]);
    assert_run(&succeeded(first), &word);
    prune(&word);
    let mut second = solvekit(build(&context));
    second.args(["--cache-from", &name]);
    assert_not_run(&succeeded(second), &word);
}

#[test]
fn a_local_cache_serves_a_pruned_daemon() {
    local_cache(solvekit, solvekit);
}

#[test]
fn a_local_cache_of_docker_buildx_serves_a_pruned_daemon_here() {
    local_cache(buildx, solvekit);
}

#[test]
fn a_local_cache_made_here_serves_a_pruned_daemon_there() {
    local_cache(solvekit, buildx);
}

#[test]
fn a_local_cache_keeps_what_has_other_tags() {
    let ((first, one), (second, two)) = (runs(), runs());
    let folder = folder_of(&[]);
    let cache =
        |what: &str, tag: &str| format!("type=local,{what}={},tag={tag}", folder.path().display());
    for (context, word, tag) in [(&first, &one, "one"), (&second, &two, "two")] {
        let mut command = solvekit(build(context));
        // A missing cache is not an error.
        command.args(["--cache-from", &cache("src", tag)]);
        command.args(["--cache-to", &format!("{},mode=max", cache("dest", tag))]);
        let log = succeeded(command);
        assert_run(&log, word);
        assert!(log.contains("is not imported: "), "{log}");
    }
    prune(&one);
    let mut command = solvekit(build(&first));
    command.args(["--cache-from", &cache("src", "one")]);
    assert_not_run(&succeeded(command), &one);
}

fn registry_cache(writer: fn(Vec<String>) -> Command, reader: fn(Vec<String>) -> Command) {
    let cache = format!("type=registry,ref={}", Engine::get().name("cache"));
    serves_a_pruned_daemon(writer, reader, [&cache, &cache]);
}

fn local_cache(writer: fn(Vec<String>) -> Command, reader: fn(Vec<String>) -> Command) {
    let folder = folder_of(&[]);
    let path = folder.path().join("cache of one build");
    let cache = |what: &str| format!("type=local,{what}={}", path.display());
    serves_a_pruned_daemon(writer, reader, [&cache("dest"), &cache("src")]);
}

fn serves_a_pruned_daemon(
    writer: fn(Vec<String>) -> Command,
    reader: fn(Vec<String>) -> Command,
    [to, from]: [&str; 2],
) {
    let (context, word) = runs();
    let mut first = writer(build(&context));
    first.arg(format!("--cache-to={to},mode=max"));
    assert_run(&succeeded(first), &word);
    prune(&word);
    let mut second = reader(build(&context));
    second.arg(format!("--cache-from={from}"));
    assert_not_run(&succeeded(second), &word);
}

/// A context with files, and the names of two images.
fn case() -> (TempDir, [String; 2]) {
    let dockerfile = DOCKERFILE.replace("WORD", &unique());
    let context = folder_of(&[
        ("Dockerfile", &dockerfile),
        ("a.txt", &unique()),
        ("nested/b.txt", &unique()),
        ("ignored.log", "x"),
        (".dockerignore", "*.log\n"),
    ]);
    let engine = Engine::get();
    let names = ["there", "here"].map(|what| format!("{}:latest", engine.name(what)));
    (context, names)
}

/// A context whose steps all have a word in their cache records, so that exactly these can be
/// pruned. A step that runs prints a text that its command does not contain.
fn runs() -> (TempDir, String) {
    let word = unique();
    let dockerfile = format!(
        "FROM alpine\nRUN echo {word} > /first && echo {word}-step-$((0+1))\nRUN echo {word} >> \
         /first && mv /first /second && echo {word}-step-$((1+1))\n"
    );
    (folder_of(&[("Dockerfile", &dockerfile)]), word)
}

/// The output of the steps of [`runs`].
fn outputs(word: &str) -> [String; 2] {
    [1, 2].map(|step| format!("{word}-step-{step}"))
}

#[track_caller]
fn assert_run(log: &str, word: &str) {
    for output in outputs(word) {
        assert!(log.contains(&output), "{output} is missing:\n{log}");
    }
}

/// `CACHED` in the log is not reliable: the daemon shows a step again as done when it fetches its
/// layers from the cache.
#[track_caller]
pub(super) fn assert_not_run(log: &str, word: &str) {
    for output in outputs(word) {
        assert!(!log.contains(&output), "{output} was run:\n{log}");
    }
    assert!(log.contains(word), "the steps are missing:\n{log}");
}

fn build(context: &TempDir) -> Vec<String> {
    let path = context.path().display().to_string();
    vec!["build".into(), "--progress=plain".into(), path]
}

fn push(name: &str, context: &TempDir) -> Vec<String> {
    let mut arguments = build(context);
    arguments.extend(["--platform", PLATFORMS, "--push", "-t", name].map(str::to_owned));
    arguments
}

#[track_caller]
fn succeeded(mut command: Command) -> String {
    Finished::of(&mut command).succeeded().stderr
}

/// Checks that every step of a stage is cached: `#7 [linux/amd64 files 2/5] WORKDIR /srv` is
/// followed by `#7 CACHED`. The first step of a stage is its base image, which is looked up.
#[track_caller]
pub(super) fn assert_all_cached(log: &str) {
    let mut steps = 0;
    for line in log.lines() {
        let Some((number, name)) = line.split_once(" [") else {
            continue;
        };
        let Some((place, _)) = name.split_once(']') else {
            continue;
        };
        let step = place
            .rsplit(' ')
            .next()
            .and_then(|step| step.split_once('/'));
        let Some((step, _)) =
            step.filter(|(step, all)| step.parse::<u32>().is_ok() && all.parse::<u32>().is_ok())
        else {
            continue;
        };
        if step == "1" {
            continue;
        }
        steps += 1;
        assert!(
            log.lines().any(|line| line == format!("{number} CACHED")),
            "{line} was not cached:\n{log}"
        );
    }
    assert!(steps >= 2, "there are no steps in:\n{log}");
}

/// Checks that both images have the same layers, and configs that differ only in times.
#[track_caller]
fn assert_same(names: &[String; 2]) {
    let [first, second] = names.each_ref().map(|name| Pushed::fetch(name));
    assert_eq!(first.platforms(), second.platforms());
    for platform in first.platforms() {
        assert_eq!(
            first.manifest(&platform)["layers"],
            second.manifest(&platform)["layers"],
            "{platform}"
        );
        let [first, second] = [&first, &second].map(|image| timeless(image.config(&platform)));
        assert_eq!(first, second, "{platform}");
    }
}

fn timeless(mut config: Value) -> Value {
    config["created"] = Value::Null;
    for entry in config["history"].as_array_mut().expect("a history") {
        entry["created"] = Value::Null;
    }
    config
}

/// Removes the records of this test's steps only.
#[track_caller]
pub(super) fn prune(word: &str) {
    let _alone = prune_alone();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let address = Address::parse(&Engine::get().host).expect("an address");
        let client = Client::connect(&ConnectOptions::new(address))
            .await
            .expect("a daemon");
        let filters = [format!("description~=\"{word}\"")];
        let records = || async {
            let listed = client.disk_usage(&filters, Duration::ZERO).await;
            let records = listed.expect("it lists").into_iter();
            // Older daemons have no descriptions during a prune.
            records
                .map(|record| format!("id=={}", record.id))
                .collect::<Vec<_>>()
        };
        let mut left = records().await;
        assert!(left.len() >= 2, "there is nothing to prune");
        // A cancelled build holds its records for a moment.
        let deadline = Instant::now() + Duration::from_secs(15);
        while !left.is_empty() {
            assert!(Instant::now() < deadline, "records are left: {left:?}");
            let options = PruneOptions {
                all: true,
                filters: left,
                ..PruneOptions::default()
            };
            let removed = client.prune(&options).await.expect("it prunes");
            let removed: Result<Vec<_>, _> = removed.collect().await;
            removed.expect("it prunes");
            tokio::time::sleep(Duration::from_millis(100)).await;
            left = records().await;
        }
    });
}
