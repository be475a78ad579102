//! Indexes that contain the next index many times: without deduplication, a walk would not end.

use serde_json::json;

use super::*;
use crate::layout::{Layout, Name};
use crate::oci::{Descriptor, media_type};
use crate::registry::{Client, ClientOptions, Credentials};
use crate::template::Template;

/// The number of times that each index contains the next one.
const WIDE: usize = 40;

fn put(layout: &Layout, kind: &str, text: &str) -> Descriptor {
    let mut upload = layout.upload("sha256").unwrap();
    upload.write(text.as_bytes()).unwrap();
    upload.commit(None, None).unwrap();
    Descriptor::of(kind, text.as_bytes())
}

/// A layout of one image below `deep` indexes.
fn nested(deep: usize) -> (tempfile::TempDir, Location) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    let config = json!({"os": "linux", "architecture": "amd64"}).to_string();
    let config = put(&layout, "application/vnd.oci.image.config.v1+json", &config);
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": []}).to_string();
    let mut lowest = put(&layout, media_type::OCI_MANIFEST, &manifest);
    for _ in 0..deep {
        let index = json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": vec![&lowest; WIDE]
        });
        lowest = put(&layout, media_type::OCI_INDEX, &index.to_string());
    }
    layout
        .put(&lowest, &[Name::Tag("latest".to_owned())])
        .unwrap();
    let location = Location::parse(&format!("oci-layout://{}", folder.path().display()));
    (folder, location.unwrap())
}

fn client() -> Client {
    Client::new(Credentials::none().into(), ClientOptions::default())
}

#[tokio::test]
async fn an_index_is_visited_once() {
    let (_folder, location) = nested(7);
    let template = Template::parse("{{json .Image}}").unwrap();
    let image = Inspection::of(client(), &location).await.unwrap();
    let shown = image.value(&template).await.unwrap();
    let shown = template
        .render(&shown, crate::template::Json::Compact)
        .unwrap();
    assert_eq!(shown.matches("amd64").count(), 1, "{shown}");
}

#[tokio::test]
async fn an_index_that_is_too_deep_is_refused() {
    let (_folder, location) = nested(9);
    let template = Template::parse("{{json .Image}}").unwrap();
    let image = Inspection::of(client(), &location).await.unwrap();
    let error = image.value(&template).await.unwrap_err();
    assert!(matches!(error, Error::TooMuch { .. }), "{error}");
}

#[tokio::test]
async fn an_index_that_is_too_wide_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    let entry =
        |number: usize| Descriptor::of(media_type::OCI_MANIFEST, number.to_string().as_bytes());
    let entries: Vec<Descriptor> = (0..5000).map(entry).collect();
    let index =
        json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries});
    let index = put(&layout, media_type::OCI_INDEX, &index.to_string());
    layout
        .put(&index, &[Name::Tag("latest".to_owned())])
        .unwrap();
    let location = Location::parse(&format!("oci-layout://{}", folder.path().display())).unwrap();
    let request = CreateRequest {
        sources: vec![Source::Name(location.clone())],
        ..CreateRequest::default()
    };
    let error = create(&client(), request).await.unwrap_err();
    assert!(matches!(error, Error::TooMuch { .. }), "{error}");
    let image = Inspection::of(client(), &location).await.unwrap();
    let template = Template::parse("{{json .Image}}").unwrap();
    let error = image.value(&template).await.unwrap_err();
    assert!(matches!(error, Error::TooMuch { .. }), "{error}");
}
