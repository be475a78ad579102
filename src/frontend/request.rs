//! The build request as a document for its provenance.
//!
//! The daemon records the attributes of its own frontends in the provenance, but not those of a
//! client that is the frontend. It does record a graph's source files, so the request is added as
//! one.

use std::collections::BTreeMap;

use serde_json::json;

use crate::llb::SourceFile;
use crate::text::redact_url;

/// The document's name among the provenance's sources.
pub(crate) const REQUEST_DOCUMENT: &str = "solvekit-request.json";

/// Attributes without effect on the result, or that belong to the machine; the reference omits them
/// too.
const LEFT_OUT: [&str; 4] = [
    "cgroup-parent",
    "image-resolve-mode",
    "platform",
    "cache-imports",
];

/// Returns `{"frontend": "solvekit", "version": …, "args": {…}}`, with the attributes that a
/// frontend in the daemon would get.
pub(super) fn document(attributes: &BTreeMap<String, String>) -> SourceFile {
    let args = recorded_args(attributes);
    let document = json!({
        "frontend": "solvekit",
        "version": env!("CARGO_PKG_VERSION"),
        "args": args,
    });
    SourceFile {
        filename: REQUEST_DOCUMENT.to_owned(),
        language: "JSON".to_owned(),
        data: document.to_string().into_bytes(),
        definition: None,
    }
}

/// Returns the attributes that the reference records as arguments of a frontend, with the
/// credentials of URLs hidden.
pub(crate) fn recorded_args(attributes: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let recorded = attributes
        .iter()
        .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()) && !name.starts_with("attest:"));
    let shown = recorded.map(|(name, value)| {
        let is_context = name == "context" || name.starts_with("context:");
        let value = match is_context {
            true => redact_url(value),
            false => value.clone(),
        };
        (name.clone(), value)
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_recorded_without_secrets_and_paths() {
        let attributes = [
            ("build-arg:A", "1"),
            ("context", "https://me:secret@git.example/a.git#b"),
            ("context:x", "docker-image://a@sha256:b"),
            ("platform", "linux/amd64"),
            ("attest:provenance", ""),
            ("target", "t"),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let document = document(&attributes.into());
        let text: serde_json::Value = serde_json::from_slice(&document.data).unwrap();
        assert_eq!(
            text["args"],
            json!({
                "build-arg:A": "1",
                "context": "https://xxxxx@git.example/a.git#b",
                "context:x": "docker-image://a@sha256:b",
                "target": "t",
            })
        );
        assert_eq!(text["frontend"], "solvekit");
    }
}
