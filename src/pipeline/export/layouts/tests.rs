//! Tests of the requests to the daemon, and of the indexes that are written after the build.

use super::*;
use crate::oci::media_type;
use crate::pipeline::{CacheDirection, parse_cache};

fn request(folder: &Path) -> BuildRequest {
    let mut request = BuildRequest::new(".");
    let cache = |text: &str, direction| {
        let text = format!("type=local,{text}").replace("DIR", &folder.display().to_string());
        parse_cache(&text, direction).unwrap()
    };
    request.cache_from = cache("src=DIR/cache", CacheDirection::From);
    request.cache_to = cache("dest=DIR/cache,mode=max", CacheDirection::To);
    request
        .cache_to
        .extend(cache("dest=DIR/größe,tag=v1", CacheDirection::To));
    request
}

fn manifest(folder: &Path, text: &str) -> Descriptor {
    let layout = Layout::new(folder);
    let mut upload = layout.upload("sha256").unwrap();
    upload.write(text.as_bytes()).unwrap();
    let digest = upload.commit(None, None).unwrap();
    Descriptor::new(media_type::OCI_MANIFEST, digest, text.len() as u64)
}

#[test]
fn a_cache_that_is_not_there_is_noted_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let layouts = open(&request(folder.path()), &[]).unwrap();
    assert!(layouts.cache_from.is_empty());
    let note = &layouts.notes[0];
    assert!(
        note.contains("cache is not imported: ") && note.contains("no index.json"),
        "{note}"
    );
    assert_eq!(layouts.cache_to.len(), 2);
    assert!(!folder.path().join("cache").exists());
}

#[test]
fn a_cache_is_written_to_its_index_and_found_by_its_tag() {
    let folder = tempfile::tempdir().unwrap();
    let request = request(folder.path());
    let layouts = open(&request, &[]).unwrap();
    let cache = folder.path().join("cache");
    let image = manifest(&cache, "{}");
    let response = [(
        "cache.manifest".to_owned(),
        serde_json::to_string(&image).unwrap(),
    )];
    layouts.finish(&response.into()).unwrap();

    let again = open(&request, &[]).unwrap();
    assert_eq!(again.notes, [""; 0]);
    let attrs = &again.cache_from[0].attrs;
    assert_eq!(attrs["digest"], image.digest.as_str());
    assert_eq!(attrs["src"], cache.display().to_string());
    let other = Layout::new(folder.path().join("größe"));
    assert_eq!(other.find("v1").unwrap(), image.digest);
    // The daemon names the store in a header.
    assert!(again.cache_to[1].attrs["dest"].is_ascii());
}

#[test]
fn a_given_digest_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(folder.path());
    let digest = Digest::sha256(b"{}");
    request.cache_from[0]
        .attrs
        .insert("digest".to_owned(), digest.to_string());
    let missing = open(&request, &[]).unwrap();
    assert!(
        missing.notes[0].contains(digest.hex()),
        "{}",
        missing.notes[0]
    );
    manifest(&folder.path().join("cache"), "{}");
    assert_eq!(open(&request, &[]).unwrap().cache_from.len(), 1);
}

#[test]
fn an_image_has_its_names_in_the_index_and_else_latest() {
    let folder = tempfile::tempdir().unwrap();
    let output = format!("type=oci,tar=false,dest={}", folder.path().display());
    let request = BuildRequest::new(".");
    let layouts = open(&request, &[output.parse().unwrap()]).unwrap();
    let image = manifest(folder.path(), "{}");
    let reported = BASE64.encode(serde_json::to_string(&image).unwrap());
    let mut response = BTreeMap::from([("containerimage.descriptor".to_owned(), reported)]);
    layouts.finish(&response).unwrap();
    let layout = Layout::new(folder.path());
    assert_eq!(layout.find("latest").unwrap(), image.digest);
    response.insert(
        "image.name".to_owned(),
        "docker.io/library/a:1,localhost:5000/b:2".to_owned(),
    );
    layouts.finish(&response).unwrap();
    assert_eq!(layout.find("localhost:5000/b:2").unwrap(), image.digest);
    assert_eq!(layout.find("1").unwrap(), image.digest);
}

#[test]
fn an_output_s_own_names_count_and_not_those_of_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = BuildRequest::new(".");
    request.tags = vec![Reference::parse("app:2").unwrap()];
    let image = manifest(folder.path(), "{}");
    let response = BTreeMap::from([
        (
            "containerimage.descriptor".to_owned(),
            BASE64.encode(serde_json::to_string(&image).unwrap()),
        ),
        (
            "image.name".to_owned(),
            "localhost:5000/pushed:3".to_owned(),
        ),
    ]);
    let names = [
        ("", "2"),
        (",\"name=a,b:1\"", "docker.io/library/a:latest"),
        (",name=*", "3"),
    ];
    for (name, found) in names {
        let output = format!("type=oci,tar=false,dest={}{name}", folder.path().display());
        let layouts = open(&request, &[output.parse().unwrap()]).unwrap();
        let index = folder.path().join("index.json");
        let _ = std::fs::remove_file(&index);
        layouts.finish(&response).unwrap();
        assert!(Layout::new(folder.path()).find(found).is_ok(), "{name}");
    }
}

#[test]
fn contexts_are_stores_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
    let digest = Digest::sha256(b"");
    let mut request = BuildRequest::new(folder.path());
    let context = format!("oci-layout://images@{digest}").parse().unwrap();
    request.contexts.insert("base".to_owned(), context);
    let inputs = crate::pipeline::read_inputs(&request).unwrap();
    let attribute = inputs.attributes()["context:base"].clone();
    let id = attribute.strip_prefix("oci-layout://").unwrap();
    let id = id.strip_suffix(&format!("@{digest}")).unwrap();
    let stores = format!("{:?}", contexts(&inputs, ContentStores::new()));
    assert_eq!(stores.matches(&format!("oci:{id}")).count(), 1, "{stores}");
}

#[test]
fn a_cache_that_is_reset_keeps_what_its_index_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(folder.path());
    request.cache_to[0]
        .attrs
        .insert("reset".to_owned(), "true".to_owned());
    let cache = folder.path().join("cache");
    let [old, image] = ["{\"layers\": []}", "{}"].map(|text| manifest(&cache, text));
    let layouts = open(&request, &[]).unwrap();
    let response = [(
        "cache.manifest".to_owned(),
        serde_json::to_string(&image).unwrap(),
    )];
    layouts.finish(&response.into()).unwrap();
    let layout = Layout::new(&cache);
    assert!(layout.blob(&old.digest).unwrap().is_none());
    assert!(layout.blob(&image.digest).unwrap().is_some());
}
