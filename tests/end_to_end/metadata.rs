//! `--metadata-file`: the same keys as buildx's for the same build.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::support::{Engine, Finished, Pushed, buildx, folder_of, solvekit, unique};

/// The metadata of a build, made by a command with buildx's flags.
fn metadata(mut command: Command, dockerfile: &str, flags: &[&str]) -> Value {
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let file = context.path().join("metadata.json");
    command.args(flags).arg("--metadata-file").arg(&file);
    Finished::of(command.arg(context.path())).succeeded();
    let text = std::fs::read_to_string(file).expect("it is written");
    serde_json::from_str(&text).expect("JSON")
}

fn keys(metadata: &Value) -> BTreeSet<String> {
    metadata
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect()
}

#[test]
fn the_keys_are_those_of_buildx() {
    let dockerfile = format!("FROM alpine\nRUN echo {}\n", unique());
    let name = format!("{}:1", Engine::get().name("metadata"));
    for more in [
        &[][..],
        &["--platform=linux/amd64,linux/arm64"],
        &["--provenance=mode=max"],
    ] {
        let flags = [&["--push", "-t", &name][..], more].concat();
        let ours = metadata(solvekit(["build"]), &dockerfile, &flags);
        let theirs = metadata(buildx(["build"]), &dockerfile, &flags);
        let is_provenance = |key: &String| key.starts_with("buildx.build.provenance");
        let (of_ours, mut of_theirs) = (keys(&ours), keys(&theirs));
        // Older versions of buildx write no provenance here.
        if !of_theirs.iter().any(is_provenance) {
            of_theirs.extend(
                of_ours
                    .iter()
                    .filter(|key| is_provenance(key))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        // If an engine keeps the index, some versions of buildx report its digest as the config's.
        if ours.get("containerimage.config.digest").is_none() {
            of_theirs.remove("containerimage.config.digest");
        }
        assert_eq!(of_ours, of_theirs, "{more:?}");
        assert_eq!(ours["image.name"], name.as_str());
        assert_eq!(ours["image.name"], theirs["image.name"]);
        let descriptor = &ours["containerimage.descriptor"];
        assert_eq!(descriptor["digest"], ours["containerimage.digest"]);
        let reference = ours["buildx.build.ref"].as_str().expect("text");
        assert_eq!(reference.split('/').count(), 3, "{reference}");
    }
}

#[test]
fn provenance_is_there_as_much_as_the_environment_says() {
    let dockerfile = format!("FROM alpine\nRUN echo {}\n", unique());
    let with = |value: Option<&str>, platforms: &str| {
        let mut command = solvekit(["build"]);
        if let Some(value) = value {
            command.env("BUILDX_METADATA_PROVENANCE", value);
        }
        metadata(command, &dockerfile, &["--platform", platforms])
    };
    let short = with(None, "linux/amd64");
    let provenance = &short["buildx.build.provenance"];
    assert_eq!(
        provenance["buildType"],
        "https://mobyproject.org/buildkit@v1"
    );
    let uri = provenance["materials"][0]["uri"].as_str().expect("text");
    assert!(uri.starts_with("pkg:docker/alpine@latest"), "{uri}");
    assert!(provenance.get("buildConfig").is_none() && provenance.get("metadata").is_none());

    let full = with(Some("max"), "linux/amd64");
    let provenance = &full["buildx.build.provenance"];
    assert!(
        provenance["buildConfig"]["llbDefinition"].is_array(),
        "{provenance}"
    );
    assert!(
        provenance["metadata"]["buildInvocationID"].is_string(),
        "{provenance}"
    );

    let none = with(Some("disabled"), "linux/amd64");
    assert!(none.get("buildx.build.provenance").is_none(), "{none}");

    let several = with(None, "linux/amd64,linux/arm64");
    for platform in ["linux/amd64", "linux/arm64"] {
        let key = format!("buildx.build.provenance/{platform}");
        assert!(several[&key]["buildType"].is_string(), "{several}");
    }
}

/// What buildx's provenance says of the request: buildx runs the frontend in the daemon, which
/// records it.
#[test]
fn the_provenance_has_the_request_as_with_buildx() {
    let dockerfile = format!("FROM alpine\nARG A\nRUN echo {}\n", unique());
    let context = folder_of(&[("sub/App", &dockerfile), ("other/f", "")]);
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(context.path()).args(words);
        Finished::of(&mut git).succeeded();
    };
    git(&["init", "-q"]);
    git(&[
        "remote",
        "add",
        "origin",
        "https://me:secret@host.example/team/app.git",
    ]);
    git(&["add", "."]);
    let user = ["-c", "user.name=a", "-c", "user.email=a@b.example"];
    git(&[&user[..], &["commit", "-qm", "a"]].concat());

    let name = format!("{}:1", Engine::get().name("request"));
    let file = context.path().join("metadata.json");
    let build = |mut command: Command| {
        let mut other = std::ffi::OsString::from("other=");
        other.push(context.path().join("other"));
        command.args(["--push", "-t", &name, "--provenance=mode=max"]);
        command.args(["--build-arg=A=1", "--label=b=c", "--build-context"]);
        command.arg(other).arg("--metadata-file").arg(&file);
        command.arg("-f").arg(context.path().join("sub/App"));
        command.env("BUILDX_GIT_INFO", "1");
        command.env("BUILDX_METADATA_PROVENANCE", "max");
        Finished::of(command.arg(context.path().join("sub"))).succeeded();
    };
    build(buildx(["build"]));
    let pushed = Pushed::fetch(&name);
    let theirs = pushed.attestations("linux/amd64")[0]["predicate"].clone();
    build(solvekit(["build"]));
    let text = std::fs::read_to_string(&file).expect("it is written");
    let ours: Value = serde_json::from_str(&text).expect("JSON");
    let ours = &ours["buildx.build.provenance"];

    let mut invocation = ours["invocation"].clone();
    if let Some(args) = invocation["parameters"]["args"].as_object_mut() {
        // Older versions of buildx do not send it.
        args.remove("sharedkey:localdir:other");
    }
    assert_eq!(invocation, theirs["invocation"]);
    assert_eq!(ours["materials"], theirs["materials"]);
    let (ours, theirs) = (&ours["metadata"], &theirs["metadata"]);
    assert_eq!(ours["completeness"], theirs["completeness"]);
    let more = "https://mobyproject.org/buildkit@v1#metadata";
    assert!(ours[more]["vcs"]["localdir:other"].is_string(), "{ours:#}");
    assert_eq!(ours[more]["vcs"], theirs[more]["vcs"]);
    let files = |metadata: &Value| metadata[more]["source"]["infos"].as_array().map(Vec::len);
    assert_eq!(files(ours), files(theirs));
}

#[test]
fn warnings_are_there_when_they_are_wanted() {
    let dockerfile = "FROM alpine as base\n";
    let plain = metadata(solvekit(["build"]), dockerfile, &[]);
    assert!(plain.get("buildx.build.warnings").is_none(), "{plain}");
    let mut command = solvekit(["build"]);
    command.env("BUILDX_METADATA_WARNINGS", "true");
    let all = metadata(command, dockerfile, &[]);
    let warning = &all["buildx.build.warnings"][0];
    assert!(
        warning["vertex"].is_string() || warning["level"] == 1,
        "{all}"
    );
    assert!(
        warning["short"].is_string() && warning["detail"].is_array(),
        "{all}"
    );
    assert_eq!(warning["sourceInfo"]["filename"], "Dockerfile");
    assert_eq!(warning["range"][0]["start"]["line"], 1);
}
