//! The command line itself: its help, flags that every command has, and what it is when it is called by buildx's name.

use std::os::unix::process::CommandExt as _;

use serde_json::Value;

use crate::support::{Finished, folder_of, solvekit};

/// The command called by another name.
fn called(name: &str, arguments: &[&str]) -> Finished {
    Finished::of(solvekit(arguments).arg0(name))
}

#[test]
fn without_a_command_there_is_help_and_success() {
    for (name, arguments) in [
        ("solvekit", &[][..]),
        ("buildx", &[]),
        ("docker-buildx", &["buildx"]),
        ("solvekit", &["imagetools"]),
        ("solvekit", &["history"]),
        ("docker-buildx", &["buildx", "imagetools"]),
    ] {
        let help = called(name, arguments).succeeded();
        assert!(help.stdout.contains("Usage: "), "{name}: {}", help.stdout);
        assert!(help.stdout.contains("Commands:"), "{name}: {}", help.stdout);
        assert_eq!(help.stderr, "");
    }
    let help = called("docker-buildx", &["buildx"]).stdout;
    assert!(help.contains("Usage: docker buildx "), "{help}");
}

#[test]
fn help_tells_about_a_command() {
    let help = called("solvekit", &["help", "build"]).succeeded();
    assert!(help.stdout.contains("--platform"), "{}", help.stdout);
    let help = called("solvekit", &["help", "imagetools", "create"]).succeeded();
    assert!(help.stdout.contains("--append"), "{}", help.stdout);
    called("solvekit", &["help", "biuld"]).failed_with(1, &["biuld"]);
}

#[test]
fn every_command_takes_debug() {
    let run = called("solvekit", &["workers", "-D"]).succeeded();
    assert!(run.stderr.contains("DEBUG: builder "), "{}", run.stderr);
    let run = called("solvekit", &["--debug", "du", "--filter", "id=none"]).succeeded();
    assert!(run.stderr.contains("DEBUG: builder "), "{}", run.stderr);
    let run = called("solvekit", &["workers"]).succeeded();
    assert!(!run.stderr.contains("DEBUG"), "{}", run.stderr);
    called("solvekit", &["version", "-D"]).succeeded();
    called("solvekit", &["history", "ls", "--debug=false"]).succeeded();
}

#[test]
fn features_of_the_driver_are_shown_to_those_who_debug() {
    let home = crate::support::BuilderHome::new();
    let relay = crate::support::Relay::unix();
    home.run(&["create", "--name", "b", relay.address()])
        .succeeded();
    let plain = home.run(&["inspect", "b"]).succeeded().stdout;
    assert!(
        plain.contains("Labels:") && !plain.contains("Features:"),
        "{plain}"
    );
    let mut debug = home.solvekit(&["inspect", "b"]);
    let debug = Finished::of(debug.env("DEBUG", "1")).succeeded().stdout;
    assert!(debug.contains("Features:\n"), "{debug}");
}

#[test]
fn empty_values_count_as_not_given() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let empty = [
        "build",
        "--secret",
        "",
        "--ssh",
        "",
        "-o",
        "",
        "-f",
        "",
        "--network",
        "",
        "--target=",
        "--iidfile",
        "",
        "--metadata-file=",
        "--builder",
        "",
        "--cache-from",
        "",
        "--cache-to=",
        "--progress",
        "",
        "--platform",
        "",
        "--call",
        "",
        "--allow=",
        "--annotation",
        "",
        "--attest",
        "",
        "--provenance=",
        "--sbom",
        "",
        "--push=",
        "--shm-size",
        "",
        "--ulimit",
        "",
        "--add-host",
        "",
        "--build-context",
        "",
        "--no-cache-filter",
        "",
    ];
    Finished::of(solvekit(empty).arg(context.path())).succeeded();
}

#[test]
fn of_repeated_flags_the_last_one_counts() {
    let context = folder_of(&[(
        "a",
        "FROM scratch AS first\nCOPY a /\nFROM nothing.invalid/x\n",
    )]);
    let twice = [
        "build",
        "--target",
        "second",
        "--target",
        "first",
        "--network=host",
        "--network=none",
        "--pull",
        "--pull=false",
        "-q",
        "-q",
        "--progress=tty",
        "--progress=plain",
        "-f",
        "/nonexistent",
        "-f",
    ];
    let mut build = solvekit(twice);
    Finished::of(build.arg(context.path().join("a")).arg(context.path())).succeeded();
}

#[test]
fn in_buildx_s_place_it_says_which_buildx_it_is() {
    for (name, arguments) in [
        ("buildx", &["version"][..]),
        ("/usr/bin/docker-buildx", &["version"]),
        ("docker-buildx", &["buildx", "version"]),
    ] {
        let version = called(name, arguments).succeeded().stdout;
        let words: Vec<&str> = version.split_whitespace().collect();
        let [package, version, _revision] = words.as_slice() else {
            panic!("{words:?}");
        };
        assert_eq!(*package, "github.com/docker/buildx");
        assert!(version.starts_with("v0.36.1+solvekit"), "{version}");
    }
    let own = called("solvekit", &["version"]).succeeded().stdout;
    assert!(own.starts_with("solvekit v"), "{own}");

    let metadata = called("docker-buildx", &["docker-cli-plugin-metadata"]).succeeded();
    let metadata: Value = serde_json::from_str(&metadata.stdout).expect("JSON");
    let version = metadata["Version"].as_str().expect("a version");
    assert!(version.starts_with("v0.36.1+"), "{version}");

    let both = called("solvekit", &["version", "--format=json"])
        .succeeded()
        .stdout;
    let both: Value = serde_json::from_str(&both).expect("JSON");
    assert_eq!(both["name"], "solvekit");
    assert_eq!(both["buildx"]["version"], version);
}

/// The media types of the manifests in an archive's index.
fn manifests(name: &str, variable: Option<&str>) -> usize {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let image = crate::support::Engine::get().name("identity");
    let mut build = solvekit(["build", "--push", "-t", &image]);
    build.arg0(name).arg(context.path());
    if let Some(value) = variable {
        build.env("BUILDX_NO_DEFAULT_ATTESTATIONS", value);
    }
    Finished::of(&mut build).succeeded();
    let raw = Finished::of(&mut solvekit(["imagetools", "inspect", "--raw", &image])).succeeded();
    let raw: Value = serde_json::from_str(&raw.stdout).expect("JSON");
    raw["manifests"].as_array().map_or(0, Vec::len)
}

#[test]
fn in_buildx_s_place_provenance_is_attested() {
    assert_eq!(
        manifests("docker-buildx", None),
        2,
        "an index of image and attestation"
    );
    assert_eq!(manifests("docker-buildx", Some("1")), 0, "an image alone");
    assert_eq!(manifests("solvekit", None), 0, "an image alone");
}
