//! `--explain`, `--explain-steps` and `solvekit explain`, with a real daemon's cache.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::RwLockReadGuard;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Engine, Finished, folder_of, keep_cache, solvekit, unique};

/// A context, and the folder of its records.
struct World {
    context: TempDir,
    state: TempDir,
    _cache: RwLockReadGuard<'static, ()>,
}

impl World {
    fn new(dockerfile: &str) -> Self {
        let context = folder_of(&[
            ("Dockerfile", dockerfile),
            // The content is unique, because the daemon may have other contents from other builds.
            ("src/a", &unique()),
            ("src/b", "b"),
            ("other", "x"),
        ]);
        Self {
            context,
            state: tempfile::tempdir().expect("a temporary folder"),
            _cache: keep_cache(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = solvekit(arguments);
        command.env("XDG_STATE_HOME", self.state.path());
        command.current_dir(self.context.path());
        command
    }

    /// Builds with `--explain`; returns the explanation.
    fn build(&self, flags: &[&str]) -> String {
        let fixed = [
            "build",
            "--progress=none",
            "-o",
            "type=cacheonly",
            "--explain",
        ];
        let built = Finished::of(&mut self.command(&[&fixed, flags, &["."]].concat()));
        built.succeeded().stderr
    }

    /// Builds, and asserts that another build runs nothing.
    fn settle(&self) {
        self.build(&[]);
        let again = self.build(&[]);
        assert!(
            again.contains("\nno step ran: the cache had all "),
            "{again}"
        );
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.context.path().join(path), text).expect("the folder is ours");
    }

    fn report(&self) -> Value {
        let shown = Finished::of(&mut self.command(&["explain", "--format", "json"]));
        serde_json::from_str(&shown.succeeded().stdout).expect("JSON")
    }
}

fn dockerfile() -> String {
    format!(
        "FROM busybox AS base\nARG VERSION=1\nCOPY src /src\nRUN echo $VERSION {} > /out\nFROM \
         busybox\nCOPY --from=base /out /\nRUN cat /out\n",
        unique()
    )
}

#[test]
fn a_build_says_why_its_steps_ran() {
    let world = World::new(&dockerfile());
    let first = world.build(&[]);
    assert!(
        first.contains("there is no record of an earlier build"),
        "{first}"
    );
    world.settle();

    // A change to a file that no step reads is not a reason.
    world.write("other", "y");
    world.write("src/b", &unique());
    world.write("src/c", "new");
    let changed = world.build(&[]);
    assert!(
        changed.contains("changed: src/b (content), src/c (added)\n"),
        "{changed}"
    );
    let after = "it uses the result of [base 2/3] COPY src /src, which ran";
    assert!(changed.contains(after), "{changed}");

    // A different time is not a change, but a different mode is.
    let file = fs::File::open(world.context.path().join("src/a")).expect("the folder is ours");
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .expect("the folder is ours");
    world.settle();
    file.set_permissions(fs::Permissions::from_mode(0o700))
        .expect("the folder is ours");
    assert!(world.build(&[]).contains("changed: src/a (mode)\n"));

    fs::remove_file(world.context.path().join("src/c")).expect("the folder is ours");
    let removed = world.build(&["--build-arg", "VERSION=hunter2"]);
    assert!(removed.contains("changed: src/c (removed)\n"), "{removed}");
    assert!(!removed.contains("hunter2"));
    let reasons = &world.report()["targets"][0]["ran"][1]["reasons"];
    assert_eq!(reasons[0]["names"][0], "VERSION", "{reasons}");
    assert_eq!(reasons[1]["kind"], "parent", "{reasons}");
}

#[test]
fn an_edited_instruction_a_moved_image_and_a_pruned_cache_are_reported() {
    let image = Engine::get().name("moving");
    let base = folder_of(&[("Dockerfile", "FROM busybox\nARG V\nRUN echo $V > /v\n")]);
    let push = |version: &str| {
        let argument = format!("V={version}");
        let flags = ["build", "--progress=none", "--push", "--insecure-registry"];
        let registry = Engine::get().registry.as_str();
        let rest = ["-t", image.as_str(), "--build-arg", argument.as_str()];
        let command = &mut solvekit([&flags[..], &[registry], &rest].concat());
        Finished::of(command.arg(base.path())).succeeded();
    };
    push("1");
    let text = format!("FROM {image}\nRUN echo {}\n", unique());
    let world = World::new(&text);
    world.build(&[]);
    world.write("Dockerfile", &format!("{text}RUN echo more\n"));
    let added = world.build(&[]);
    assert!(
        added.contains("RUN echo more\n    it was not in the last build\n"),
        "{added}"
    );
    world.write("Dockerfile", &format!("{text}RUN echo less\n"));
    let edited = world.build(&[]);
    assert!(
        edited.contains("its text changed: RUN echo more → RUN echo less\n"),
        "{edited}"
    );
    push("2");
    let moved = world.build(&["--pull"]);
    assert!(
        moved.contains(&format!("the base image {image}:latest moved: sha256:")),
        "{moved}"
    );
    let ignored = world.build(&["--no-cache"]);
    assert!(
        ignored.contains("the cache was not to be used\n"),
        "{ignored}"
    );
}

#[test]
fn another_daemon_and_an_interrupted_build_are_reported() {
    let world = World::new(&dockerfile());
    world.build(&[]);
    if Engine::get().second != Engine::get().host {
        let second = world.build(&["--addr", &Engine::get().second]);
        assert!(
            second.contains("the last build was on another daemon: "),
            "{second}"
        );
        world.build(&[]);
    }
    let text =
        fs::read_to_string(world.context.path().join("Dockerfile")).expect("the folder is ours");
    world.write("Dockerfile", &format!("{text}RUN cat /src\n"));
    let flags = [
        "build",
        "--progress=none",
        "-o",
        "type=cacheonly",
        "--explain",
        ".",
    ];
    let failed = Finished::of(&mut world.command(&flags)).failed_with(1, &["No such file"]);
    assert!(
        failed.stderr.contains("it was not in the last build"),
        "{}",
        failed.stderr
    );
    let again = Finished::of(&mut world.command(&flags)).failed_with(1, &[]);
    assert!(
        again.stderr.contains("the last build did not finish it"),
        "{}",
        again.stderr
    );
}

#[test]
fn all_targets_and_platforms_are_explained() {
    let world = World::new(&dockerfile());
    world.write(
        "docker-bake.json",
        r#"{"group": {"default": {"targets": ["a", "b"]}},
            "target": {"a": {"output": ["type=cacheonly"],
                             "platforms": ["linux/amd64", "linux/arm64"],
                             "target": "copied"},
                       "b": {"output": ["type=cacheonly"]}}}"#,
    );
    world.write(
        "Dockerfile",
        &format!("FROM scratch AS copied\nCOPY src /src\n{}", dockerfile()),
    );
    let bake = || {
        let command = &mut world.command(&["bake", "--progress=none", "--explain-steps"]);
        Finished::of(command).succeeded().stderr
    };
    bake();
    world.write("src/a", &unique());
    let printed = bake();
    assert!(printed.contains("a: 2 of 2 steps ran:\n"), "{printed}");
    assert!(printed.contains("b: 2 of 4 steps ran:\n"), "{printed}");
    assert_eq!(
        printed.matches("changed: src/a (content)").count(),
        3,
        "{printed}"
    );
    let report = world.report();
    assert_eq!(report["targets"].as_array().map(Vec::len), Some(2));
    let build_ref = report["targets"][1]["build_refs"][0]
        .as_str()
        .expect("a reference");
    let found = Finished::of(&mut world.command(&["explain", build_ref])).succeeded();
    assert!(found.stdout.contains("b: 2 of 4"), "{}", found.stdout);
    let unknown = &mut world.command(&["explain", "nobody"]);
    Finished::of(unknown).failed_with(1, &["there is no record of the build \"nobody\""]);
}

#[test]
fn without_a_record_nothing_is_written_and_a_broken_one_is_none() {
    let world = World::new("FROM scratch\nCOPY src /\n");
    let build = |flag: &str| {
        let flags = [
            "--debug",
            "build",
            "--progress=none",
            "-o",
            "type=cacheonly",
            flag,
            ".",
        ];
        Finished::of(&mut world.command(&flags)).succeeded().stderr
    };
    build("--explain=off");
    assert_eq!(
        fs::read_dir(world.state.path())
            .expect("the folder is ours")
            .count(),
        0
    );
    build("--explain");
    let targets = world.state.path().join("solvekit/explain/targets");
    let mut entries = fs::read_dir(&targets).expect("the folder is ours");
    let record = entries.next().expect("a record").expect("an entry").path();
    fs::write(&record, "{").expect("the folder is ours");
    let broken = build("--explain");
    assert!(
        broken.contains("records of builds: the record is not valid JSON"),
        "{broken}"
    );
    assert!(
        broken.contains("there is no record of an earlier build"),
        "{broken}"
    );
    assert!(mode(&record) == 0o600);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("the folder is ours")
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn an_explanation_without_a_folder_for_records_names_the_variables() {
    let world = World::new("FROM scratch\nCOPY other /\n");
    let mut command = world.command(&["build", "--explain", "-o", "type=cacheonly", "."]);
    let built = Finished::of(command.env("HOME", "").env("XDG_STATE_HOME", "")).succeeded();
    assert!(
        built.stderr.contains("set HOME or XDG_STATE_HOME"),
        "{}",
        built.stderr
    );
}
