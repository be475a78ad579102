//! Indexes that other tools write and read.

use std::fs;

use super::*;

fn image(text: &str) -> Descriptor {
    Descriptor {
        annotations: [("made".to_owned(), "here".to_owned())].into(),
        ..Descriptor::of(media_type::OCI_MANIFEST, text.as_bytes())
    }
}

fn tag(text: &str) -> Name {
    Name::Tag(text.to_owned())
}

#[test]
fn a_tag_moves_and_other_entries_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    let foreign = json!({"manifests": [{"mediaType": "x/y", "digest": "sha256:1", "size": 1,
        "artifactType": "z"}], "more": 1});
    fs::write(layout.index_path(), foreign.to_string()).unwrap();
    layout
        .put(&image("a"), &[tag("latest"), tag("v1")])
        .unwrap();
    layout.put(&image("b"), &[tag("latest")]).unwrap();
    assert_eq!(layout.find("latest").unwrap(), Digest::sha256(b"b"));
    assert_eq!(layout.find("v1").unwrap(), Digest::sha256(b"a"));
    let index: Value = serde_json::from_slice(&fs::read(layout.index_path()).unwrap()).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 3);
    assert_eq!(index["manifests"][0], foreign["manifests"][0]);
    assert_eq!(
        (&index["more"], &index["schemaVersion"]),
        (&1.into(), &2.into())
    );
    assert_eq!(index["manifests"][1]["annotations"]["made"], "here");
    let marker = fs::read(folder.path().join("oci-layout")).unwrap();
    assert_eq!(marker, br#"{"imageLayoutVersion":"1.0.0"}"#);
    // The lock and the temporary files are gone.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn an_image_name_is_found_whole_and_by_its_tag() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path().join("new"));
    let name = Reference::parse("app:1").unwrap();
    layout
        .put(&image("a"), &[Name::Image(name.clone())])
        .unwrap();
    layout.put(&image("b"), &[tag("1")]).unwrap();
    assert_eq!(
        layout.find("docker.io/library/app:1").unwrap(),
        Digest::sha256(b"a")
    );
    layout.put(&image("c"), &[Name::Image(name)]).unwrap();
    assert_eq!(
        layout.read_index().unwrap().unwrap()["manifests"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn the_only_image_is_found_by_any_tag_where_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    assert!(matches!(layout.find("x"), Err(Error::NoIndex { .. })));
    layout.put(&image("a"), &[tag("v1")]).unwrap();
    let error = layout.find("latest").unwrap_err().to_string();
    assert!(error.contains("no image \"latest\"; it has v1"), "{error}");
    assert_eq!(layout.find_or_only("latest").unwrap(), Digest::sha256(b"a"));
    layout.put(&image("b"), &[tag("v2")]).unwrap();
    assert!(layout.find_or_only("latest").is_err());
}

#[test]
fn an_index_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    for text in ["[", "[]", "7"] {
        fs::write(layout.index_path(), text).unwrap();
        let error = layout
            .put(&image("a"), &[tag("x")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("index.json is not the index"),
            "{text}: {error}"
        );
        assert_eq!(fs::read(layout.index_path()).unwrap(), text.as_bytes());
    }
    fs::write(layout.index_path(), r#"{"manifests": [{"digest": "../../x", "annotations": {"org.opencontainers.image.ref.name": "x"}}]}"#).unwrap();
    assert!(matches!(layout.find("x"), Err(Error::Index { .. })));
}

#[test]
fn writers_at_the_same_time_lose_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let layout = &layout;
            scope.spawn(move || {
                for number in 0..10 {
                    let name = format!("{thread}-{number}");
                    layout.put(&image(&name), &[Name::Tag(name)]).unwrap();
                }
            });
        }
    });
    let index = layout.read_index().unwrap().unwrap();
    assert_eq!(entries(&index).len(), 40);
}
