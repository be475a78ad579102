//! Input documents of sources without any information, compared to buildx's: for each line of
//! `sources.txt`, `buildx policy eval --print --platform linux/arm64/v8 SOURCE` wrote `N.json` and
//! `N.unknown`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;

use solvekit_policy::{Platform, Source};

fn source(text: &str) -> Source {
    if text.starts_with("docker-image://") {
        let name = text.trim_start_matches("docker-image://");
        let reference: solvekit_core::oci::Reference = name.parse().unwrap();
        return Source::new(format!("docker-image://{}", reference.with_default_tag()));
    }
    if text.starts_with("https://") && text.contains(".git#") {
        let mut source = Source::new(format!("git://{text}"));
        source
            .attrs
            .insert("git.fullurl".to_owned(), text.to_owned());
        return source;
    }
    Source::new(text)
}

#[test]
fn input_documents_are_those_of_buildx() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/print");
    let read = |name: String| std::fs::read_to_string(folder.join(name)).unwrap();
    let platform = Platform::parse("linux/arm64/v8").unwrap().normalized();
    for (number, text) in (1..).zip(read("sources.txt".to_owned()).lines()) {
        let mut described = source(text).describe(Some(&platform)).unwrap();
        described.input.clear_depth();
        let expected: serde_json::Value =
            serde_json::from_str(&read(format!("{number}.json"))).unwrap();
        assert_eq!(
            serde_json::to_value(&described.input).unwrap(),
            expected,
            "{text}"
        );
        let unknown = read(format!("{number}.unknown"));
        let (_, unknown) = unknown.trim().split_once("fields: ").unwrap();
        let unknown: BTreeSet<&str> = unknown.split(", ").collect();
        let found: BTreeSet<&str> = described.unknown.iter().map(String::as_str).collect();
        assert_eq!(found, unknown, "{text}");
    }
}
