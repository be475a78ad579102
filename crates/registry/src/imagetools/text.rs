//! Formats an image as text, in the columns of Go's `tabwriter`.

use std::collections::BTreeMap;

use super::Location;
use crate::oci::{Descriptor, Index, media_type};

/// Lines of names and values, aligned as one block.
#[derive(Default)]
struct Columns {
    text: String,
    lines: Vec<(String, String)>,
}

impl Columns {
    fn line(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.lines.push((name.into(), value.into()));
    }

    /// Adds a block of annotations; nothing if there are none.
    fn annotations(&mut self, indent: &str, annotations: &BTreeMap<String, String>) {
        if annotations.is_empty() {
            return;
        }
        self.line(format!("{indent}Annotations:"), "");
        self.flush();
        for (key, value) in annotations {
            self.line(format!("{indent}  {key}:"), value);
        }
        self.flush();
    }

    /// Writes the block: the values start one column after the longest name.
    fn flush(&mut self) {
        let width = self
            .lines
            .iter()
            .map(|(name, _)| name.chars().count())
            .max();
        for (name, value) in self.lines.drain(..) {
            let width = width.unwrap_or_default() + 1;
            self.text.push_str(&format!("{name:<width$}{value}\n"));
        }
    }
}

/// Formats name, type and digest, the annotations, and the manifests of an index. Without
/// annotations the text equals buildx's.
pub(super) fn text(
    name: &Location,
    root: &Descriptor,
    own: &BTreeMap<String, String>,
    index: Option<&Index>,
) -> String {
    let mut columns = Columns::default();
    columns.line("Name:", name.to_string());
    columns.line("MediaType:", &root.media_type);
    columns.line("Digest:", root.digest.as_str());
    columns.flush();
    columns.annotations("", own);
    if let Some(index) = index.filter(|_| media_type::is_index(&root.media_type)) {
        columns.line("", "");
        columns.line("Manifests:", "");
        columns.flush();
        for (at, entry) in index.manifests.iter().enumerate() {
            if at > 0 {
                columns.line("", "");
            }
            manifest(&mut columns, name, entry);
        }
        columns.flush();
    }
    columns.text
}

fn manifest(columns: &mut Columns, name: &Location, entry: &Descriptor) {
    let name = name.at(&entry.digest);
    columns.line("  Name:", name.to_string());
    columns.line("  MediaType:", &entry.media_type);
    if let Some(platform) = &entry.platform {
        columns.line("  Platform:", platform.to_string());
        if !platform.os_version.is_empty() {
            columns.line("  OSVersion:", &platform.os_version);
        }
        if !platform.os_features.is_empty() {
            columns.line("  OSFeatures:", platform.os_features.join(", "));
        }
    }
    if !entry.urls.is_empty() {
        columns.line("  URLs:", entry.urls.join(", "));
    }
    columns.annotations("  ", &entry.annotations);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::{Digest, Platform};

    #[test]
    fn columns_are_those_of_buildx() {
        let digest = Digest::sha256(b"");
        let mut first = Descriptor::new(media_type::OCI_MANIFEST, digest.clone(), 1);
        first.platform = Some(Platform::parse("linux/amd64").unwrap());
        let mut second = first.clone();
        second.annotations = [("key".to_owned(), "value".to_owned())].into();
        let index: Index = serde_json::from_value(
            serde_json::json!({"schemaVersion": 2, "manifests": [first, second]}),
        )
        .unwrap();
        let root = Descriptor::new(media_type::OCI_INDEX, digest.clone(), 1);
        let name = Location::parse("r.example/a:1").unwrap();
        let indexed = media_type::OCI_INDEX;
        let manifest = media_type::OCI_MANIFEST;
        let expected = format!(
            "Name:      r.example/a:1\nMediaType: \
             {indexed}\nDigest:    {digest}\n           \nManifests: \n\
             \x20 Name:        r.example/a:1@{digest}\n  MediaType:   {manifest}\n\
             \x20 Platform:    linux/amd64\n               \n\
             \x20 Name:        r.example/a:1@{digest}\n  MediaType:   {manifest}\n\
             \x20 Platform:    linux/amd64\n  Annotations: \n\
             \x20   key: value\n"
        );
        assert_eq!(
            text(&name, &root, &index.annotations, Some(&index)),
            expected
        );
    }

    #[test]
    fn annotations_of_index_manifest_and_descriptors_are_shown() {
        let digest = Digest::sha256(b"");
        let mut entry = Descriptor::new(media_type::OCI_MANIFEST, digest.clone(), 1);
        entry.annotations = [("of.entry".to_owned(), "c".to_owned())].into();
        let index: Index = serde_json::from_value(serde_json::json!({
            "schemaVersion": 2, "manifests": [entry], "annotations": {"of.index": "a", "x": "b"}
        }))
        .unwrap();
        let name = Location::parse("r.example/a:1").unwrap();
        let root = Descriptor::new(media_type::OCI_INDEX, digest.clone(), 1);
        let shown = text(&name, &root, &index.annotations, Some(&index));
        let after = shown.split(&format!("{digest}\n")).nth(1).unwrap();
        assert!(
            after.starts_with("Annotations: \n  of.index: a\n  x:        b\n"),
            "{shown}"
        );
        assert!(
            shown.ends_with("  Annotations: \n    of.entry: c\n"),
            "{shown}"
        );
        let root = Descriptor::new(media_type::OCI_MANIFEST, digest, 1);
        let shown = text(&name, &root, &index.annotations, None);
        assert!(
            shown.ends_with("Annotations: \n  of.index: a\n  x:        b\n"),
            "{shown}"
        );
    }
}
