use super::*;

fn normalized(text: &str) -> String {
    Reference::parse(text).unwrap().to_string()
}

#[test]
fn short_names_get_docker_io_and_library() {
    assert_eq!(normalized("alpine"), "docker.io/library/alpine");
    assert_eq!(
        normalized("docker.io/alpine:3"),
        "docker.io/library/alpine:3"
    );
    assert_eq!(normalized("index.docker.io/a/b"), "docker.io/a/b");
    assert_eq!(normalized("user/app"), "docker.io/user/app");
    assert_eq!(
        normalized("localhost:5000/demo/hello:1.0"),
        "localhost:5000/demo/hello:1.0"
    );
    assert_eq!(normalized("localhost/x"), "localhost/x");
    assert_eq!(normalized("[::1]:5000/x"), "[::1]:5000/x");
    assert_eq!(normalized("ghcr.io/a/b__c--d.e_f"), "ghcr.io/a/b__c--d.e_f");
}

#[test]
fn familiar_is_the_short_form() {
    for text in ["alpine:3", "user/app", "ghcr.io/a/b:1", "localhost:5000/x"] {
        assert_eq!(Reference::parse(text).unwrap().familiar(), text);
    }
    assert_eq!(
        Reference::parse("docker.io/library/a/b")
            .unwrap()
            .familiar(),
        "library/a/b"
    );
}

#[test]
fn the_short_form_is_that_of_distribution_even_if_it_names_another_registry() {
    let reference = Reference::parse("docker.io/amd7docker.io/9").unwrap();
    assert_eq!(reference.domain(), "docker.io");
    assert_eq!(reference.to_string(), "docker.io/amd7docker.io/9");
    assert_eq!(reference.familiar(), "amd7docker.io/9");
    assert_eq!(
        Reference::parse("amd7docker.io/9").unwrap().domain(),
        "amd7docker.io"
    );
}

#[test]
fn default_tag_is_added_only_without_tag_and_digest() {
    let digest = format!("alpine@sha256:{}", "a".repeat(64));
    assert_eq!(
        Reference::parse(&digest)
            .unwrap()
            .with_default_tag()
            .to_string(),
        format!("docker.io/library/{digest}")
    );
    assert_eq!(
        Reference::parse("alpine").unwrap().with_default_tag().tag(),
        Some("latest")
    );
}

#[test]
fn invalid_references_say_the_rule() {
    for (text, rule) in [
        ("", "empty"),
        ("Foo/Bar", "lower-case"),
        ("UPPER", "lower-case"),
        ("a//b", "empty"),
        ("a:b:c", "tag"),
        ("a:", "tag"),
        ("a:-x", "tag"),
        ("a/_b", "may only hold"),
        ("a@sha256:12", "length"),
        ("-x.com/a", "registry host"),
        ("a b", "may only hold"),
    ] {
        let error = Reference::parse(text).unwrap_err().to_string();
        assert!(error.contains(rule), "{text}: {error}");
    }
    assert!(Reference::parse(&"a".repeat(64)).is_err());
}
