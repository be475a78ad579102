use super::super::render;
use super::*;
use crate::lock::Lock;

/// Two stages with a context, a cache and a quote.
fn definition() -> Definition {
    let text = "FROM alpine:3 AS base\nRUN --mount=type=cache,target=/c true\nRUN \
                --mount=source=z,target=/src echo \"a\" <b>\n\
                FROM scratch\nCOPY --from=base /x /\nCOPY y /\n";
    let lock = Lock::parse(
        br#"{"images": {"docker.io/library/alpine:3": {
        "digest": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "platforms": {"linux/amd64": {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers",
            "diff_ids": ["sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"]}}}}}}"#,
    )
    .unwrap();
    let case = crate::batch::Case::default();
    let translated = crate::batch::translate(&case, text.as_bytes(), &lock).unwrap();
    translated.translations[0].definition.clone()
}

#[test]
fn a_tree_has_stages_steps_and_what_they_read() {
    let tree = render::tree(&[("linux/amd64".to_owned(), &definition())], 80);
    assert_eq!(
        tree,
        include_str!("../../../tests/fixtures/render/tree.txt")
    );
    assert!(tree.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn drawings_escape_what_means_something_there() {
    let graphs = [("linux/amd64".to_owned(), &definition())];
    assert_eq!(
        dot(&graphs),
        include_str!("../../../tests/fixtures/render/graph.dot")
    );
    assert_eq!(
        mermaid(&graphs),
        include_str!("../../../tests/fixtures/render/graph.mmd")
    );
}

#[test]
fn an_empty_graph_is_reported() {
    let empty = Definition::default();
    assert_eq!(
        tree(&[("linux/arm64".to_owned(), &empty)], 80),
        "linux/arm64: empty: the result has no files\n"
    );
}
