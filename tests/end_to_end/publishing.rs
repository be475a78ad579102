//! Images that this client pushes (`--push-from=client`), and images that are signed before their
//! tags point to them. openssl verifies the signatures.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::nodes::Both;
use crate::support::{
    Engine, Fault, FaultyRegistry, Finished, Pushed, Running, folder_of, solvekit, unique,
};

const PLATFORMS: &str = "linux/amd64,linux/arm64";

fn context(text: &str) -> TempDir {
    let dockerfile = "FROM busybox\nCOPY file /file\n";
    folder_of(&[("Dockerfile", dockerfile), ("file", text)])
}

fn build(context: &Path, name: &str, more: &[&str]) -> Finished {
    let mut command = solvekit(["build", "--push", "--platform", PLATFORMS, "-t", name]);
    Finished::of(command.args(more).arg(context))
}

fn name(what: &str) -> String {
    format!(
        "{}/publishing/{what}-{}:1",
        Engine::get().registry,
        unique()
    )
}

fn curl(name: &str, what: &str) -> Vec<u8> {
    let (registry, path) = name.split_once('/').expect("a registry");
    let accept = "Accept: application/vnd.oci.image.manifest.v1+json";
    let mut curl = Command::new("curl");
    curl.args(["-fsS", "-H", accept]);
    let output = curl
        .arg(format!("http://{registry}/v2/{path}/{what}"))
        .output();
    let output = output.expect("curl is there");
    assert!(output.status.success(), "{name} {what}");
    output.stdout
}

fn openssl(folder: &Path, arguments: &str) -> bool {
    let mut openssl = Command::new("openssl");
    let status = openssl
        .args(arguments.split(' '))
        .current_dir(folder)
        .output();
    status.expect("openssl is there").status.success()
}

/// A folder with a new key.
fn key() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let new = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out private.pem";
    assert!(openssl(folder.path(), new));
    assert!(openssl(
        folder.path(),
        "pkey -in private.pem -pubout -out public.pem"
    ));
    folder
}

/// Verifies the last signature of a digest with openssl, and returns the number of signatures.
fn verify(repository: &str, digest: &str, keys: &Path) -> usize {
    let tag = format!("manifests/{}.sig", digest.replace(':', "-"));
    let manifest: Value = serde_json::from_slice(&curl(repository, &tag)).expect("JSON");
    let layers = manifest["layers"].as_array().expect("layers");
    let layer = layers.last().expect("a signature");
    let payload = curl(
        repository,
        &format!("blobs/{}", layer["digest"].as_str().expect("text")),
    );
    let signed: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(
        signed["critical"]["image"]["docker-manifest-digest"],
        *digest
    );
    assert_eq!(
        signed["critical"]["identity"]["docker-reference"],
        *repository
    );
    let signature = layer["annotations"]["dev.cosignproject.cosign/signature"].as_str();
    std::fs::write(keys.join("payload"), payload).expect("a file");
    std::fs::write(keys.join("signature.b64"), signature.expect("text")).expect("a file");
    assert!(openssl(
        keys,
        "base64 -d -A -in signature.b64 -out signature"
    ));
    assert!(openssl(
        keys,
        "dgst -sha256 -verify public.pem -signature signature payload"
    ));
    layers.len()
}

#[test]
fn an_image_that_this_side_pushes_is_the_one_that_the_daemon_built() {
    let (name, context) = (name("client"), context(&unique()));
    let metadata = context
        .path()
        .join("../")
        .join(format!("{}.json", unique()));
    let flags = [
        "--push-from=client",
        "--metadata-file",
        metadata.to_str().expect("text"),
    ];
    let built = build(context.path(), &name, &flags).succeeded();
    assert!(
        built.stderr.contains(&format!("pushing {name}")),
        "{}",
        built.stderr
    );
    let pushed = Pushed::fetch(&name);
    assert!(
        pushed
            .platforms()
            .starts_with(&["linux/amd64".into(), "linux/arm64".into()])
    );
    let text = std::fs::read(&metadata).expect("metadata");
    let metadata: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(metadata["containerimage.digest"], pushed.digest);
    assert_eq!(metadata["image.name"], name);
}

#[test]
fn a_push_from_this_side_sends_what_the_registry_lacks_and_retries() {
    let down = Fault::Status("503 Service Unavailable", "");
    let registry = FaultyRegistry::failing(down, &["PUT", "/manifests/"], 1);
    let path = format!("publishing/partly-{}:1", unique());
    let (first, second) = (context(&unique()), context(&unique()));
    let flags = ["--push-from=client"];
    let built = build(first.path(), &registry.name(&path), &flags).succeeded();
    assert!(
        built.stderr.contains("answers 503: trying again"),
        "{}",
        built.stderr
    );
    let uploads = || registry.requests(&["POST", "/blobs/uploads/"]).len();
    let before = uploads();
    build(second.path(), &registry.name(&path), &flags).succeeded();
    let platforms = 2;
    // A config and a layer for each platform, and attestations, but no base layers.
    let new = uploads() - before;
    assert!(new >= platforms && new < before, "{before} then {new}");
    let file = std::fs::read_to_string(second.path().join("file")).expect("text");
    let pushed = Pushed::fetch(&registry.behind(&path));
    assert_eq!(pushed.file("linux/arm64", "file"), file);
}

#[test]
fn an_image_is_signed_with_a_key_before_it_is_tagged() {
    let (keys, name, context) = (key(), name("key"), context(&unique()));
    let sign = format!("--sign=key={}", keys.path().join("private.pem").display());
    for from in ["--push-from=daemon", "--push-from=client"] {
        build(context.path(), &name, &[&sign, from]).succeeded();
    }
    let pushed = Pushed::fetch(&name);
    let repository = name.rsplit_once(':').expect("a tag").0;
    // The second build has found the signature of the first.
    assert_eq!(verify(repository, &pushed.digest, keys.path()), 1);
    let arm = pushed.index["manifests"].as_array().expect("an index");
    let arm = arm
        .iter()
        .find(|it| it["platform"]["architecture"] == "arm64");
    let arm = arm.expect("arm64")["digest"].as_str().expect("text");
    assert_eq!(verify(repository, arm, keys.path()), 1);
}

#[test]
fn a_signature_that_fails_leaves_the_tag_alone() {
    let (name, context) = (name("failed"), context(&unique()));
    let failed = build(context.path(), &name, &["--sign=command=false"]);
    failed.failed_with(
        1,
        &[
            "cannot sign",
            "false failed (exit status: 1)",
            "no tag has moved",
        ],
    );
    assert!(Pushed::find(&name).is_none());
    let absent = build(context.path(), &name, &["--sign=command=/no/such/signer"]);
    absent.failed_with(1, &["/no/such/signer", "there is no such program"]);
}

#[test]
fn a_command_signs_by_digest_while_the_tag_is_not_there() {
    let (name, context) = (name("baked"), context(&unique()));
    let (repository, tag) = name.rsplit_once(':').expect("a tag");
    let (registry, path) = repository.split_once('/').expect("a registry");
    let script = context.path().join("signer");
    let text = format!(
        "#!/bin/sh\necho \"$1\" >> {}\n! curl -fs http://{registry}/v2/{path}/manifests/{tag}\n",
        context.path().join("signed").display()
    );
    std::fs::write(&script, text).expect("a script");
    let file = format!("target \"default\" {{\n  tags = [\"{name}\"]\n}}\n");
    std::fs::write(context.path().join("docker-bake.hcl"), file).expect("a file");
    let sign = format!("--sign=command=sh {}", script.display());
    let mut bake = solvekit(["bake", "--push", "--push-from=client", &sign]);
    Finished::of(bake.current_dir(context.path())).succeeded();
    let signed = std::fs::read_to_string(context.path().join("signed")).expect("text");
    let digest = Pushed::fetch(&name).digest;
    assert_eq!(
        signed.lines().last(),
        Some(&*format!("{repository}@{digest}"))
    );
}

#[test]
fn an_image_of_two_nodes_is_signed_before_it_is_tagged() {
    let (keys, both) = (key(), Both::new());
    let sign = format!("--sign=key={}", keys.path().join("private.pem").display());
    for from in ["--push-from=daemon", "--push-from=client"] {
        let (name, context) = (name("nodes"), context(&unique()));
        let mut build = both
            .home
            .solvekit(&["build", "--push", "--platform", PLATFORMS]);
        build.env("BUILDX_BUILDER", "both");
        build.args(["-t", &name, &sign, from]).arg(context.path());
        Finished::of(&mut build).succeeded();
        let pushed = Pushed::fetch(&name);
        let repository = name.rsplit_once(':').expect("a tag").0;
        assert_eq!(verify(repository, &pushed.digest, keys.path()), 1, "{from}");
        let images = pushed.index["manifests"].as_array().expect("an index");
        let is_image = |it: &&Value| it["platform"]["os"] == "linux";
        let images: Vec<_> = images.iter().filter(is_image).collect();
        assert_eq!(images.len(), 2, "{from}");
        for image in images {
            let digest = image["digest"].as_str().expect("text");
            assert_eq!(verify(repository, digest, keys.path()), 1, "{from}");
        }
    }
}

#[test]
fn a_signer_that_hangs_is_ended_by_ctrl_c_and_leaves_the_tag_alone() {
    let (name, context) = (name("hangs"), context(&unique()));
    let script = context.path().join("../").join(unique());
    std::fs::write(&script, "echo waiting for a key >&2; exec sleep 600\n").expect("a script");
    let sign = format!("--sign=command=sh {}", script.display());
    let mut build = solvekit(["build", "--push", "--progress=plain", "-t", &name, &sign]);
    let mut running = Running::start(build.arg(context.path()));
    running.until("waiting for a key");
    running.interrupt();
    running.wait().failed_with(130, &[]);
    assert!(Pushed::find(&name).is_none());
    std::fs::remove_file(script).expect("it is there");
}

#[test]
fn a_key_that_openssl_has_encrypted_is_named_as_such_before_the_build() {
    let (keys, context) = (key(), context(&unique()));
    let sealed = "pkcs8 -topk8 -in private.pem -out sealed.pem -passout pass:secret";
    assert!(openssl(keys.path(), sealed));
    let sign = format!("--sign=key={}", keys.path().join("sealed.pem").display());
    let failed = build(context.path(), &name("sealed"), &[&sign]);
    let failed = failed.failed_with(1, &["not supported: PKCS #8"]);
    assert!(!failed.stderr.contains("FROM busybox"), "{}", failed.stderr);
}
