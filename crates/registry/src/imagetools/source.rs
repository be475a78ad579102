//! The sources of a new image: names, digests and descriptors.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Error, Location, SourceProblem};
use crate::oci::{Digest, Platform};

/// A part of a new image.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// The image with this name.
    Name(Location),
    /// The content with this digest, in the repository or folder of the other sources.
    Digest(Digest),
    /// The content of this descriptor, in the repository or folder of the other sources.
    Descriptor(Box<Given>),
}

/// A descriptor from the user: missing fields are looked up, the others are used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Given {
    /// The media type; empty if not given.
    #[serde(default)]
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The size in bytes; 0 if not given.
    #[serde(default)]
    pub size: u64,
    /// The annotations, which replace the existing ones.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// The artifact type; empty if not given.
    #[serde(default)]
    pub artifact_type: String,
    /// The platform; missing fields come from the image's config.
    #[serde(default)]
    pub platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    schema_version: u64,
}

impl Source {
    /// Parses a digest, a name in a registry or of a layout, or a descriptor as JSON. The default
    /// tag is `latest`.
    ///
    /// # Errors
    /// [`Error::Source`] if the text is malformed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::Source {
            input: shortened(text),
            reason: Box::new(reason),
        };
        let text = text.trim();
        if text.starts_with('{') {
            let document: Document =
                serde_json::from_str(text).map_err(|error| invalid(error.into()))?;
            if document.schema_version != 0 {
                return Err(invalid(SourceProblem::NotADescriptor));
            }
            let given: Given = serde_json::from_str(text).map_err(|error| invalid(error.into()))?;
            return Ok(Self::Descriptor(Box::new(given)));
        }
        match Digest::parse(text) {
            Ok(digest) => return Ok(Self::Digest(digest)),
            Err(error) if text.starts_with("sha256:") => return Err(invalid(error.into())),
            Err(_) => {}
        }
        Location::parse(text).map(Self::Name)
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_names_and_descriptors_are_distinguished() {
        let digest = Digest::sha256(b"");
        assert_eq!(
            Source::parse(digest.as_str()).unwrap(),
            Source::Digest(digest.clone())
        );
        let Source::Name(name) = Source::parse("alpine").unwrap() else {
            panic!("a name");
        };
        assert_eq!(name.to_string(), "docker.io/library/alpine:latest");
        let text = format!(
            r#" {{"digest": "{digest}", "platform": {{"os": "linux", "architecture": "arm"}}}}"#
        );
        let Source::Descriptor(given) = Source::parse(&text).unwrap() else {
            panic!("a descriptor");
        };
        assert_eq!(given.digest, digest);
        assert_eq!(given.platform.unwrap().architecture, "arm");
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for (text, reason) in [
            ("sha256:12", "length"),
            ("a/Upper", "lower-case"),
            (
                "{\"schemaVersion\": 2, \"manifests\": []}",
                "a descriptor of one is needed",
            ),
            ("{\"mediaType\": \"a/b\"}", "digest"),
            ("{", "EOF"),
        ] {
            let error = Source::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
