//! `solvekit push` and `solvekit image`: copies of whole images between registries, folders,
//! archives and the engine, verified with skopeo and curl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit, unique};

const PLATFORMS: &str = "linux/amd64,linux/arm64";

/// Builds into `OUTPUT` in a new folder; returns the folder, the content of `/word`, and the
/// digest.
fn built(platforms: &str, output: &str) -> (TempDir, String, String) {
    let word = unique();
    let context = folder_of(&[
        ("Dockerfile", "FROM alpine\nCOPY word /\n"),
        ("word", &word),
    ]);
    let folder = folder_of(&[]);
    let metadata = context.path().join("metadata.json");
    let mut command = solvekit([
        "build",
        "-t",
        "example.org/app:v1",
        "--platform",
        platforms,
        "-o",
        output,
    ]);
    command
        .arg("--metadata-file")
        .arg(&metadata)
        .arg(context.path());
    Finished::of(command.current_dir(folder.path())).succeeded();
    let metadata: Value =
        serde_json::from_slice(&fs::read(metadata).expect("it is written")).expect("JSON");
    let digest = metadata["containerimage.digest"]
        .as_str()
        .expect("a digest");
    (folder, word, digest.to_owned())
}

/// The command with the settings for the registry with TLS.
fn command<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let engine = Engine::get();
    let pair = format!("{}:{}", engine.user, engine.password);
    let auth = base64::engine::general_purpose::STANDARD.encode(pair);
    let auths = json!({ "auths": { &engine.registry_tls: { "auth": auth } } });
    let mut command = solvekit(arguments);
    command
        .env("SSL_CERT_FILE", &engine.ca)
        .env("DOCKER_AUTH_CONFIG", auths.to_string());
    command
}

fn skopeo(arguments: &[&str], folder: &Path) -> Finished {
    let program = std::env::var("SKOPEO").expect("SKOPEO is set: `export $(tests/engine up)`");
    let mut command = Command::new(program);
    Finished::of(command.args(arguments).current_dir(folder))
}

fn names(what: &str) -> [String; 3] {
    let engine = Engine::get();
    let plain = engine.name(what);
    let tls = engine.name_tls(what);
    [
        format!("{plain}:1"),
        format!("{plain}:2"),
        format!("{tls}:1"),
    ]
}

#[test]
fn an_archive_goes_to_registries_and_is_not_sent_twice() {
    let (folder, word, digest) = built(PLATFORMS, "type=oci,dest=app.tar");
    let names = names("push");
    let [first, second, third] = names.each_ref();
    let arguments = ["push", "app.tar", "-t", first, "-t", second, "-t", third];
    let done = Finished::of(command(arguments).current_dir(folder.path())).succeeded();
    for name in &names {
        let pushed = Pushed::fetch(name);
        assert_eq!(pushed.digest, digest);
        assert_eq!(pushed.file("linux/arm64", "/word"), word);
        assert!(
            done.stdout.contains(&format!("{name}@{digest}\n")),
            "{}",
            done.stdout
        );
    }
    assert!(done.stderr.contains(" copied\n"), "{}", done.stderr);
    let again = Finished::of(command(arguments).current_dir(folder.path())).succeeded();
    assert!(again.stderr.contains(" is there\n"), "{}", again.stderr);
    assert!(!again.stderr.contains(" copied\n"), "{}", again.stderr);
}

#[test]
fn a_folder_with_a_tag_goes_to_a_registry() {
    let (folder, word, digest) = built(PLATFORMS, "type=oci,tar=false,dest=layout");
    let [name, ..] = names("folder");
    let run = |image: &str, more: &[&str]| {
        let arguments = ["push", image, "-t", &name, "-q"];
        let arguments = arguments.iter().chain(more);
        Finished::of(command(arguments).current_dir(folder.path()))
    };
    let done = run("layout:v1", &[]).succeeded();
    assert_eq!(done.stderr, "");
    assert_eq!(Pushed::fetch(&name).digest, digest);
    run("layout:v2", &[]).failed_with(1, &["v2", "it has v1"]);
    run("nowhere", &[]).failed_with(1, &["nowhere", "image copy"]);
    run("layout", &["--platform=linux/s390x"])
        .failed_with(1, &["linux/s390x", "it has linux/amd64, linux/arm64"]);
    run("layout", &["--platform=arm64"]).succeeded();
    let pushed = Pushed::fetch(&name);
    assert!(pushed.index.get("manifests").is_none(), "{}", pushed.index);
    assert_eq!(pushed.file("linux/arm64", "/word"), word);
}

#[test]
fn archives_for_docker_go_to_a_registry() {
    let (folder, word, _) = built("linux/arm64", "type=docker,dest=new.tar");
    let [first, second, _] = names("docker");
    // Skopeo writes the format of older engines: uncompressed layers, and no OCI layout.
    let source = "docker-archive:new.tar";
    skopeo(
        &[
            "copy",
            "--insecure-policy",
            source,
            "docker-archive:old.tar:example.org/app:v1",
        ],
        folder.path(),
    )
    .succeeded();
    for (file, name) in [("new.tar", &first), ("old.tar", &second)] {
        let run = command(["push", file, "-t", name])
            .current_dir(folder.path())
            .output();
        let run = run.expect("it runs");
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        assert_eq!(
            Pushed::fetch(name).file("linux/arm64", "/word"),
            word,
            "{file}"
        );
    }
    let listed = skopeo(
        &[
            "inspect",
            "--config",
            "--override-arch=arm64",
            "--tls-verify=false",
            &format!("docker://{second}"),
        ],
        folder.path(),
    );
    assert!(listed.succeeded().stdout.contains("\"arm64\""));
}

/// The largest blob of a layout.
fn largest(layout: &Path) -> PathBuf {
    let blobs = fs::read_dir(layout.join("blobs/sha256")).expect("it is there");
    let blobs = blobs.map(|entry| entry.expect("an entry").path());
    blobs
        .max_by_key(|path| path.metadata().expect("a file").len())
        .expect("a blob")
}

#[test]
fn what_is_cut_off_or_damaged_is_named_and_nothing_gets_a_name() {
    let (folder, ..) = built("linux/amd64", "type=oci,tar=false,dest=layout");
    let [name, ..] = names("damaged");
    let blob = largest(&folder.path().join("layout"));
    let digest = blob
        .file_name()
        .expect("a name")
        .to_str()
        .expect("UTF-8")
        .to_owned();
    let whole = fs::read(&blob).expect("it is there");
    let run = || {
        let mut command = command(["push", "layout", "-t", &name]);
        Finished::of(command.current_dir(folder.path()))
    };
    fs::remove_file(&blob).expect("it was there");
    run().failed_with(65, &["incomplete", &digest, "is missing"]);
    fs::write(&blob, &whole[..whole.len() / 2]).expect("it can be written");
    run().failed_with(
        65,
        &["incomplete", &digest, &format!("of {} bytes", whole.len())],
    );
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&blob, damaged).expect("it can be written");
    run().failed_with(65, &[&digest]);
    assert!(Pushed::find(&name).is_none());
    fs::write(&blob, whole).expect("it can be written");
    run().succeeded();

    let [_, _, tls] = names("denied");
    let mut denied = command(["push", "layout", "-t", &tls]);
    let denied = denied
        .env_remove("DOCKER_AUTH_CONFIG")
        .current_dir(folder.path());
    let login = format!("solvekit login {}", Engine::get().registry_tls);
    Finished::of(denied).failed_with(77, &["401", &login]);

    fs::write(folder.path().join("text"), "no archive").expect("it can be written");
    let mut text = command(["push", "text", "-t", &name]);
    Finished::of(text.current_dir(folder.path())).failed_with(1, &["text is not an archive"]);
}

#[test]
fn an_index_is_copied_between_registries_whole_or_one_platform_of_it() {
    let (folder, word, digest) = built(PLATFORMS, "type=oci,dest=app.tar");
    let [plain, other, tls] = names("copy");
    let run = |arguments: &[&str]| Finished::of(command(arguments).current_dir(folder.path()));
    run(&["image", "copy", "oci-archive:app.tar", &plain]).succeeded();
    let done = run(&["image", "copy", &plain, &tls]).succeeded();
    assert_eq!(done.stdout, format!("{tls}@{digest}\n"));
    let copied = Pushed::fetch(&tls);
    assert_eq!(copied.digest, digest);
    assert_eq!(copied.file("linux/amd64", "/word"), word);
    // Another repository of the same registry mounts the blobs.
    let mounted = format!("{}:1", Engine::get().name("mounted"));
    let done = run(&[
        "image",
        "copy",
        "--platform",
        "linux/arm64",
        &plain,
        &mounted,
    ])
    .succeeded();
    assert!(done.stderr.contains(" mounted\n"), "{}", done.stderr);
    assert_eq!(Pushed::fetch(&mounted).file("linux/arm64", "/word"), word);
    run(&[
        "image",
        "copy",
        "--platform",
        "windows/amd64",
        &plain,
        &other,
    ])
    .failed_with(1, &["windows/amd64", "it has linux/amd64, linux/arm64"]);
    run(&["image", "copy", &other, &tls]).failed_with(1, &["404 Not Found"]);
    run(&["image", "copy", "dir:/x", &tls]).failed_with(1, &["oci:DIR"]);
    run(&["image", "copy", &plain, "docker-archive:all.tar"])
        .failed_with(1, &["several platforms", "--platform"]);
    assert!(!folder.path().join("all.tar").exists());
}

#[test]
fn a_copy_to_a_folder_goes_on_where_it_was() {
    let (folder, word, digest) = built(PLATFORMS, "type=oci,dest=app.tar");
    let [plain, again, _] = names("resumed");
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        Finished::of(command.current_dir(folder.path())).succeeded()
    };
    run(&["image", "copy", "oci-archive:app.tar:v1", &plain]);
    assert_eq!(
        run(&["image", "copy", &plain, "oci:copy:v7"]).stdout,
        format!("{digest}\n")
    );
    let layout = folder.path().join("copy");
    let blob = largest(&layout);
    let whole = fs::read(&blob).expect("it is there");
    let ingest = layout.join("ingest");
    fs::create_dir(&ingest).expect("it is not there");
    let part = ingest.join(format!(
        "sha256-{}.part",
        blob.file_name().expect("a name").to_str().expect("UTF-8")
    ));
    for start in [&whole[..whole.len() / 2], b"something else"] {
        fs::create_dir_all(&ingest).expect("it can be made");
        fs::remove_file(&blob).expect("it is there");
        fs::write(&part, start).expect("it can be written");
        let done = run(&["image", "copy", &plain, "oci:copy:v7"]);
        assert!(done.stderr.contains(" is there\n"), "{}", done.stderr);
        let rest = done.stderr.contains(" copied the rest\n");
        assert_eq!(rest, start.len() > 100, "{}", done.stderr);
        assert_eq!(fs::read(&blob).expect("it is there"), whole);
        assert!(!ingest.exists());
    }
    let inspected = skopeo(&["inspect", "--raw", "oci:copy:v7"], folder.path()).succeeded();
    assert!(inspected.stdout.contains("arm64"));
    run(&["image", "copy", "oci:copy:v7", &again]);
    assert_eq!(Pushed::fetch(&again).file("linux/arm64", "/word"), word);
    run(&["image", "copy", &plain, "oci-archive:copy.tar:v8"]);
    skopeo(
        &[
            "inspect",
            "--override-arch=arm64",
            "oci-archive:copy.tar:v8",
        ],
        folder.path(),
    )
    .succeeded();
    assert!(!folder.path().join("copy.tar.partial").exists());
}

#[test]
fn an_image_is_saved_for_docker_and_pulled_into_the_engine() {
    let (folder, ..) = built(PLATFORMS, "type=oci,dest=app.tar");
    let [plain, ..] = names("saved");
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("XDG_CACHE_HOME", folder.path().join("cache"));
        Finished::of(command.current_dir(folder.path()))
    };
    run(&["image", "copy", "oci-archive:app.tar", &plain]).succeeded();
    run(&[
        "image",
        "save",
        "--platform",
        "linux/arm64",
        &plain,
        "-o",
        "saved.tar",
    ])
    .succeeded();
    let inspected = skopeo(&["inspect", "docker-archive:saved.tar"], folder.path()).succeeded();
    let inspected: Value = serde_json::from_str(&inspected.stdout).expect("JSON");
    assert_eq!(inspected["Architecture"], "arm64");
    run(&["image", "save", "--format", "oci", &plain, "-o", "all.tar"]).succeeded();
    let all = skopeo(&["inspect", "--raw", "oci-archive:all.tar"], folder.path()).succeeded();
    assert!(
        all.stdout.contains("amd64") && all.stdout.contains("arm64"),
        "{}",
        all.stdout
    );
    run(&["image", "pull", "--platform", "linux/s390x", &plain])
        .failed_with(1, &["linux/s390x", "it has linux/amd64, linux/arm64"]);

    let Some(socket) = Engine::get().host.strip_prefix("docker://") else {
        // A BuildKit without an engine cannot load images.
        run(&["image", "pull", "--addr", "docker:///nowhere.sock", &plain])
            .failed_with(1, &["/nowhere.sock"]);
        return;
    };
    let pulled = run(&["image", "pull", "--platform", "arm64", &plain]).succeeded();
    assert_eq!(pulled.stdout, format!("{plain}\n"));
    let url = format!("http://docker/images/{plain}/json");
    let mut curl = Command::new("curl");
    let found = curl
        .args(["-fsS", "--unix-socket", socket, &url])
        .output()
        .expect("curl is there");
    let found: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(found["Architecture"], "arm64", "{found}");
    let mut curl = Command::new("curl");
    let url = format!("http://docker/images/{plain}");
    let removed = curl
        .args(["-fsS", "-X", "DELETE", "--unix-socket", socket, &url])
        .output();
    assert!(removed.expect("curl is there").status.success());
    assert!(
        !folder
            .path()
            .join("cache/solvekit/images")
            .read_dir()
            .expect("it is there")
            .any(|_| true)
    );
}
