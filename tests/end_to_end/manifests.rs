//! `solvekit manifest`: docker's commands for manifest lists, with docker's files.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::Digest as _;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit};

fn manifest(config: &Path, arguments: &[&str]) -> Finished {
    Finished::of(
        solvekit(["manifest"])
            .args(arguments)
            .env("DOCKER_CONFIG", config),
    )
}

/// The digest of alpine for an architecture.
fn alpine(architecture: &str) -> String {
    let name = format!("{}/library/alpine", Engine::get().registry);
    let index = Pushed::fetch(&format!("{name}:latest")).index;
    let manifests = index["manifests"].as_array().expect("an index").clone();
    let found = manifests
        .iter()
        .find(|entry| entry["platform"]["architecture"] == architecture);
    let digest = found.expect("alpine is for many")["digest"].as_str();
    format!("{name}@{}", digest.expect("a digest"))
}

#[test]
fn a_list_is_put_together_annotated_and_pushed() {
    let engine = Engine::get();
    let home = folder_of(&[]);
    let config = home.path();
    let name = engine.name("list");
    let list = format!("{name}:1");
    let (amd64, arm64) = (alpine("amd64"), alpine("arm64"));

    let created = manifest(config, &["create", &list, &amd64, &arm64]).succeeded();
    assert_eq!(created.stdout, format!("Created manifest list {list}\n"));
    // Docker's file names, and docker's fields in the files.
    let folder = config
        .join("manifests")
        .join(list.replace(':', "-").replace('/', "_"));
    let file = folder.join(arm64.replace(':', "-").replace('/', "_"));
    let entry: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("docker looks for it there"))
            .expect("JSON");
    assert_eq!(entry["Ref"], arm64);
    assert_eq!(entry["Descriptor"]["platform"]["architecture"], "arm64");
    assert_eq!(entry["SchemaV2Manifest"]["schemaVersion"], 2);

    manifest(config, &["create", &list, &amd64]).failed_with(1, &["already", "--amend"]);
    manifest(config, &["create", "--amend", &list, &amd64]).succeeded();
    manifest(
        config,
        &[
            "annotate",
            &list,
            &arm64,
            "--variant",
            "v8",
            "--os-version",
            "1",
        ],
    )
    .succeeded();
    // The annotations are kept when the same image is added again.
    manifest(config, &["create", "-a", &list, &arm64]).succeeded();
    let shown = manifest(config, &["inspect", &list]).succeeded().stdout;
    assert!(
        shown.starts_with("{\n   \"schemaVersion\": 2,\n"),
        "{shown}"
    );
    let one = manifest(config, &["inspect", &list, &arm64])
        .succeeded()
        .stdout;
    assert!(one.starts_with("{\n\t\"schemaVersion\": 2,"), "{one}");
    let verbose = manifest(config, &["inspect", "-v", &list])
        .succeeded()
        .stdout;
    let verbose: Value = serde_json::from_str(&verbose).expect("JSON");
    let variants: Vec<_> = verbose.as_array().expect("a list").iter().collect();
    assert!(
        variants
            .iter()
            .any(|entry| entry["Descriptor"]["platform"]["variant"] == "v8")
    );

    let pushed = manifest(config, &["push", "--purge", &list])
        .succeeded()
        .stdout;
    let digest = pushed.lines().last().expect("the digest").to_owned();
    assert_eq!(
        pushed
            .lines()
            .filter(|line| line.starts_with("Pushed ref "))
            .count(),
        2
    );
    assert!(!folder.exists());
    let text = shown.trim_end_matches('\n');
    assert_eq!(digest, format!("sha256:{:x}", sha2::Sha256::digest(text)));
    let found = Pushed::fetch(&list);
    assert_eq!(found.digest, digest);
    let mut platforms = found.platforms();
    platforms.sort();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64/v8"]);
    // The local list is gone: the one in the registry is shown, in the same format.
    assert_eq!(
        manifest(config, &["inspect", &list]).succeeded().stdout,
        shown
    );
    manifest(config, &["rm", &list, "nowhere/at-all"])
        .failed_with(1, &["no manifest list", &list, "nowhere/at-all"]);
}

#[test]
fn images_that_are_indexes_and_other_registries_are_accepted() {
    let engine = Engine::get();
    let home = folder_of(&[(
        "config.json",
        &format!(
            r#"{{"auths": {{"{}": {{"username": "{}", "password": "{}"}}}}}}"#,
            engine.registry_tls, engine.user, engine.password
        ),
    )]);
    let config = home.path();
    let attested = format!("{}:1", engine.name("one"));
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    Finished::of(
        solvekit([
            "build",
            "--platform",
            "linux/arm64",
            "--provenance=mode=min",
            "--push",
            "-t",
            &attested,
        ])
        .arg(context.path()),
    )
    .succeeded();
    let list = format!("{}:1", engine.name_tls("list"));
    let run = |arguments: &[&str]| {
        Finished::of(
            solvekit(["manifest"])
                .args(arguments)
                .env("DOCKER_CONFIG", config)
                .env("SSL_CERT_FILE", &engine.ca),
        )
    };
    run(&["create", &list, &attested, &alpine("amd64")]).succeeded();
    let digest = run(&["push", &list]).succeeded().stdout;
    let skopeo = std::env::var_os("SKOPEO").unwrap_or_else(|| "skopeo".into());
    let raw = Command::new(skopeo)
        .args(["inspect", "--raw", "--tls-verify=false", "--creds"])
        .arg(format!("{}:{}", engine.user, engine.password))
        .arg(format!("docker://{list}"))
        .output()
        .expect("skopeo is there");
    assert!(raw.status.success(), "{raw:?}");
    assert!(digest.ends_with(&format!("sha256:{:x}\n", sha2::Sha256::digest(&raw.stdout))));
    let index: Value = serde_json::from_slice(&raw.stdout).expect("JSON");
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(3));
    // The attestation still refers to its image.
    let provenance = Finished::of(
        solvekit([
            "imagetools",
            "inspect",
            &list,
            "--format",
            "{{json (index .Provenance \"linux/arm64\")}}",
        ])
        .env("DOCKER_CONFIG", config)
        .env("SSL_CERT_FILE", &engine.ca),
    );
    assert!(provenance.succeeded().stdout.contains("buildType"));
}

#[test]
fn mistakes_say_what_there_is() {
    let engine = Engine::get();
    let home = folder_of(&[]);
    let config = home.path();
    let list = format!("{}:1", engine.name("list"));
    let amd64 = alpine("amd64");
    manifest(config, &["push", &list]).failed_with(1, &["no manifest list", "manifest create"]);
    manifest(config, &["create", &list]).failed_with(1, &["MANIFEST"]);
    let missing = format!("{}/library/alpine:none", engine.registry);
    manifest(config, &["create", &list, &amd64, &missing])
        .failed_with(1, &["404", "none", "has the tags"]);
    // Nothing is created if a part is missing.
    manifest(config, &["annotate", &list, &amd64, "--os", "linux"])
        .failed_with(1, &["no manifest list"]);
    manifest(config, &["create", &list, &amd64]).succeeded();
    manifest(config, &["annotate", &list, "alpine", "--os", "linux"])
        .failed_with(1, &["has no", &amd64]);
    manifest(config, &["annotate", &list, &amd64, "--arch", "amd46"])
        .failed_with(1, &["linux/amd46", "amd64", "arm64"]);
    let file = config
        .join("manifests")
        .join(list.replace(':', "-").replace('/', "_"))
        .join(amd64.replace(':', "-").replace('/', "_"));
    let text = std::fs::read_to_string(&file).expect("it is there");
    // Content that does not match the digest is rejected; the error shows both digests.
    let digest = amd64.rsplit_once('@').expect("a digest").1;
    let other = format!("sha256:{}", "0".repeat(64));
    std::fs::write(
        &file,
        text.replace(
            &format!("\"digest\":\"{digest}\",\"size\""),
            &format!("\"digest\":\"{other}\",\"size\""),
        ),
    )
    .expect("it can be written");
    manifest(config, &["push", &list]).failed_with(65, &[digest, &other]);
    std::fs::write(&file, "{").expect("it can be written");
    manifest(config, &["inspect", &list]).failed_with(1, &[&file.display().to_string(), "EOF"]);
}
