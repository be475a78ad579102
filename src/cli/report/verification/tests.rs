use super::*;

use solvekit::diff::{Options, compare};
use solvekit::layout::{Layout, Name};
use solvekit::oci::{Descriptor, media_type};
use solvekit::registry::{Client, ClientOptions, Credentials};
use solvekit::transfer::{Place, Source as Image};

fn layer(time: u64, content: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [
        ("stamp", content),
        ("var/log/x.log", content),
        ("other", ""),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_mtime(time);
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

/// The comparison of two images of one layer each.
async fn diff(left: Vec<u8>, right: Vec<u8>, ignore_times: bool) -> ImageDiff {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    let put = |kind: &str, bytes: &[u8]| {
        let mut upload = layout.upload("sha256").unwrap();
        upload.write(bytes).unwrap();
        upload.commit(None, None).unwrap();
        Descriptor::of(kind, bytes)
    };
    let client = Client::new(Credentials::none().into(), ClientOptions::default());
    let mut images = Vec::new();
    for (number, bytes) in [left, right].into_iter().enumerate() {
        let layer = put("application/vnd.oci.image.layer.v1.tar", &bytes);
        let config = json!({
            "os": "linux", "architecture": "amd64", "created": format!("2026-01-0{number}"),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            "history": [{"created_by": "RUN /bin/sh -c date > /stamp # buildkit"}],
        });
        let config = put("application/json", config.to_string().as_bytes());
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
        let image = put(media_type::OCI_MANIFEST, manifest.to_string().as_bytes());
        layout
            .put(&image, &[Name::Tag(number.to_string())])
            .unwrap();
        let place = Place::Layout {
            path: folder.path().to_owned(),
            tag: Some(number.to_string()),
            digest: None,
        };
        images.push(Image::open(&place, &client).await.unwrap());
    }
    let mut options = Options::default();
    options.all_layers = true;
    options.ignore_times = ignore_times;
    compare(&images[0], &images[1], &options).await.unwrap()
}

fn verification<'a>(diff: &'a ImageDiff, settings: Settings) -> Verification<'a> {
    let text = "FROM scratch\nRUN date > /stamp\n";
    Verification {
        against: Against::Build,
        reproducible: diff.same,
        settings,
        dockerfile: Some(Source::new("Dockerfile", text.into())),
        cached: Vec::new(),
        moved: Vec::new(),
        kept: None,
        diff,
    }
}

#[tokio::test]
async fn a_difference_is_reported_with_its_line_its_files_and_what_helps() {
    let diff = diff(layer(1, "a\n"), layer(2, "b\n"), false).await;
    let text = verification(&diff, Settings::default()).text();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "not reproducible: two builds without cache made different images"
    );
    for part in [
        "linux/amd64: different\n",
        "  config created: \"2026-01-00\" → \"2026-01-01\"\n",
        "  layer 1 of 1 is the first that differs: 3 files\n",
        "    Dockerfile:2 RUN /bin/sh -c date > /stamp # buildkit\n",
        "    changed  /other: time 1970-01-01T00:00:01Z → 1970-01-01T00:00:02Z\n",
        "    changed  /stamp: content, time 1970-01-01T00:00:01Z → 1970-01-01T00:00:02Z\n        \
         @@ -1 +1 @@\n        -a\n        +b\n",
        "\nWhat usually helps:\n  - times: build with SOURCE_DATE_EPOCH=",
        "  - logs: ",
        "  - content: ",
        "  - to see what differs besides times: --ignore-times\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let json = verification(&diff, Settings::default()).json();
    assert_eq!(json["reproducible"], false);
    assert_eq!(
        json["diff"]["platforms"][0]["layers"][0]["files"]["total"],
        3
    );
    assert_eq!(json["remedies"][0]["cause"], "times");
}

#[tokio::test]
async fn ignored_times_are_reported() {
    let diff = diff(layer(1, "a"), layer(2, "a"), true).await;
    let text = verification(
        &diff,
        Settings {
            ignores_times: true,
            ..Settings::default()
        },
    )
    .text();
    assert_eq!(
        text,
        "reproducible: two builds without cache made the same image but for times, which were \
         ignored\nlinux/amd64: the same but for times\n"
    );
}

#[tokio::test]
async fn names_that_have_moved_since_they_were_locked_are_reported() {
    let diff = diff(layer(1, "a"), layer(1, "a"), true).await;
    let digest = |digit: &str| Digest::parse(&format!("sha256:{}", digit.repeat(64))).unwrap();
    let printed = Verification {
        against: Against::Lock(Path::new("solvekit.lock")),
        moved: vec![
            MovedName {
                name: "alpine:3.20".to_owned(),
                locked: digest("1"),
                now: Some(digest("2")),
            },
            MovedName {
                name: "example.com/gone:1".to_owned(),
                locked: digest("3"),
                now: None,
            },
        ],
        ..verification(&diff, Settings::default())
    };
    let text = printed.text();
    for part in [
        "from the base images of solvekit.lock made the same image",
        "the name alpine:3.20 has moved since it was locked\n  sha256:1111",
        "solvekit lock --update alpine:3.20\n",
        "the name example.com/gone:1 could not be looked up: sha256:3333",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let json = printed.json();
    assert_eq!(json["againstLock"], "solvekit.lock");
    assert_eq!(json["movedNames"][0]["now"], digest("2").as_str());
    assert_eq!(json["movedNames"][1]["now"], Value::Null);
}
