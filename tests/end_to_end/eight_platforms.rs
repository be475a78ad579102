//! The main use case: one Dockerfile, eight platforms, one index with two tags.

use std::path::Path;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit, unique};

/// The platforms as requested, as listed in the index, and the output of `uname -m` under
/// emulation.
pub(crate) const PLATFORMS: [(&str, &str, &[&str]); 8] = [
    // The kernel reports its own architecture, unless the daemon sets a 32-bit personality.
    ("linux/386", "linux/386", &["x86_64", "i686"]),
    ("linux/amd64", "linux/amd64", &["x86_64"]),
    // Emulators report the newest processor that they support.
    ("linux/arm/v5", "linux/arm/v5", &["armv5", "armv7l"]),
    ("linux/arm/v7", "linux/arm/v7", &["armv7l"]),
    ("linux/arm64/v8", "linux/arm64", &["aarch64"]),
    ("linux/mips64le", "linux/mips64le", &["mips64"]),
    ("linux/ppc64le", "linux/ppc64le", &["ppc64le"]),
    ("linux/s390x", "linux/s390x", &["s390x"]),
];

/// All eight, as one `--platform` value.
pub(crate) fn all_platforms() -> String {
    PLATFORMS.map(|(asked, ..)| asked).join(",")
}

/// Asserts that the index has all eight platforms in the requested order, each with the output of
/// its own processor in `/os.txt`, and based on its own base image.
#[track_caller]
pub(crate) fn assert_hello(pushed: &Pushed) {
    let expected = PLATFORMS.map(|(_, listed, _)| listed.to_owned());
    assert_eq!(pushed.platforms(), expected);
    let base = Pushed::fetch(&format!("{}/library/alpine:latest", Engine::get().registry));
    for (_, platform, machines) in PLATFORMS {
        let os = pushed.file(platform, "/os.txt");
        assert!(os.starts_with("Linux "), "{platform}: {os}");
        assert!(
            machines.iter().any(|machine| os.contains(machine)),
            "{platform}: {os}"
        );
        let layers = |image: &Pushed| image.manifest(platform)["layers"].clone();
        let (below, all) = (layers(&base), layers(pushed));
        let (below, all) = (
            below.as_array().expect("layers"),
            all.as_array().expect("layers"),
        );
        assert_eq!(all[..below.len()], below[..], "{platform}");
        assert_eq!(all.len(), below.len() + 1, "{platform}");
        let config = pushed.config(platform);
        assert_eq!(config["config"]["Cmd"][2], "cat /os.txt", "{platform}");
        let architecture = platform.split('/').nth(1).expect("os/architecture");
        assert_eq!(config["architecture"], architecture, "{platform}");
    }
}

#[test]
fn hello_is_pushed_for_eight_platforms_under_both_tags() {
    let name = Engine::get().name("hello");
    let (latest, version) = (format!("{name}:latest"), format!("{name}:1.0"));
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello");
    let platforms = all_platforms();
    let run = Finished::of(
        solvekit([
            "build",
            "--platform",
            &platforms,
            "-t",
            &latest,
            "-t",
            &version,
            "--push",
        ])
        .arg(hello),
    )
    .succeeded();

    let pushed = Pushed::fetch(&latest);
    assert_eq!(Pushed::fetch(&version).digest, pushed.digest);
    assert!(run.stderr.contains(&pushed.digest), "{}", run.stderr);
    assert_hello(&pushed);
}

/// `RUN` is different in each run of the test, so nothing is cached: all eight commands are
/// emulated now.
#[test]
fn nothing_is_taken_from_a_cache_when_it_is_new() {
    let name = format!("{}:new", Engine::get().name("new"));
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN echo {word} $(uname -m) | tee /os.txt\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let run = Finished::of(
        solvekit([
            "build",
            "--progress=plain",
            "--platform",
            &all_platforms(),
            "-t",
            &name,
            "--push",
        ])
        .arg(context.path()),
    )
    .succeeded();

    assert!(!run.stderr.contains("CACHED [linux"), "{}", run.stderr);
    let pushed = Pushed::fetch(&name);
    for (_, platform, machines) in PLATFORMS {
        let os = pushed.file(platform, "/os.txt");
        let machine = os
            .trim()
            .strip_prefix(&word)
            .unwrap_or_else(|| panic!("{platform}: {os}"));
        assert!(
            machines.iter().any(|expected| machine.contains(expected)),
            "{platform}: {os}"
        );
    }
}

/// A stage for the build platform is the same for all targets: it runs once, not eight times.
#[test]
fn stages_on_the_build_platform_run_once() {
    let name = format!("{}:shared", Engine::get().name("shared"));
    let word = unique();
    let dockerfile = format!(
        "FROM --platform=$BUILDPLATFORM busybox AS build\nRUN echo {word} > /word && date +%s%N >> \
         /word\n\
         FROM alpine\nCOPY --from=build /word /word\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    Finished::of(
        solvekit([
            "build",
            "--platform",
            &all_platforms(),
            "-t",
            &name,
            "--push",
        ])
        .arg(context.path()),
    )
    .succeeded();

    let pushed = Pushed::fetch(&name);
    let words: Vec<_> = PLATFORMS
        .iter()
        .map(|(_, platform, _)| pushed.file(platform, "/word"))
        .collect();
    assert!(words[0].starts_with(&word));
    assert!(words.iter().all(|other| *other == words[0]), "{words:?}");
}

#[test]
fn platforms_can_be_capped_to_one_at_a_time() {
    let name = format!("{}:capped", Engine::get().name("capped"));
    let dockerfile = format!("FROM alpine\nRUN echo {} > /word\n", unique());
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    Finished::of(
        solvekit([
            "build",
            "--max-parallel-platforms",
            "1",
            "--platform",
            "linux/amd64,linux/arm64,linux/s390x",
            "-t",
            &name,
            "--push",
        ])
        .arg(context.path()),
    )
    .succeeded();
    assert_eq!(
        Pushed::fetch(&name).platforms(),
        ["linux/amd64", "linux/arm64", "linux/s390x"]
    );
}
