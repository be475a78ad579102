//! Results that are exported to this machine: folders and archives.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{BuilderHome, Engine, Finished, Relay, folder_of, solvekit, unique};

/// A context with a file, a folder, a link and a program.
fn context(word: &str) -> TempDir {
    let dockerfile = format!(
        "FROM alpine AS made\nARG TARGETARCH\nRUN mkdir -p /out/deep && echo {word} $TARGETARCH > \
         /out/deep/file && \
         ln -s deep/file /out/link && chmod 750 /out/deep\nFROM scratch\nCOPY --from=made /out /\n"
    );
    folder_of(&[("Dockerfile", &dockerfile)])
}

fn build(context: &TempDir, output: &str) -> Finished {
    Finished::of(solvekit(["build", "-o", output]).arg(context.path()))
}

#[test]
fn files_arrive_in_a_folder_with_their_modes_and_links() {
    use std::os::unix::fs::PermissionsExt as _;
    let word = unique();
    let (context, out) = (context(&word), tempfile::tempdir().expect("a folder"));
    fs::write(out.path().join("mine"), "stays").expect("it can be written");
    build(&context, &out.path().display().to_string()).succeeded();
    let read = |path: &str| fs::read_to_string(out.path().join(path)).expect("it is there");
    assert_eq!(read("deep/file"), format!("{word} amd64\n"));
    assert_eq!(read("link"), format!("{word} amd64\n"));
    assert_eq!(read("mine"), "stays");
    let deep = fs::metadata(out.path().join("deep")).expect("it is there");
    assert_eq!(deep.permissions().mode() & 0o777, 0o750);
}

#[test]
fn of_several_platforms_each_has_a_folder() {
    let word = unique();
    let (context, out) = (context(&word), tempfile::tempdir().expect("a folder"));
    let path = out.path().join("new/folder");
    Finished::of(
        solvekit(["build", "--platform", "linux/amd64,linux/arm64", "-o"])
            .arg(&path)
            .arg(context.path()),
    )
    .succeeded();
    for (folder, platform) in [("linux_amd64", "amd64"), ("linux_arm64", "arm64")] {
        let text = fs::read_to_string(path.join(folder).join("deep/file")).expect("it is there");
        assert_eq!(text, format!("{word} {platform}\n"));
    }
}

#[test]
fn an_archive_goes_to_the_standard_output() {
    let word = unique();
    let context = context(&word);
    let mut command = solvekit(["build", "-o", "-"]);
    let output = command.arg(context.path()).stdin(Stdio::null()).output();
    let output = output.expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let file = context.path().join("out.tar");
    fs::write(&file, &output.stdout).expect("it can be written");
    assert_eq!(
        tar(&file, &["-xOf"], "deep/file"),
        format!("{word} amd64\n")
    );
}

#[test]
fn images_are_written_as_archives() {
    let word = unique();
    let context = context(&word);
    let name = Engine::get().name("archive");
    let oci = context.path().join("oci.tar");
    build(
        &context,
        &format!("type=oci,dest={},name={name}:1", oci.display()),
    )
    .succeeded();
    let index: Value = serde_json::from_str(&tar(&oci, &["-xOf"], "index.json")).expect("JSON");
    assert_eq!(index["manifests"].as_array().expect("a list").len(), 1);
    let docker = context.path().join("docker.tar");
    build(
        &context,
        &format!("type=docker,dest={},name={name}:2", docker.display()),
    )
    .succeeded();
    let manifest: Value =
        serde_json::from_str(&tar(&docker, &["-xOf"], "manifest.json")).expect("JSON");
    assert_eq!(manifest[0]["RepoTags"][0], format!("{name}:2"));
}

#[test]
fn an_image_is_loaded_into_the_engine() {
    let Some(socket) = Engine::get().host.strip_prefix("docker://") else {
        let context = context(&unique());
        build(&context, "type=docker")
            .failed_with(1, &["no Docker engine to load", "dest=image.tar"]);
        return;
    };
    let context = context(&unique());
    let name = format!("{}:latest", Engine::get().name("loaded"));
    Finished::of(solvekit(["build", "--load", "-t", &name]).arg(context.path())).succeeded();
    assert_eq!(
        image_of_engine(socket, &name).expect("the engine has it")["RepoTags"][0],
        name
    );
}

/// The engine's description of an image, if it exists there.
fn image_of_engine(socket: &str, name: &str) -> Option<Value> {
    let inspected = Command::new("curl")
        .args(["-fsS", "--unix-socket", socket])
        .arg(format!("http://engine/images/{name}/json"))
        .output()
        .expect("curl is there");
    serde_json::from_slice(&inspected.stdout).ok()
}

#[test]
fn a_builder_that_is_no_engine_loads_into_the_one_of_the_context() {
    let Some(socket) = Engine::get().host.strip_prefix("docker://") else {
        return;
    };
    let relay = Relay::tcp();
    let home = BuilderHome::with_engine(&format!("unix://{socket}"));
    let create = [
        "create",
        "--use",
        "--name",
        "far",
        "--driver",
        "remote",
        "--driver-opt",
        "default-load=true",
    ];
    Finished::of(home.solvekit(&create).arg(relay.address())).succeeded();
    let context = context(&unique());
    let path = context.path().to_str().expect("text");
    let name = || format!("{}:latest", Engine::get().name("loaded"));

    let loaded = name();
    home.run(&["build", "-t", &loaded, path]).succeeded();
    assert_eq!(
        image_of_engine(socket, &loaded).expect("the engine has it")["RepoTags"][0],
        loaded
    );
    assert!(relay.carried() > 0);

    let kept = name();
    let mut build = home.solvekit(&["build", "-t", &kept, path]);
    Finished::of(build.env("BUILDX_NO_DEFAULT_LOAD", "1")).succeeded();
    assert!(image_of_engine(socket, &kept).is_none());

    // The selected builder is one of the engine's.
    let mut build = home.solvekit(&["--builder", "far", "build", "--load", "-t", &kept, path]);
    build.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    Finished::of(&mut build).failed_with(1, &["no Docker engine to load", "/nowhere/docker.sock"]);
}

#[test]
fn a_full_disk_names_the_path_and_leaves_no_half_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = Small::mount(folder.path());
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let file = folder.path().join("image.tar");
    build(&context, &format!("type=oci,dest={}", file.display()))
        .failed_with(1, &["No space left on device", "cannot write"]);
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0);
    let step = format!("FROM alpine\nRUN echo {}\n", unique());
    let step = folder_of(&[("Dockerfile", &step)]);
    let images = folder.path().join("images");
    for flag in [
        format!("--output=type=oci,tar=false,dest={}", images.display()),
        format!("--cache-to=type=local,mode=max,dest={}", images.display()),
    ] {
        Finished::of(solvekit(["build", &flag]).arg(step.path()))
            .failed_with(1, &["No space left on device", "/images/ingest/"]);
        // A complete file may stay; the next build reuses it.
        let entries = fs::read_dir(&images).expect("it is there");
        let mut names = entries.map(|entry| entry.expect("an entry").file_name());
        assert!(names.all(|name| name == "blobs"));
        fs::remove_dir_all(&images).expect("it can be removed");
    }
    let files = folder.path().join("files");
    build(&context, &files.display().to_string())
        .failed_with(1, &["No space left on device", "bin/"]);
    drop(small);
}

#[test]
fn a_destination_of_the_wrong_kind_is_reported_before_the_build() {
    let context = context(&unique());
    let file = context.path().join("Dockerfile").display().to_string();
    let failed = build(&context, &file).failed_with(1, &["Dockerfile", "no folder"]);
    assert!(!failed.stderr.contains("#1 "), "{}", failed.stderr);
}

/// A file system of 300 KiB.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn mount(path: &'a Path) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=300k", "none"]);
        assert!(mount.arg(path).status().expect("mount is there").success());
        Self(path)
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

fn tar(archive: &Path, flags: &[&str], path: &str) -> String {
    let output = Command::new("tar")
        .args(flags)
        .arg(archive)
        .arg(path)
        .output();
    String::from_utf8_lossy(&output.expect("tar is there").stdout).into_owned()
}

#[test]
fn a_folder_can_be_made_to_hold_the_result_only() {
    let context = context(&unique());
    let root = folder_of(&[
        ("out/stale", "x"),
        ("out/old/file", "x"),
        ("out/deep/old", "x"),
        ("mine", "x"),
    ]);
    let build = |destination: &str| {
        let output = format!("type=local,mode=delete,dest={destination}");
        Finished::of(
            solvekit(["build", "-o", &output])
                .arg(context.path())
                .current_dir(root.path()),
        )
    };
    for elsewhere in [".", "..", "/tmp"] {
        build(elsewhere).failed_with(
            1,
            &[
                "mode=delete would remove files of",
                "--allow buildx.local.delete",
            ],
        );
    }
    let names = |path: &str| {
        let entries = fs::read_dir(root.path().join(path)).expect("it is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let finished = build("out");
    if finished.code == Some(0) {
        assert_eq!(
            [names("out"), names("out/deep")],
            [vec!["deep", "link"], vec!["file"]]
        );
    } else {
        // A daemon that does not know this mode.
        finished.failed_with(
            1,
            &["mode=delete needs a newer BuildKit", "nothing was written"],
        );
        assert_eq!(
            [names("out"), names("out/deep")],
            [vec!["deep", "old", "stale"], vec!["old"]]
        );
    }
    assert_eq!(names("."), ["mine", "out"]);
}
