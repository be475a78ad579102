//! Removes the blobs that no image of a layout refers to.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::guard::Guard;
use super::upload::file_error;
use super::{Error, Layout};
use crate::files::take_at_most;
use crate::oci::{Digest, media_type};

/// The largest manifest that is read, in bytes: the reference client's limit.
const MANIFEST: u64 = 4 << 20;
/// The deepest nesting of indexes that is followed; images have one or two levels.
const DEPTH: usize = 8;

impl Layout {
    /// Removes the blobs that no index entry refers to, directly or through manifests, including
    /// blobs that another build has written but not named yet. Returns the number of removed blobs.
    /// Blocking.
    ///
    /// # Errors
    /// If a manifest cannot be read; nothing is removed then. [`Error::NoIndex`] if there is no
    /// layout.
    pub fn sweep(&self) -> Result<usize, Error> {
        let path = self.index_path();
        let _guard = Guard::of(&path)?;
        let index = self.read_index()?.ok_or_else(|| Error::NoIndex {
            path: self.root().to_owned(),
        })?;
        let mut kept = BTreeSet::new();
        self.mark(&Value::Object(index), DEPTH, &mut kept)?;
        let mut removed = 0;
        for digest in self.blobs()?.iter().filter(|digest| !kept.contains(digest)) {
            let path = self.blob_path(digest);
            fs::remove_file(&path).map_err(|error| file_error("remove", &path, error))?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Collects the digests that a manifest or an index refers to.
    fn mark(&self, text: &Value, depth: usize, kept: &mut BTreeSet<Digest>) -> Result<(), Error> {
        let lists = ["manifests", "layers"].map(|key| text[key].as_array());
        let children = lists.into_iter().flatten().flatten();
        for child in children.chain(text.get("config")) {
            let digest = child["digest"].as_str().unwrap_or_default();
            let digest = Digest::parse(digest).map_err(|error| Error::Index {
                path: self.index_path(),
                reason: error.into(),
            })?;
            let refers = matches!(
                child["mediaType"].as_str().unwrap_or_default(),
                media_type::OCI_INDEX
                    | media_type::OCI_MANIFEST
                    | media_type::DOCKER_MANIFEST_LIST
                    | media_type::DOCKER_MANIFEST
            );
            if kept.insert(digest.clone()) && refers && depth > 0 {
                self.mark(&self.manifest(&digest)?, depth - 1, kept)?;
            }
        }
        Ok(())
    }

    /// Reads a manifest. A missing manifest refers to nothing.
    fn manifest(&self, digest: &Digest) -> Result<Value, Error> {
        let Some(blob) = self.blob(digest)? else {
            return Ok(Value::Null);
        };
        let path = self.blob_path(digest);
        let text = take_at_most(blob.file, MANIFEST);
        let text = text.map_err(|error| file_error("read", &path, error))?;
        serde_json::from_slice(&text).map_err(|error| Error::Index {
            path,
            reason: error.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layout::Name;
    use crate::oci::Descriptor;

    fn put(layout: &Layout, text: &str) -> Digest {
        let mut upload = layout.upload("sha256").unwrap();
        upload.write(text.as_bytes()).unwrap();
        upload.commit(None, None).unwrap()
    }

    fn named(layout: &Layout, tag: &str, kind: &str, text: &Value) -> Digest {
        let digest = put(layout, &text.to_string());
        let image = Descriptor::new(kind, digest.clone(), 1);
        layout.put(&image, &[Name::Tag(tag.to_owned())]).unwrap();
        digest
    }

    #[test]
    fn what_an_image_refers_to_stays_and_the_rest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        assert!(matches!(layout.sweep(), Err(Error::NoIndex { .. })));
        let [layer, config, nested, old] =
            ["layer", "config", "nested", "old"].map(|text| put(&layout, text));
        let of =
            |digest: &Digest| json!({"mediaType": "application/x", "digest": digest, "size": 1});
        let manifest = json!({"config": of(&config), "layers": [of(&layer)]});
        let manifest = put(&layout, &manifest.to_string());
        let index = json!({"manifests": [{"mediaType": media_type::OCI_MANIFEST,
            "digest": manifest, "size": 1}, of(&nested)]});
        let index = named(&layout, "latest", media_type::OCI_INDEX, &index);
        let replaced = named(
            &layout,
            "v1",
            media_type::OCI_MANIFEST,
            &json!({"layers": [of(&old)]}),
        );
        named(
            &layout,
            "v1",
            media_type::OCI_MANIFEST,
            &json!({"layers": []}),
        );
        assert_eq!(layout.sweep().unwrap(), 2);
        for digest in [&layer, &config, &nested, &manifest, &index] {
            assert!(layout.blob(digest).unwrap().is_some());
        }
        for digest in [&old, &replaced] {
            assert!(layout.blob(digest).unwrap().is_none());
        }
    }

    #[test]
    fn nothing_goes_when_a_manifest_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let loose = put(&layout, "loose");
        let damaged = named(&layout, "v1", media_type::OCI_MANIFEST, &json!({}));
        fs::write(layout.blob_path(&damaged), "{").unwrap();
        assert!(matches!(layout.sweep(), Err(Error::Index { .. })));
        assert!(layout.blob(&loose).unwrap().is_some());
    }
}
