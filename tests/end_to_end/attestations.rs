//! The provenance that the daemon makes if this client is the frontend, checked in the registry.

use base64::Engine as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Engine, Finished, Pushed, buildx, folder_of, solvekit, unique};

const DOCKERFILE: &str = "ARG BASE=alpine\nFROM $BASE AS made\nARG WORD\nRUN echo \"$WORD\" > \
                          /word\n\
     FROM scratch\nCOPY --from=made /word /\n";

struct Build {
    context: TempDir,
    name: String,
    word: String,
}

impl Build {
    fn new(what: &str) -> Self {
        Self {
            context: folder_of(&[("Dockerfile", DOCKERFILE)]),
            name: format!("{}:1", Engine::get().name(what)),
            word: unique(),
        }
    }

    fn flags(&self) -> Vec<String> {
        let word = format!("WORD={}", self.word);
        let flags = ["build", "--push", "-t", &self.name, "--build-arg", &word];
        flags.into_iter().map(str::to_owned).collect()
    }

    /// Pushes with solvekit.
    fn pushed(&self, flags: &[&str]) -> Pushed {
        let mut command = solvekit(self.flags());
        Finished::of(command.args(flags).arg(self.context.path())).succeeded();
        Pushed::fetch(&self.name)
    }
}

/// The source files and lines in a provenance of either version.
fn source(predicate: &Value) -> &Value {
    let older = &predicate["metadata"]["https://mobyproject.org/buildkit@v1#metadata"]["source"];
    let newer = &predicate["runDetails"]["metadata"]["buildkit_metadata"]["source"];
    if older.is_null() { newer } else { older }
}

/// The base images in a provenance of either version.
fn materials(predicate: &Value) -> &Value {
    let older = &predicate["materials"];
    let newer = &predicate["buildDefinition"]["resolvedDependencies"];
    if older.is_null() { newer } else { older }
}

fn data(info: &Value) -> String {
    let data = info["data"].as_str().expect("base64");
    let bytes = base64::engine::general_purpose::STANDARD.decode(data);
    String::from_utf8(bytes.expect("base64")).expect("text")
}

/// The only statement about a platform, which is a provenance.
fn provenance(pushed: &Pushed, platform: &str) -> Value {
    let statements = pushed.attestations(platform);
    let [statement] = statements.as_slice() else {
        panic!("{statements:?}");
    };
    let kind = statement["predicateType"].as_str().expect("text");
    assert!(kind.starts_with("https://slsa.dev/provenance/"), "{kind}");
    statement["predicate"].clone()
}

#[test]
fn full_provenance_shows_the_dockerfile_its_lines_the_arguments_and_the_base_images() {
    let build = Build::new("provenance");
    let pushed = build.pushed(&[
        "--provenance=mode=max",
        "--platform=linux/amd64,linux/arm64",
    ]);
    for platform in ["linux/amd64", "linux/arm64"] {
        let predicate = provenance(&pushed, platform);
        let source = source(&predicate);
        assert_eq!(source["infos"][0]["filename"], "Dockerfile");
        assert_eq!(data(&source["infos"][0]), DOCKERFILE);
        let request: Value = serde_json::from_str(&data(&source["infos"][1])).expect("JSON");
        assert_eq!(request["frontend"], "solvekit");
        assert_eq!(request["args"]["build-arg:WORD"], build.word.as_str());
        let lines: Vec<&Value> = source["locations"]
            .as_object()
            .expect("by step")
            .values()
            .map(|place| &place["locations"][0]["ranges"][0]["start"]["line"])
            .collect();
        assert!(lines.iter().any(|line| **line == 4), "{lines:?}");
        let base = &materials(&predicate)[0];
        let uri = base["uri"].as_str().expect("text");
        assert!(uri.starts_with("pkg:docker/alpine@latest"), "{uri}");
        assert!(uri.ends_with(&platform.replace('/', "%2F")), "{uri}");
        assert!(base["digest"]["sha256"].is_string());
    }
}

#[test]
fn short_provenance_has_neither_arguments_nor_the_dockerfile() {
    let build = Build::new("provenance-min");
    let pushed = build.pushed(&["--attest", "type=provenance,mode=min"]);
    let text = provenance(&pushed, "linux/amd64").to_string();
    assert!(
        !text.contains(&build.word) && !text.contains("llbDefinition"),
        "{text}"
    );
    assert!(text.contains("pkg:docker/alpine@latest"), "{text}");
}

#[test]
fn nothing_is_attested_unless_it_is_asked_for() {
    let build = Build::new("unattested");
    for flags in [
        &[][..],
        &["--provenance=false"],
        &["--attest=type=provenance,disabled=true"],
    ] {
        let pushed = build.pushed(flags);
        assert!(pushed.index.get("manifests").is_none(), "{}", pushed.index);
    }
    // buildx's default, enabled by its own variable.
    let mut command = solvekit(build.flags());
    command.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "0");
    Finished::of(command.arg(build.context.path())).succeeded();
    provenance(&Pushed::fetch(&build.name), "linux/amd64");
}

#[test]
fn an_index_is_made_as_by_buildx() {
    let build = Build::new("as-buildx");
    let ours = build.pushed(&["--provenance=mode=max"]);
    let mut command = buildx(build.flags());
    Finished::of(
        command
            .arg("--provenance=mode=max")
            .arg(build.context.path()),
    )
    .succeeded();
    let theirs = Pushed::fetch(&build.name);
    let shape = |pushed: &Pushed| -> Vec<String> {
        let entries = pushed.index["manifests"].as_array().expect("an index");
        let shown = entries.iter().map(|entry| {
            let annotations = entry["annotations"].as_object();
            let keys: Vec<&String> = annotations.into_iter().flat_map(|all| all.keys()).collect();
            format!("{} {} {keys:?}", entry["mediaType"], entry["platform"])
        });
        shown.collect()
    };
    assert_eq!(shape(&ours), shape(&theirs));
    let (ours, theirs) = (
        provenance(&ours, "linux/amd64"),
        provenance(&theirs, "linux/amd64"),
    );
    assert_eq!(materials(&ours), materials(&theirs));
    // The graph and its source lines are the same.
    let older = "/buildConfig/llbDefinition";
    let newer = "/buildDefinition/internalParameters/buildConfig/llbDefinition";
    let graph = |found: &Value| found.pointer(older).or(found.pointer(newer)).cloned();
    assert!(graph(&ours).is_some());
    assert_eq!(graph(&ours), graph(&theirs));
    assert_eq!(source(&ours)["locations"], source(&theirs)["locations"]);
    assert_eq!(
        source(&ours)["infos"][0]["data"],
        source(&theirs)["infos"][0]["data"]
    );
}

#[test]
fn wrong_attestations_are_reported_before_a_daemon_is_asked() {
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    for (flags, parts) in [
        (
            &["--provenance=mode=most"][..],
            &["--provenance", "neither min nor max"][..],
        ),
        (&["--attest=type=x"], &["--attest", "provenance, sbom"]),
        (
            &["--attest=type=provenance,reproducible=x"],
            &["reproducible=x is neither true nor false"],
        ),
        (&["--sbom=generator="], &["--sbom", "no image"]),
        (
            &["--provenance=true", "-o", "type=docker,dest=x.tar"],
            &["type=oci", "--provenance=false"],
        ),
    ] {
        let mut command = solvekit(["build"]);
        Finished::of(command.args(flags).arg(context.path())).failed_with(1, parts);
    }
}
