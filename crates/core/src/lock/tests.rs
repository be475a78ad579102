use super::*;

const DIGEST: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
const OTHER: &str = "sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";

fn lock() -> Lock {
    let text = format!(
        r#"{{"version": 1, "images": {{"docker.io/library/alpine:3": {{"digest": "{DIGEST}", "platforms": {{
            "linux/amd64": {{"architecture": "amd64", "os": "linux", "x-own": 1}},
            "linux/arm/v6": {{"architecture": "arm", "os": "linux", "variant": "v6"}}}}}}}},
            "sources": {{"https://example.com/f": {{"http_last_modified": "2023-05-06T07:08:09Z"}}}}}}"#
    );
    Lock::parse(text.as_bytes()).unwrap()
}

fn ask(reference: &str, platform: &str) -> Result<ResolvedImage, LookupError> {
    let reference = Reference::parse(reference).unwrap().with_default_tag();
    lock().image(&reference, &Platform::parse(platform).unwrap())
}

#[test]
fn images_are_found_by_reference_pinned_reference_and_platform() {
    for (reference, platform) in [
        ("alpine:3", "linux/amd64"),
        (&format!("alpine:3@{DIGEST}"), "linux/amd64"),
        ("alpine:3", "linux/arm/v7"),
    ] {
        let found = ask(reference, platform).unwrap();
        assert_eq!(found.digest.unwrap().as_str(), DIGEST, "{reference}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let missing = ask("alpine:4", "linux/amd64").unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the lock does not have docker.io/library/alpine:4"
    );
    let moved = ask(&format!("alpine:3@{OTHER}"), "linux/amd64").unwrap_err();
    assert!(matches!(moved, LookupError::Moved { .. }));
    assert!(moved.to_string().contains(DIGEST) && moved.to_string().contains(OTHER));
    let platform = ask("alpine:3", "linux/s390x").unwrap_err();
    assert_eq!(
        platform.to_string(),
        "the lock has docker.io/library/alpine:3 for linux/amd64, linux/arm/v6, not for linux/s390x"
    );
}

#[test]
fn a_lock_is_written_as_it_was_read_and_keeps_what_it_does_not_know_of_configs() {
    let text = lock().to_text();
    assert!(text.contains("\"x-own\": 1"), "{text}");
    assert_eq!(Lock::parse(text.as_bytes()).unwrap().to_text(), text);
}

#[test]
fn locks_that_are_none_say_why() {
    let entry = format!(r#"{{"digest": "{DIGEST}", "platforms": {{}}}}"#);
    let other = format!(r#"{{"digest": "{OTHER}", "platforms": {{}}}}"#);
    for (text, part) in [
        (String::new(), "it is not a lock: EOF"),
        ("{\"images\": {\"a\"".to_owned(), "it is not a lock: EOF"),
        ("[]".to_owned(), "it is not a lock"),
        ("{}".to_owned(), "no \"images\""),
        (
            "{\"version\": 2, \"pictures\": []}".to_owned(),
            "version is 2",
        ),
        (
            r#"{"images": {"a": {"digest": "x", "platforms": {}}}}"#.to_owned(),
            "has no digest",
        ),
        (
            format!(r#"{{"images": {{"a@{OTHER}": {entry}}}}}"#),
            "contradicts itself",
        ),
        (
            format!(r#"{{"images": {{"docker.io/library/a:1": {entry}, "a:1": {other}}}}}"#),
            "the same image",
        ),
        (
            format!(r#"{{"images": {{"a": {entry}, "a": {other}}}}}"#),
            "\"a\" is there twice",
        ),
        (
            format!(
                r#"{{"images": {{"a": {{"digest": "{DIGEST}", "platforms": {{"linux/": {{}}}}}}}}}}"#
            ),
            "an invalid platform",
        ),
    ] {
        let error = Lock::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
