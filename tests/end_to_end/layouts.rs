//! Images in folders, as OCI layouts, checked with other tools.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit, unique};

/// Builds two platforms into the folder under a name; returns the digest that the build reports.
fn export(folder: &Path, name: &str, word: &str) -> String {
    let context = folder_of(&[
        (
            "Dockerfile",
            "FROM alpine\nARG TARGETARCH\nCOPY word /\nRUN echo $TARGETARCH >> /word\n",
        ),
        ("word", word),
    ]);
    let metadata = context.path().join("metadata.json");
    let output = format!("type=oci,tar=false,dest={}", folder.display());
    let mut command = solvekit([
        "build",
        "--platform=linux/amd64,linux/arm64",
        "-t",
        name,
        "-o",
        &output,
    ]);
    command
        .arg("--metadata-file")
        .arg(&metadata)
        .arg(context.path());
    Finished::of(&mut command).succeeded();
    let metadata = std::fs::read(metadata).expect("it is written");
    let metadata: Value = serde_json::from_slice(&metadata).expect("JSON");
    metadata["containerimage.digest"]
        .as_str()
        .expect("a digest")
        .to_owned()
}

/// Copies an image from the folder to the registry with skopeo, which verifies it completely.
fn copied(folder: &Path, tag: &str) -> Pushed {
    let skopeo = std::env::var("SKOPEO").expect("SKOPEO is set: `export $(tests/engine up)`");
    let name = format!("{}:{tag}", Engine::get().name("folder"));
    let mut command = Command::new(skopeo);
    command.args([
        "copy",
        "--all",
        "--insecure-policy",
        "--dest-tls-verify=false",
        "--preserve-digests",
    ]);
    command.arg(format!("oci:{}:{tag}", folder.display()));
    Finished::of(command.arg(format!("docker://{name}"))).succeeded();
    Pushed::fetch(&name)
}

#[test]
fn skopeo_reads_the_images_of_a_folder() {
    let folder = folder_of(&[]);
    let folder = folder.path().join("new folder");
    let words = [unique(), unique()];
    let digests = [("v1", &words[0]), ("v2", &words[1])]
        .map(|(tag, word)| export(&folder, &format!("example.org/app:{tag}"), word));
    for ((tag, word), digest) in ["v1", "v2"].into_iter().zip(&words).zip(&digests) {
        let image = copied(&folder, tag);
        assert_eq!(&image.digest, digest);
        for platform in ["linux/amd64", "linux/arm64"] {
            let architecture = platform.trim_start_matches("linux/");
            assert_eq!(
                image.file(platform, "/word"),
                format!("{word}{architecture}\n")
            );
        }
    }
    let mut left: Vec<_> = std::fs::read_dir(&folder)
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["blobs", "index.json", "oci-layout"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let mut command = solvekit(["build", "-o", "type=oci,tar=false,dest=/proc/nowhere"]);
    Finished::of(command.arg(context.path()))
        .failed_with(1, &["cannot use a folder of images", "/proc/nowhere"]);
    let mut command = solvekit(["build", "--cache-to", "type=local,dest=/proc/nowhere"]);
    Finished::of(command.arg(context.path())).failed_with(
        1,
        &["cannot use a folder of images or caches", "/proc/nowhere"],
    );
}

#[test]
fn one_image_folder_at_a_time_is_reported_before_the_build() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\n")]);
    let mut command = solvekit([
        "build",
        "-o",
        "type=oci,tar=false,dest=a",
        "-o",
        "type=oci,tar=false,dest=b",
    ]);
    Finished::of(command.arg(context.path()))
        .failed_with(1, &["several outputs are images in folders", "tar=true"]);
}

/// The content must be new to the daemon: it may keep known content by its digest.
#[test]
fn a_damaged_image_of_a_folder_is_reported() {
    let folder = folder_of(&[]);
    let digest = export(folder.path(), "example.org/app:v1", &unique());
    let blob = folder
        .path()
        .join("blobs/sha256")
        .join(digest.trim_start_matches("sha256:"));
    let text = std::fs::read_to_string(&blob).expect("it is there");
    std::fs::write(&blob, text.replacen("manifests", "manifestz", 1)).expect("it can be written");
    let context = folder_of(&[("Dockerfile", "FROM base\n")]);
    let base = format!("base=oci-layout://{}", folder.path().display());
    let mut command = solvekit(["build", "--build-context", &base]);
    Finished::of(command.arg(context.path()))
        .failed_with(1, &["is damaged: its content has another digest"]);
}

#[test]
fn images_of_a_folder_are_contexts_by_tag_and_digest() {
    let folder = folder_of(&[]);
    let words = [unique(), unique()];
    let digests = [("v1", &words[0]), ("v2", &words[1])]
        .map(|(tag, word)| export(folder.path(), &format!("example.org/app:{tag}"), word));
    let context = folder_of(&[(
        "Dockerfile",
        "FROM alpine AS run\nARG TARGETARCH\nRUN --mount=from=base,target=/base cp /base/word \
         /word\nFROM scratch\nCOPY --from=run /word /mounted\nCOPY --from=base /word /copied\n",
    )]);
    let path = folder.path().display();
    let built = |image: &str, platform: &str| {
        let out = folder_of(&[]);
        let base = format!("base=oci-layout://{path}{image}");
        let mut command = solvekit([
            "build",
            "--platform",
            platform,
            "--build-context",
            &base,
            "-o",
        ]);
        Finished::of(command.arg(out.path()).arg(context.path())).succeeded();
        ["mounted", "copied"]
            .map(|name| std::fs::read_to_string(out.path().join(name)).expect("it is there"))
    };
    let expected =
        |word: &str, architecture: &str| [(); 2].map(|()| format!("{word}{architecture}\n"));
    assert_eq!(built(":v1", "linux/amd64"), expected(&words[0], "amd64"));
    assert_eq!(built(":v2", "linux/arm64"), expected(&words[1], "arm64"));
    let first = format!("@{}", digests[0]);
    assert_eq!(built(&first, "linux/arm64"), expected(&words[0], "arm64"));

    let base = format!("base=oci-layout://{path}");
    let mut command = solvekit(["build", "--build-context", &base]);
    Finished::of(command.arg(context.path())).failed_with(
        1,
        &["has no image \"latest\"; it has v1, v2", "add the tag"],
    );
}

#[test]
fn mistakes_in_the_flags_are_reported_before_a_daemon_is_asked() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\n")]);
    for (flag, texts) in [
        ("--cache-to=type=local", ["--cache-to", "dest= is missing"]),
        (
            "--cache-from=type=local,dest=x",
            ["--cache-from", "src= is missing"],
        ),
        (
            "--cache-from=type=local,src=x,digest=sha256:0",
            ["--cache-from", "invalid digest"],
        ),
        (
            "--cache-to=type=local,dest=x,tag=",
            ["--cache-to", "tag= is empty"],
        ),
        (
            "--cache-to=type=local,dest=x,compresion=zstd",
            ["cache to export type=local", "did you mean \"compression\""],
        ),
        (
            "--output=type=oci,tar=false",
            ["type=oci,tar=false", "dest= is missing"],
        ),
        (
            "--output=type=docker,tar=false,dest=-",
            ["type=docker,tar=false", "standard output"],
        ),
        (
            "--output=type=oci,tar=maybe,dest=x",
            ["tar=maybe", "neither true nor false"],
        ),
        (
            "--output=type=local,mode=move,dest=x",
            ["mode=move", "neither copy nor delete"],
        ),
    ] {
        let mut command = solvekit(["build", "--addr=unix:///nonexistent/buildkitd.sock", flag]);
        Finished::of(command.arg(context.path())).failed_with(1, &texts);
    }
}
