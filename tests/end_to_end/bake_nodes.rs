//! `solvekit bake` on a builder with two nodes.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::nodes::Both;
use crate::support::{
    Engine, Finished, Pushed, Running, folder_of, keep_cache, prune_alone, unique,
};

const TWO: &str = r#"platforms = ["linux/amd64", "linux/arm64"]"#;

fn bake(both: &Both, folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = both.home.solvekit(&["bake", "--progress=plain"]);
    command.env("BUILDX_BUILDER", "both").args(arguments);
    command.current_dir(folder.path());
    command
}

#[test]
fn targets_of_several_platforms_are_pushed_as_one_index_each() {
    let both = Both::new();
    let names = ["one", "two"].map(|item| format!("{}:latest", Engine::get().name(item)));
    let word = unique();
    let folder = folder_of(&[
        (
            "Dockerfile",
            "FROM base\nARG ITEM TARGETARCH\nRUN echo $ITEM $TARGETARCH $(cat /base) > /word\n",
        ),
        ("base/Dockerfile", "FROM alpine\nCOPY word /base\n"),
        ("base/word", &word),
        (
            "docker-bake.hcl",
            &format!(
                r#"
                group "default" {{ targets = ["one", "two"] }}
                target "base" {{
                  context = "base"
                  {TWO}
                }}
                target "one" {{
                  contexts = {{ base = "target:base" }}
                  args = {{ ITEM = "one" }}
                  tags = ["{}"]
                  {TWO}
                }}
                target "two" {{
                  inherits = ["one"]
                  args = {{ ITEM = "two" }}
                  tags = ["{}"]
                }}
                "#,
                names[0], names[1]
            ),
        ),
    ]);
    let file = folder.path().join("metadata.json");
    let arguments = ["--push", "--metadata-file", file.to_str().expect("text")];
    Finished::of(&mut bake(&both, &folder, &arguments)).succeeded();
    let metadata: Value = read(&file);
    for (item, name) in ["one", "two"].iter().zip(&names) {
        let pushed = Pushed::fetch(name);
        for architecture in ["amd64", "arm64"] {
            let found = pushed.file(&format!("linux/{architecture}"), "/word");
            assert_eq!(found, format!("{item} {architecture} {word}\n"));
        }
        let digest = &metadata[*item]["containerimage.digest"];
        assert_eq!(digest, pushed.digest.as_str());
        let references = metadata[*item]["buildx.build.refs"].as_array();
        assert_eq!(references.map(Vec::len), Some(2), "{metadata}");
    }
    // The builds of all targets on both nodes are in one group.
    let groups = both.home.file("refs/__group__");
    let group = std::fs::read_dir(groups).expect("a folder").next();
    let group = group.expect("a group").expect("it can be read");
    let state = read(&group.path());
    let references = state["Refs"].as_array().expect("a list");
    assert_eq!(references.len(), 6, "{state}");
    for reference in references {
        let reference = reference.as_str().expect("text");
        let build = read(&both.home.file("refs").join(reference));
        assert_eq!(build["GroupRef"], group.file_name().to_str().expect("text"));
    }
}

/// Returns a Dockerfile, as a string of HCL, that writes the secret `id` after a word to `/id`.
fn of_secret(word: &str, id: &str, then: &str) -> String {
    format!(
        "FROM alpine\\nRUN --mount=type=secret,id={id},required echo {word} $(cat \
         /run/secrets/{id}) > /{id}; {then}\\n"
    )
}

fn assert_word_on_both(name: &str, expected: &str) {
    let pushed = Pushed::fetch(name);
    for platform in ["linux/amd64", "linux/arm64"] {
        assert_eq!(pushed.file(platform, "/word"), expected, "{platform}");
    }
}

#[test]
fn a_linked_target_s_secret_is_served_on_every_node() {
    // The target that links to the other one has its secret's step from the cache.
    let _cache = keep_cache();
    let both = Both::new();
    let name = format!("{}:latest", Engine::get().name("secret-nodes"));
    let word = unique();
    let base = of_secret(&word, "s", "true");
    let app = "FROM base\\nRUN --mount=type=secret,id=s test ! -e /run/secrets/s && cp /s /word\\n";
    let folder = folder_of(&[(
        "docker-bake.hcl",
        &format!(
            r#"
            target "base" {{
              dockerfile-inline = "{base}"
              secret = ["id=s,env=HIDDEN"]
              {TWO}
            }}
            target "default" {{
              dockerfile-inline = "{app}"
              contexts = {{ base = "target:base" }}
              tags = ["{name}"]
              {TWO}
            }}
            "#
        ),
    )]);
    let done = Finished::of(bake(&both, &folder, &["--push"]).env("HIDDEN", "hush"));
    let done = done.succeeded();
    assert!(!done.stderr.contains("hush"), "{}", done.stderr);
    assert_word_on_both(&name, &format!("{word} hush\n"));
}

#[test]
fn the_steps_of_a_linked_target_are_not_pruned_before_the_others_use_them() {
    let both = Both::new();
    let (word, name) = (unique(), format!("{}:latest", Engine::get().name("held")));
    let app =
        "FROM base\\nCOPY --from=slow /t /t\\nRUN --mount=type=secret,id=s cat /s /t > /word\\n";
    let folder = folder_of(&[(
        "docker-bake.hcl",
        &format!(
            r#"
            target "base" {{
              dockerfile-inline = "{base}"
              secret = ["id=s,env=HIDDEN"]
              {TWO}
            }}
            target "slow" {{
              dockerfile-inline = "{slow}"
              secret = ["id=t,env=HIDDEN"]
              {TWO}
            }}
            target "default" {{
              dockerfile-inline = "{app}"
              contexts = {{ base = "target:base", slow = "target:slow" }}
              tags = ["{name}"]
              {TWO}
            }}
            "#,
            base = of_secret(&word, "s", "true"),
            slow = of_secret(&word, "t", "echo it is slow; sleep 8"),
        ),
    )]);
    let mut run = Running::start(bake(&both, &folder, &["--push"]).env("HIDDEN", "hush"));
    // Both nodes have solved the base, and only the slow target still runs.
    run.until_true("the slow steps", |log| {
        log.matches("it is slow").count() > 2
    });
    std::thread::sleep(Duration::from_secs(2));
    let filter = format!("--filter=description~={word}");
    let alone = prune_alone();
    let prune = ["--builder=both", "prune", "-af", &filter];
    both.home.run(&prune).succeeded();
    drop(alone);
    run.wait().succeeded();
    assert_word_on_both(&name, &format!("{word} hush\n{word} hush\n"));
}

#[test]
fn nothing_is_pushed_of_any_target_when_one_node_fails() {
    let both = Both::new();
    let name = format!("{}:latest", Engine::get().name("failing-nodes"));
    let word = unique();
    let fails = format!(
        "FROM alpine\\nARG TARGETARCH\\nRUN echo {word}; sleep 1; test $TARGETARCH = amd64\\n"
    );
    let folder = folder_of(&[(
        "docker-bake.hcl",
        &format!(
            r#"
            group "default" {{ targets = ["good", "bad"] }}
            target "good" {{
              dockerfile-inline = "FROM alpine\nRUN echo {word} > /good\n"
              tags = ["{name}"]
              {TWO}
            }}
            target "bad" {{
              dockerfile-inline = "{fails}"
              tags = ["{name}-bad"]
              {TWO}
            }}
            "#
        ),
    )]);
    let done = Finished::of(&mut bake(&both, &folder, &["--push"]));
    let done = done.failed_with(1, &["target bad: ", "linux/arm64"]);
    assert!(Pushed::find(&name).is_none(), "{}", done.stderr);
    let partial = ["--push", "--keep-going", "--push-partial"];
    Finished::of(&mut bake(&both, &folder, &partial)).failed_with(1, &["good    built"]);
    assert_eq!(Pushed::fetch(&name).platforms().len(), 2);
}

#[test]
fn no_folder_appears_when_another_target_fails_on_one_node() {
    let both = Both::new();
    let word = unique();
    let folder = folder_of(&[(
        "docker-bake.hcl",
        &format!(
            r#"
            group "default" {{ targets = ["good", "bad"] }}
            target "good" {{
              dockerfile-inline = "FROM alpine\nRUN echo {word} > /good\n"
              output = ["out"]
              {TWO}
            }}
            target "bad" {{
              dockerfile-inline = "FROM alpine\nARG TARGETARCH\nRUN echo {word}; sleep 3; test $TARGETARCH = amd64\n"
              {TWO}
            }}
            "#
        ),
    )]);
    let done = Finished::of(&mut bake(&both, &folder, &[]));
    done.failed_with(1, &["target bad: ", "linux/arm64"]);
    assert!(!folder.path().join("out").exists());
}

fn read(path: &std::path::Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}
