use serde_json::json;

use super::*;
use crate::layout::{Layout, Name};
use crate::oci::{Descriptor, Platform, media_type};
use crate::registry::{Client, ClientOptions, Credentials};
use crate::transfer::Place;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A folder with a layout for the test's images.
struct Images {
    folder: tempfile::TempDir,
}

impl Images {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn put(&self, kind: &str, bytes: &[u8]) -> Descriptor {
        let mut upload = Layout::new(self.folder.path()).upload("sha256").unwrap();
        upload.write(bytes).unwrap();
        upload.commit(None, None).unwrap();
        Descriptor::of(kind, bytes)
    }

    /// Writes an image with these layers; `change` edits its config.
    fn image(&self, layers: &[Vec<u8>], change: impl FnOnce(&mut Value)) -> Descriptor {
        let layers: Vec<Descriptor> = layers.iter().map(|layer| self.put(LAYER, layer)).collect();
        let ids: Vec<_> = layers.iter().map(|layer| layer.digest.clone()).collect();
        let history: Vec<_> = (0..ids.len())
            .map(|at| json!({"created": "t", "created_by": format!("RUN {at}")}))
            .collect();
        let mut config = json!({
            "created": "2026-01-01T00:00:00Z", "architecture": "arm64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": ids}, "history": history, "config": {},
        });
        change(&mut config);
        let config = config.to_string();
        let config = self.put(
            "application/vnd.oci.image.config.v1+json",
            config.as_bytes(),
        );
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.put(media_type::OCI_MANIFEST, manifest.to_string().as_bytes())
    }

    async fn open(&self, image: &Descriptor) -> Source {
        let tag = Name::Tag(image.digest.hex()[..12].to_owned());
        Layout::new(self.folder.path()).put(image, &[tag]).unwrap();
        let place = Place::Layout {
            path: self.folder.path().to_owned(),
            tag: None,
            digest: Some(image.digest.clone()),
        };
        let client = Client::new(Credentials::none().into(), ClientOptions::default());
        Source::open(&place, &client).await.unwrap()
    }

    async fn compare(&self, left: &Descriptor, right: &Descriptor, options: &Options) -> ImageDiff {
        let (left, right) = (self.open(left).await, self.open(right).await);
        compare(&left, &right, options).await.unwrap()
    }
}

fn layer(files: &[(&str, &str, u64)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content, time) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_mtime(*time);
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

#[tokio::test]
async fn the_first_layer_that_differs_is_looked_into() {
    let images = Images::new();
    let base = layer(&[("base", "x", 1)]);
    let left = [
        base.clone(),
        layer(&[("stamp", "a\n", 1)]),
        layer(&[("c", "1", 1)]),
    ];
    let right = [base, layer(&[("stamp", "b\n", 1)]), layer(&[("c", "2", 1)])];
    let (a, b) = (images.image(&left, |_| {}), images.image(&right, |_| {}));
    let diff = images.compare(&a, &b, &Options::default()).await;
    assert!(!diff.same);
    let [platform] = diff.platforms.as_slice() else {
        panic!("{diff:?}")
    };
    assert_eq!(platform.platform, "linux/arm64");
    assert_eq!((platform.manifest.len(), platform.config.len()), (0, 0));
    let hows: Vec<_> = platform
        .layers
        .iter()
        .map(|it| (it.index, it.how))
        .collect();
    assert_eq!(hows, [(1, LayerHow::Files), (2, LayerHow::NotCompared)]);
    let first = platform.first_layer().unwrap();
    assert_eq!(
        first.steps,
        [Some("RUN 1".to_owned()), Some("RUN 1".to_owned())]
    );
    assert_eq!(
        first.files.files[0].text.as_deref(),
        Some("@@ -1 +1 @@\n-a\n+b\n")
    );
    let all = Options {
        all_layers: true,
        ..Options::default()
    };
    let diff = images.compare(&a, &b, &all).await;
    assert_eq!(diff.platforms[0].layers[1].how, LayerHow::Files);
    let same = images.compare(&a, &a, &Options::default()).await;
    assert!(same.same && same.platforms[0].same);
}

#[tokio::test]
async fn times_can_be_ignored() {
    let images = Images::new();
    let a = images.image(&[layer(&[("a", "", 1)])], |_| {});
    let b = images.image(&[layer(&[("a", "", 2)])], |config| {
        config["created"] = "later".into();
        config["history"][0]["created"] = "later".into();
    });
    let ignoring = Options {
        ignore_times: true,
        ..Options::default()
    };
    let diff = images.compare(&a, &b, &ignoring).await;
    assert!(diff.same && diff.platforms[0].times_ignored, "{diff:?}");
    let diff = images.compare(&a, &b, &Options::default()).await;
    let names: Vec<_> = diff.platforms[0]
        .config
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["created", "history[0].created"]);
    let c = images.image(&[layer(&[("a", "", 2)])], |config| {
        config["config"]["User"] = "me".into()
    });
    let diff = images.compare(&a, &c, &ignoring).await;
    assert!(!diff.same && diff.platforms[0].layers[0].how == LayerHow::Times);
}

#[tokio::test]
async fn a_config_that_is_only_written_in_another_way_differs() {
    let images = Images::new();
    let config = |text: &[u8]| {
        let config = images.put("application/vnd.oci.image.config.v1+json", text);
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": []});
        images.put(media_type::OCI_MANIFEST, manifest.to_string().as_bytes())
    };
    let (a, b) = (config(br#"{"os":"linux"}"#), config(br#"{"os": "linux"}"#));
    for ignore_times in [false, true] {
        let options = Options {
            ignore_times,
            ..Options::default()
        };
        let diff = images.compare(&a, &b, &options).await;
        assert!(!diff.same && diff.platforms[0].rewritten);
    }
}

#[tokio::test]
async fn platforms_are_matched_and_attestations_are_counted() {
    let images = Images::new();
    let of = |image: &Descriptor, architecture: &str| {
        let mut entry = image.clone();
        entry.platform = Some(Platform {
            os: "linux".into(),
            architecture: architecture.into(),
            ..Platform::default()
        });
        entry
    };
    let image = images.image(&[layer(&[("a", "", 1)])], |_| {});
    let other = images.image(&[layer(&[("a", "b", 1)])], |_| {});
    let mut attestation = of(&other, "unknown");
    attestation.annotations.insert(
        "vnd.docker.reference.type".to_owned(),
        "attestation-manifest".to_owned(),
    );
    let index = |manifests: &[Descriptor]| {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        images.put(media_type::OCI_INDEX, index.to_string().as_bytes())
    };
    let left = index(&[of(&image, "arm64"), of(&image, "amd64"), attestation]);
    let right = index(&[of(&other, "s390x"), of(&image, "arm64")]);
    let diff = images.compare(&left, &right, &Options::default()).await;
    assert_eq!((diff.platforms.len(), diff.platforms[0].same), (1, true));
    assert_eq!(
        (diff.only_left, diff.only_right),
        (
            vec!["linux/amd64".to_owned()],
            vec!["linux/s390x".to_owned()]
        )
    );
    assert_eq!((diff.same, diff.attestations), (false, [1, 0]));
    let arm = Options {
        platform: Some(Platform::parse("linux/arm64").unwrap()),
        ..Options::default()
    };
    assert!(images.compare(&left, &right, &arm).await.same);
    // The image alone is compared with the index that contains it.
    assert!(
        images
            .compare(&image, &index(&[of(&image, "arm64")]), &Options::default())
            .await
            .same
    );
}

#[tokio::test]
async fn malformed_manifests_are_no_panic() {
    let images = Images::new();
    let good = images.image(&[], |_| {});
    for text in [
        "[]",
        "[null,[]]",
        r#"{"layers":null}"#,
        r#"{"layers":[],"config":null}"#,
    ] {
        let bad = images.put(media_type::OCI_MANIFEST, text.as_bytes());
        let (left, right) = (images.open(&good).await, images.open(&bad).await);
        let compared = compare(&left, &right, &Options::default()).await;
        assert!(compared.is_err() || !compared.unwrap().same, "{text}");
    }
}
