//! Builders with several nodes: two daemons, one of them behind a relay that can be cut. If there
//! is only one daemon, it is used for both.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    BuilderHome, Engine, Finished, Pushed, Relay, Running, folder_of, prune_alone, unique,
};

/// A builder `both`: `near`, behind a relay, is for amd64, and `far` for the other platforms.
pub(crate) struct Both {
    pub(crate) home: BuilderHome,
    near: Relay,
}

impl Both {
    pub(crate) fn new() -> Self {
        let near = Relay::unix();
        let both = Self {
            home: BuilderHome::new(),
            near,
        };
        both.add("near", "linux/amd64", both.near.address());
        both.add("far", "linux/arm64,linux/s390x", &Engine::get().second);
        both
    }

    fn add(&self, node: &str, platforms: &str, address: &str) {
        let is_new = !self.home.file("instances/both").exists();
        let mut create = vec!["create", "--name=both", "--driver=remote", "--node", node];
        create.extend(["--platform", platforms]);
        if !is_new {
            create.push("--append");
        }
        create.push(address);
        self.home.run(&create).succeeded();
    }

    fn build(&self, context: &Path, arguments: &[&str]) -> std::process::Command {
        let mut build = self.home.solvekit(&["build", "--progress=plain"]);
        build
            .env("BUILDX_BUILDER", "both")
            .args(arguments)
            .arg(context);
        build
    }

    fn run(&self, context: &Path, arguments: &[&str]) -> Finished {
        Finished::of(&mut self.build(context, arguments))
    }

    /// Builds with the platforms of the two nodes swapped, from a cache, and returns the file
    /// `uuid` in each platform's folder: each node finds in the cache what the other one has built.
    fn found_by_swapped_nodes(&self, context: &Path, from: &str) -> Vec<(String, String)> {
        let nodes = [
            ("near", "linux/arm64", self.near.address()),
            ("far", "linux/amd64", &Engine::get().second),
        ];
        let builder = format!("swapped-{}", unique());
        for (node, platform, address) in nodes {
            let mut create = vec!["create", "--driver=remote", "--name", builder.as_str()];
            create.extend(["--node", node, "--platform", platform, address]);
            if node == "far" {
                create.push("--append");
            }
            self.home.run(&create).succeeded();
        }
        let folder = folder_of(&[]);
        let output = format!("--output={}", folder.path().display());
        let mut command = self.build(context, &[TWO, "--cache-from", from, &output]);
        Finished::of(command.args(["--builder", &builder])).succeeded();
        let uuid = |platform: &str| {
            let path = folder.path().join(platform).join("uuid");
            let uuid = std::fs::read_to_string(path).expect("the file is there");
            (platform.to_owned(), uuid)
        };
        ["linux_amd64", "linux_arm64"].map(uuid).into()
    }
}

const THREE: &str = "--platform=linux/amd64,linux/arm64,linux/s390x";
const TWO: &str = "--platform=linux/amd64,linux/arm64";

fn context(run: &str) -> TempDir {
    let word = unique();
    let dockerfile = format!("FROM alpine\nARG TARGETARCH\nRUN echo {word} > /word; {run}\n");
    folder_of(&[("Dockerfile", &dockerfile)])
}

fn new_name(what: &str) -> String {
    format!("{}:latest", Engine::get().name(what))
}

#[test]
fn each_node_builds_its_platforms_and_one_index_is_pushed() {
    let both = Both::new();
    let context = context("echo $TARGETARCH > /arch");
    let (name, metadata) = (new_name("both"), context.path().join("metadata.json"));
    let other = name.replace(":latest", ":other");
    let built = both
        .run(
            context.path(),
            &[
                THREE,
                "--push",
                "--provenance=true",
                "--annotation=index:made=here",
                "-t",
                &name,
                "-t",
                &other,
                "--metadata-file",
                metadata.to_str().expect("text"),
            ],
        )
        .succeeded();
    assert!(
        built.stderr.contains("linux/amd64 on near; linux/arm64"),
        "{}",
        built.stderr
    );
    assert!(both.near.carried() > 0);

    let pushed = Pushed::fetch(&name);
    assert_eq!(Pushed::fetch(&other).digest, pushed.digest);
    assert_eq!(pushed.index["annotations"]["made"], "here");
    for platform in ["linux/amd64", "linux/arm64", "linux/s390x"] {
        let architecture = platform.trim_start_matches("linux/");
        assert_eq!(pushed.file(platform, "/arch").trim(), architecture);
        assert_eq!(pushed.attestations(platform).len(), 1, "{platform}");
    }
    let text = std::fs::read(metadata).expect("the file is there");
    let metadata: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(metadata["containerimage.digest"], pushed.digest.as_str());
    assert!(metadata.get("containerimage.config.digest").is_none());
    let references = metadata["buildx.build.refs"].as_array().expect("a list");
    assert_eq!(references.len(), 2);
    for (reference, node) in references.iter().zip(["both/near/", "both/far/"]) {
        let reference = reference.as_str().expect("text");
        assert!(reference.starts_with(node), "{reference}");
        assert!(both.home.file("refs").join(reference).exists());
    }
}

#[test]
fn a_node_that_does_not_answer_is_left_out_when_others_do_its_work() {
    let both = Both::new();
    both.add(
        "gone",
        "linux/386,windows/amd64",
        "unix:///nowhere/gone.sock",
    );
    let context = context("true");
    let built = both
        .run(context.path(), &["--platform=linux/amd64,linux/386"])
        .succeeded();
    let warning = "the node gone of the builder both does not answer, and is left out";
    assert_eq!(built.stderr.matches(warning).count(), 1, "{}", built.stderr);
    let scratch = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    both.run(scratch.path(), &["--platform=linux/amd64,windows/amd64"])
        .failed_with(
            1,
            &[
                "windows/amd64 cannot be built",
                "gone: ",
                "/nowhere/gone.sock",
                "--append --name both",
            ],
        );
}

#[test]
fn what_a_lost_node_was_building_is_built_on_another() {
    let both = Both::new();
    let context = context("if [ $TARGETARCH = amd64 ]; then echo it'' runs; sleep 4; fi");
    let name = new_name("lost");
    let mut build = both.build(context.path(), &[TWO, "--push", "-t", &name]);
    let mut running = Running::start(&mut build);
    running.until("it runs");
    both.near.cut();
    let built = running.wait().succeeded();
    let printed = "the node near was lost: building linux/amd64 again elsewhere";
    assert!(built.stderr.contains(printed), "{}", built.stderr);
    assert_eq!(
        Pushed::fetch(&name).platforms(),
        ["linux/amd64", "linux/arm64"]
    );
}

#[test]
fn a_whole_build_moves_to_another_node_too() {
    let both = Both::new();
    let context = context("echo it'' runs; sleep 4");
    let name = new_name("moved");
    let mut build = both.build(
        context.path(),
        &["--platform=linux/amd64", "--push", "-t", &name],
    );
    let mut running = Running::start(&mut build);
    running.until("it runs");
    both.near.cut();
    running.wait().succeeded();
    assert!(Pushed::find(&name).is_some());
}

#[test]
fn no_tag_moves_when_one_part_fails() {
    let both = Both::new();
    let name = new_name("half");
    let good = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    both.run(good.path(), &[TWO, "--push", "-t", &name])
        .succeeded();
    let before = Pushed::fetch(&name).digest;

    let bad =
        context("if [ $TARGETARCH = arm64 ]; then echo the reason; exit 7; else sleep 100; fi");
    let run = both
        .run(bad.path(), &[TWO, "--push", "-t", &name])
        .failed_with(
            1,
            &[
                "ERROR: on the node far: [linux/arm64] the command",
                "Dockerfile:3",
                "the reason",
                "exit code: 7",
            ],
        );
    assert!(run.took < Duration::from_secs(60), "{:?}", run.took);
    assert_eq!(Pushed::fetch(&name).digest, before);
}

#[test]
fn platforms_are_kept_going_on_all_nodes() {
    let both = Both::new();
    let context = context("test $TARGETARCH != s390x || exit 9");
    let name = new_name("going");
    let table = [
        "linux/amd64  built",
        "linux/arm64  built",
        "linux/s390x  failed: Dockerfile:3: the command did not complete",
        "1 of 3 platforms failed",
    ];
    both.run(
        context.path(),
        &[THREE, "--keep-going", "--push", "-t", &name],
    )
    .failed_with(1, &table);
    assert!(Pushed::find(&name).is_none());
    both.run(
        context.path(),
        &[
            THREE,
            "--keep-going",
            "--push-partial",
            "--push",
            "-t",
            &name,
        ],
    )
    .failed_with(1, &table);
    assert_eq!(
        Pushed::fetch(&name).platforms(),
        ["linux/amd64", "linux/arm64"]
    );
}

#[test]
fn files_come_from_all_nodes_or_from_none() {
    let both = Both::new();
    let out = tempfile::tempdir().expect("a temporary folder");
    let output = format!("--output={}", out.path().display());
    let bad = context("test $TARGETARCH = amd64 || { sleep 2; exit 3; }");
    both.run(bad.path(), &[TWO, &output])
        .failed_with(1, &["on the node far", "linux/arm64"]);
    let entries = std::fs::read_dir(out.path()).expect("the folder is there");
    assert_eq!(entries.count(), 0);
    let good = context("echo $TARGETARCH > /arch");
    both.run(good.path(), &[TWO, &output]).succeeded();
    for architecture in ["amd64", "arm64"] {
        let path = out.path().join(format!("linux_{architecture}/arch"));
        let text = std::fs::read_to_string(path).expect("the file is there");
        assert_eq!(text.trim(), architecture);
    }
}

#[test]
fn what_one_daemon_has_to_make_is_made_by_one_that_can() {
    let both = Both::new();
    let context = context("true");
    let archive = context.path().join("files.tar");
    let output = format!("--output=type=tar,dest={}", archive.display());
    let built = both.run(context.path(), &[TWO, &output]).succeeded();
    let printed = "an archive of files (type=tar) is made by one daemon";
    assert!(built.stderr.contains(printed), "{}", built.stderr);
    assert!(archive.exists());
    let (odd, odder) = (Relay::unix(), Relay::unix());
    both.add("odd", "windows/amd64", odd.address());
    both.add("odder", "windows/arm64", odder.address());
    let scratch = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    both.run(
        scratch.path(),
        &["--platform=windows/amd64,windows/arm64", &output],
    )
    .failed_with(
        1,
        &["type=tar", "cannot be made on several nodes", "--push"],
    );
}

#[test]
fn an_oci_layout_is_put_together_of_all_parts() {
    let both = Both::new();
    let context = context("true");
    let (archive, folder) = (context.path().join("a.tar"), context.path().join("layout"));
    let text = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).expect("JSON");
    let from_archive = |name: &str| {
        let mut tar = std::process::Command::new("tar");
        let output = tar.arg("-xOf").arg(&archive).arg(name).output();
        text(output.expect("tar is there").stdout)
    };
    let from_folder = |name: &str| text(std::fs::read(folder.join(name)).expect("it is there"));
    for (output, read) in [
        (
            format!("type=oci,dest={},annotation-index.a=b", archive.display()),
            &from_archive as &dyn Fn(&str) -> Value,
        ),
        (
            format!("type=oci,tar=false,dest={}", folder.display()),
            &from_folder,
        ),
    ] {
        let built = both.run(
            context.path(),
            &[TWO, "--provenance=true", "-t", "x/y:1", "-o", &output],
        );
        let built = built.succeeded();
        assert!(built.stderr.contains("linux/amd64 on near; linux/arm64"));
        let index = read("index.json");
        let entries = index["manifests"].as_array().expect("a list");
        assert_eq!(entries.len(), 1, "{index}");
        let name = &entries[0]["annotations"]["io.containerd.image.name"];
        assert_eq!(name, "docker.io/x/y:1");
        let digest = entries[0]["digest"].as_str().expect("text");
        let image = read(&format!("blobs/{}", digest.replace(':', "/")));
        let manifests = image["manifests"].as_array().expect("a list");
        let architectures: Vec<&str> = manifests
            .iter()
            .filter_map(|entry| entry["platform"]["architecture"].as_str())
            .collect();
        assert_eq!(architectures, ["amd64", "unknown", "arm64", "unknown"]);
        if output.contains("annotation") {
            assert_eq!(image["annotations"]["a"], "b");
        }
        for entry in manifests {
            let digest = entry["digest"].as_str().expect("text");
            let manifest = read(&format!("blobs/{}", digest.replace(':', "/")));
            assert!(manifest["layers"].is_array());
        }
    }
    let left = std::fs::read_dir(context.path()).expect("the folder is there");
    let left = left.map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().contains("parts"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_context_from_stdin_reaches_all_nodes() {
    let both = Both::new();
    let context = context("echo $TARGETARCH > /arch");
    let out = tempfile::tempdir().expect("a temporary folder");
    let output = format!("--output={}", out.path().display());
    let mut tar = std::process::Command::new("tar");
    let archive = tar.arg("-cC").arg(context.path()).arg(".").output();
    let mut build = both.build(Path::new("-"), &[TWO, &output]);
    Finished::with_input(&mut build, archive.expect("tar is there").stdout).succeeded();
    for architecture in ["amd64", "arm64"] {
        assert!(
            out.path()
                .join(format!("linux_{architecture}/arch"))
                .exists()
        );
    }
}

#[test]
fn a_cache_of_several_nodes_has_all_platforms() {
    let both = Both::new();
    let context = context("cat /proc/sys/kernel/random/uuid > /uuid");
    let name = Engine::get().name("cache");
    let reference = format!("type=registry,ref={name}:all,mode=max");
    let folder = context.path().join("cache");
    let local = format!("type=local,dest={},mode=max", folder.display());
    let output = |name: &str| format!("--output={}", context.path().join(name).display());
    let arguments = ["--cache-to", &reference, "--cache-to", &local];
    let mut build = both.build(context.path(), &[TWO, &output("first")]);
    Finished::of(build.args(arguments)).succeeded();
    for part in ["all-linux-amd64", "all-linux-arm64"] {
        assert!(Pushed::find(&format!("{name}:{part}")).is_some(), "{part}");
    }
    let index = std::fs::read_to_string(folder.join("index.json")).expect("the index is there");
    assert!(index.contains("\"latest\""), "{index}");

    for from in [
        format!("type=registry,ref={name}:all"),
        format!("type=local,src={}", folder.display()),
    ] {
        let found = both.found_by_swapped_nodes(context.path(), &from);
        for (platform, uuid) in found {
            let path = context.path().join("first").join(&platform).join("uuid");
            let built = std::fs::read_to_string(path).expect("the file is there");
            assert_eq!(uuid, built, "{platform} {from}");
        }
    }
}

#[test]
fn the_nodes_of_a_failed_build_put_what_they_finished_into_one_cache() {
    let both = Both::new();
    let steps = "cat /proc/sys/kernel/random/uuid | tee /uuid\nRUN echo the-end; exit 3";
    let context = context(steps);
    let name = Engine::get().name("failed-cache");
    let to = format!("--cache-to=type=registry,ref={name}:all,mode=max,on-failure=true");
    // The first failing node cancels the other one.
    let mut build = both.build(context.path(), &[TWO, &to, "--progress=plain"]);
    let failed = Finished::of(&mut build).failed_with(1, &["exit code: 3"]);

    let path = context.path().join("Dockerfile");
    let dockerfile = std::fs::read_to_string(&path).expect("it is there");
    let fixed = dockerfile.replace("RUN echo the-end; exit 3", "");
    std::fs::write(&path, fixed).expect("it can be written");
    let from = format!("type=registry,ref={name}:all");
    let found = both.found_by_swapped_nodes(context.path(), &from);
    let kept = found
        .iter()
        .filter(|(_, uuid)| failed.stderr.contains(uuid.trim()));
    assert!(kept.count() >= 1, "{found:?}\n{}", failed.stderr);
}

#[test]
fn an_interrupt_cancels_all_nodes() {
    let both = Both::new();
    let context = context("echo it'' runs on $TARGETARCH; sleep 100");
    let mut running = Running::start(&mut both.build(context.path(), &[TWO]));
    running.until("it runs on amd64");
    running.until("it runs on arm64");
    running.interrupt();
    let ended = running.wait().failed_with(130, &[]);
    assert!(ended.took < Duration::from_secs(90), "{:?}", ended.took);
}

#[test]
fn history_usage_and_pruning_are_of_all_nodes() {
    let both = Both::new();
    let context = context("true");
    both.run(context.path(), &[TWO, "--output=type=cacheonly"])
        .succeeded();
    let list = ["--builder=both", "history", "ls", "--format={{.FullRef}}"];
    let listed = both.home.run(&list).succeeded().stdout;
    let of = |node: &str| {
        let prefix = format!("both/{node}/");
        listed
            .lines()
            .find(|line| line.starts_with(&prefix))
            .map(str::to_owned)
    };
    for node in ["near", "far"] {
        let full_ref = of(node).unwrap_or_else(|| panic!("{node} is missing in {listed}"));
        let format = "--format={{.Ref}}";
        let inspect = ["--builder=both", "history", "inspect", &full_ref, format];
        let shown = both.home.run(&inspect).succeeded().stdout;
        assert!(
            full_ref.ends_with(&format!("/{}", shown.trim_end())),
            "{shown}"
        );
    }
    let usage = |builder: &str| {
        let run = both
            .home
            .run(&["--builder", builder, "du", "--format={{.ID}}"]);
        run.succeeded().stdout.lines().count()
    };
    let far = &Engine::get().second;
    // Other tests use the daemons at the same time.
    if *far != Engine::get().host {
        assert!(usage("both") > usage(far) / 2 + usage(&Engine::get().host) / 2);
    }
    let _alone = prune_alone();
    let prune = ["--builder=both", "prune", "--force", "--filter=until=8000h"];
    let pruned = both.home.run(&prune).succeeded().stdout;
    assert!(pruned.ends_with("Total:\t0B\n"), "{pruned}");
}
