//! Output for scripts: standard output, the files of `--iidfile` and `--metadata-file`, raw JSON;
//! and flags that change an image.

use serde_json::Value;

use crate::support::{
    Engine, Finished, Pushed, Relay, called, folder_of, keep_cache, solvekit, unique,
};

const STAGES: &str = "ARG BASE=busybox\nFROM $BASE AS first\nARG WHO=nobody\nRUN echo $WHO > /who\n\
                      FROM first AS second\nRUN echo second > /second\n";

#[test]
fn the_digest_is_in_the_files_and_on_standard_output() {
    let name = format!("{}:latest", Engine::get().name("files"));
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let (iid, metadata) = (
        context.path().join("iid"),
        context.path().join("metadata.json"),
    );
    let run = Finished::of(
        solvekit([
            "build",
            "-q",
            "--platform",
            "linux/amd64,linux/s390x",
            "-t",
            &name,
            "--push",
        ])
        .arg("--iidfile")
        .arg(&iid)
        .arg("--metadata-file")
        .arg(&metadata)
        .arg(context.path()),
    )
    .succeeded();

    let digest = Pushed::fetch(&name).digest;
    assert_eq!(run.stdout, format!("{digest}\n"));
    assert_eq!(std::fs::read_to_string(iid).expect("it is written"), digest);
    let text = std::fs::read_to_string(metadata).expect("it is written");
    let metadata: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(metadata["containerimage.digest"], digest);
    assert_eq!(metadata["image.name"], name);
    assert_eq!(metadata["containerimage.descriptor"]["digest"], digest);
}

#[test]
fn a_single_platforms_iid_is_the_one_by_which_it_is_known() {
    let relay = Relay::unix();
    let name = format!("{}:latest", Engine::get().name("single"));
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let iid = context.path().join("iid");
    let id = |address: &str| {
        let flags = [
            "build",
            "--addr",
            address,
            "-t",
            &name,
            "--push",
            "--iidfile",
        ];
        Finished::of(solvekit(flags).arg(&iid).arg(context.path())).succeeded();
        std::fs::read_to_string(&iid).expect("it is written")
    };
    let of_daemon = id(relay.address());
    let pushed = Pushed::fetch(&name);
    let manifest = pushed.manifest("linux/amd64");
    assert_eq!(of_daemon, manifest["config"]["digest"]);
    // In an engine with containerd's store, the image id is the manifest's digest.
    assert_eq!(id(&Engine::get().host), pushed.digest);
}

#[test]
fn raw_json_is_one_object_a_line() {
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM alpine\nRUN echo {}\n", unique()),
    )]);
    let run =
        Finished::of(solvekit(["build", "--progress=rawjson"]).arg(context.path())).succeeded();
    let mut vertexes = 0;
    for line in run.stderr.lines() {
        let status: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        vertexes += status["vertexes"].as_array().map_or(0, Vec::len);
    }
    assert!(vertexes > 0, "{}", run.stderr);
}

#[test]
fn a_target_arguments_and_labels_shape_the_image() {
    let name = format!("{}:latest", Engine::get().name("shaped"));
    let context = folder_of(&[("other.file", STAGES)]);
    let file = context.path().join("other.file");
    Finished::of(
        solvekit([
            "build",
            "--target",
            "first",
            "--build-arg",
            "WHO=me",
            "--build-arg",
            "BASE=alpine",
        ])
        .args(["--label", "team=red", "-t", &name, "--push", "-f"])
        .arg(file)
        .arg(context.path()),
    )
    .succeeded();
    let pushed = Pushed::fetch(&name);
    assert_eq!(pushed.file("linux/amd64", "/who"), "me\n");
    assert!(
        !pushed
            .entries("linux/amd64")
            .iter()
            .any(|line| line.ends_with(" second"))
    );
    assert_eq!(
        pushed.config("linux/amd64")["config"]["Labels"]["team"],
        "red"
    );
}

#[test]
fn the_cache_is_used_unless_it_is_refused() {
    let _cache = keep_cache();
    let context = folder_of(&[("Dockerfile", &format!("{STAGES}# {}\n", unique()))]);
    let who = unique();
    let build = |more: &[&str]| {
        let argument = format!("WHO={who}");
        Finished::of(
            solvekit(["build", "--progress=plain", "--build-arg", &argument])
                .args(more)
                .arg(context.path()),
        )
        .succeeded()
        .stderr
    };
    build(&[]);
    let cached = |text: &str, step: &str| {
        let number = text
            .lines()
            .find(|line| line.contains(step))
            .and_then(|line| line.split(' ').next());
        let number = number.unwrap_or_else(|| panic!("no {step} in {text}"));
        text.lines().any(|line| line == format!("{number} CACHED"))
    };
    let first = format!("RUN echo {who}");
    let again = build(&[]);
    assert!(
        cached(&again, &first) && cached(&again, "RUN echo second"),
        "{again}"
    );
    let refused = build(&["--no-cache"]);
    assert!(
        !cached(&refused, &first) && !cached(&refused, "RUN echo second"),
        "{refused}"
    );
    let partly = build(&["--no-cache-filter", "second"]);
    assert!(
        cached(&partly, &first) && !cached(&partly, "RUN echo second"),
        "{partly}"
    );
}

#[test]
fn hosts_limits_and_network_reach_the_step() {
    let name = format!("{}:latest", Engine::get().name("limits"));
    let dockerfile = format!(
        "FROM alpine\nRUN echo {}; cat /etc/hosts > /found; ulimit -n >> /found; df -k /dev/shm >> \
         /found\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    Finished::of(
        solvekit([
            "build",
            "--add-host",
            "somewhere:10.1.2.3",
            "--ulimit",
            "nofile=1234:1234",
        ])
        .args(["--shm-size", "32m", "-t", &name, "--push"])
        .arg(context.path()),
    )
    .succeeded();
    let found = Pushed::fetch(&name).file("linux/amd64", "/found");
    assert!(found.contains("10.1.2.3\tsomewhere"), "{found}");
    assert!(found.lines().any(|line| line == "1234"), "{found}");
    assert!(found.contains(" 32768 "), "{found}");
}

#[test]
fn several_names_are_pushed_to_both_registries_by_one_output() {
    let engine = Engine::get();
    let (one, two) = (
        format!("{}:a", engine.name("output")),
        format!("{}:b", engine.name("output")),
    );
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let output = format!("type=image,\"name={one},{two}\",push=true");
    Finished::of(solvekit(["build", "-o", &output]).arg(context.path())).succeeded();
    assert_eq!(Pushed::fetch(&one).digest, Pushed::fetch(&two).digest);
}

#[test]
fn flags_of_images_are_named_when_no_image_is_made() {
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let mut build = solvekit(["build", "--progress=plain", "-o", "type=cacheonly"]);
    build
        .args(["-t", "x:1", "--label", "a=b"])
        .arg(context.path());
    let warning = "no output makes an image, so these flags have no effect: --tag, --label\n";
    let built = Finished::of(&mut build).succeeded();
    assert!(built.stderr.contains(warning), "{}", built.stderr);
    let built = Finished::of(&mut called("buildx", context.path(), &build)).succeeded();
    assert!(!built.stderr.contains("no effect"), "{}", built.stderr);
}
