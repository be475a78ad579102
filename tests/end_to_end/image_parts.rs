//! `solvekit image`: tags, digests, referrers and files of images in registries and layouts.

use serde_json::Value;

use crate::support::{Engine, Finished, folder_of, solvekit, unique};

fn image(arguments: &[&str]) -> Finished {
    Finished::of(solvekit(["image"]).args(arguments))
}

/// Builds for these platforms and pushes.
fn pushed(what: &str, dockerfile: &str, arguments: &[&str]) -> String {
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let name = format!("{}:1", Engine::get().name(what));
    let mut build = solvekit(["build", "--push", "--tag", &name]);
    Finished::of(build.args(arguments).arg(context.path())).succeeded();
    name
}

const LAYERS: &str = "FROM busybox AS base
RUN mkdir -p /app/sub /opaque && echo low > /app/low && echo low > /app/sub/gone \
    && echo low > /opaque/x && ln -s low /app/link && ln /app/low /app/hard \
    && ln -s /app /way && echo bottom > /swapped
FROM base
ARG TARGETARCH
RUN rm /app/sub/gone && rm -r /opaque && mkdir /opaque && echo $TARGETARCH > /app/arch
RUN echo high > /app/high && rm /swapped && mkdir /swapped && ln -s ../../etc/motd2 /app/up \
    && echo motd > /etc/motd2 && mkdir -p /loop && ln -s b /loop/a && ln -s a /loop/b
";

#[test]
fn a_file_is_read_through_the_layers() {
    let platforms = ["--platform=linux/amd64,linux/386"];
    let name = pushed(
        "cat",
        &format!("{LAYERS}RUN echo {}\n", unique()),
        &platforms,
    );
    let cat = |path: &str| image(&["cat", "--platform=linux/386", &name, path]);
    for (path, expected) in [
        ("/app/high", "high\n"),
        ("app/low", "low\n"),
        ("/app/link", "low\n"),
        ("/app/hard", "low\n"),
        ("/way/link", "low\n"),
        ("/way/../app/./low", "low\n"),
        ("/app/up", "motd\n"),
        ("/app/arch", "386\n"),
    ] {
        assert_eq!(cat(path).succeeded().stdout, expected, "{path}");
    }
    for (path, reason) in [
        ("/app/sub/gone", "has no file"),
        ("/opaque/x", "has no file"),
        ("/swapped", "is a folder"),
        ("/app/low/x", "has no file"),
        ("/loop/a", "too many links"),
        ("/none", "has no file"),
        ("/", "is a folder"),
    ] {
        let failed = cat(path);
        let failed = failed.failed_with(1, &[reason, path]);
        assert_eq!(failed.stdout, "");
    }
    let other = image(&["cat", "--platform=linux/s390x", &name, "/app/low"]);
    other.failed_with(1, &["linux/s390x", "linux/386"]);
}

#[test]
fn a_file_is_read_from_a_layout_of_every_compression() {
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nRUN echo {} > /word\n", unique()),
    )]);
    for compression in ["uncompressed", "gzip", "zstd"] {
        let layout = context.path().join(compression);
        let output = format!(
            "--output=type=oci,tar=false,dest={},compression={compression},force-compression=true",
            layout.display()
        );
        Finished::of(solvekit(["build", &output]).arg(context.path())).succeeded();
        let place = format!("oci:{}", layout.display());
        let dockerfile = std::fs::read_to_string(context.path().join("Dockerfile")).expect("text");
        let read = image(&["cat", &place, "/word"]).succeeded().stdout;
        assert!(
            dockerfile.contains(read.trim_end()) && read.len() > 10,
            "{compression}: {read}"
        );
        let busybox = image(&["cat", &place, "bin/busybox"]).succeeded();
        assert!(busybox.stdout.starts_with("\u{7f}ELF"), "{compression}");
    }
}

#[test]
fn digests_are_those_of_the_index_and_of_its_images() {
    let dockerfile = format!("FROM busybox\nRUN echo {}\n", unique());
    let name = pushed("digest", &dockerfile, &["--platform=linux/amd64,linux/386"]);
    let inspect = |arguments: &[&str]| {
        let shown = Finished::of(solvekit(["imagetools", "inspect", &name]).args(arguments));
        serde_json::from_str::<Value>(&shown.succeeded().stdout).expect("JSON")
    };
    let index = inspect(&["--format={{json .Manifest}}"]);
    let whole = image(&["digest", &name]).succeeded().stdout;
    assert_eq!(whole.trim_end(), index["digest"]);
    let of_386 = image(&["digest", "--platform=linux/386", &name])
        .succeeded()
        .stdout;
    let manifests = index["manifests"].as_array().expect("a list").iter();
    let expected: Vec<&Value> = manifests
        .filter(|it| it["platform"]["architecture"] == "386")
        .collect();
    assert_eq!(of_386.trim_end(), expected[0]["digest"]);

    let raw = inspect(&["--raw", "--platform=linux/386"]);
    assert!(raw["layers"].is_array(), "{raw:#}");
    let config = inspect(&["--platform=linux/386", "--format={{json .Image}}"]);
    assert_eq!(config["architecture"], "386");
    image(&["digest", &format!("{name}none")]).failed_with(1, &["none"]);
}

#[test]
fn tags_are_listed_and_removed() {
    let name = pushed(
        "tags",
        &format!("FROM busybox\nRUN echo {}\n", unique()),
        &[],
    );
    let repository = name.strip_suffix(":1").expect("its tag");
    for tag in ["2", "3"] {
        let target = format!("{repository}:{tag}");
        let create = ["imagetools", "create", "--tag", &target, &name];
        Finished::of(&mut solvekit(create)).succeeded();
    }
    let tags = || image(&["ls-tags", repository]).succeeded().stdout;
    assert_eq!(tags(), "1\n2\n3\n");
    let json = image(&["ls-tags", "--format=json", repository])
        .succeeded()
        .stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["tags"], serde_json::json!(["1", "2", "3"]));

    image(&["delete", repository]).failed_with(1, &["no tag", &format!("{repository}:TAG")]);
    let one = format!("{repository}:2");
    // This registry can only delete whole images.
    let refused = image(&["delete", &one]);
    if refused.code != Some(0) {
        refused.failed_with(1, &["--by-digest"]);
    }
    let removed = image(&["delete", "--by-digest", &name]).succeeded().stdout;
    assert!(
        removed.contains("@sha256:") && removed.ends_with(" removed\n"),
        "{removed}"
    );
    image(&["digest", &name]).failed_with(1, &["manifest unknown"]);
    image(&["delete", "--by-digest", &name]).failed_with(1, &["manifest unknown"]);
    let three = format!("{repository}:3");
    image(&["digest", &three]).succeeded();
}

#[test]
fn referrers_are_listed_by_type() {
    let name = pushed(
        "referrers",
        &format!("FROM busybox\nRUN echo {}\n", unique()),
        &[],
    );
    let nothing = image(&["referrers", &name]).succeeded().stdout;
    assert_eq!(nothing.lines().count(), 1, "{nothing}");
    let digest = image(&["digest", &name]).succeeded().stdout;
    // A registry without the referrers API keeps them in an index with a tag of this form.
    let fallback = digest.trim_end().replace(':', "-");
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/x.signature",
            "digest": digest.trim_end(),
            "size": 7,
        }],
    });
    let context = folder_of(&[("index.json", &index.to_string())]);
    let repository = name
        .strip_suffix(":1")
        .expect("its tag")
        .replacen('/', "/v2/", 1);
    let put = std::process::Command::new("curl")
        .args(["-fsS", "-X", "PUT", "-H"])
        .arg("Content-Type: application/vnd.oci.image.index.v1+json")
        .arg("--data-binary")
        .arg(format!("@{}", context.path().join("index.json").display()))
        .arg(format!("http://{repository}/manifests/{fallback}"))
        .output()
        .expect("curl is there");
    assert!(put.status.success(), "{put:?}");
    let of_type = |kind: &str| {
        let listed = image(&["referrers", "--type", kind, "--format=json", &name]).succeeded();
        let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
        listed.as_array().expect("a list").len()
    };
    assert_eq!(of_type("application/x.other"), 0);
    assert_eq!(of_type("application/x.signature"), 1);
    let table = image(&["referrers", &name]).succeeded().stdout;
    assert!(table.contains("application/x.signature"), "{table}");
}
