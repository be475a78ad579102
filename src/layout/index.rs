//! `index.json`: which images a layout has, by tag and by name. Entries of others are kept as they are.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::guard::Guard;
use super::upload::{file_error, make};
use super::{Error, Layout};
use crate::oci::{Descriptor, Digest, Reference, media_type};

/// The tag alone, as the specification has it.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The whole name, as containerd adds it.
const IMAGE_NAME: &str = "io.containerd.image.name";
/// Far more than any index.
const LIMIT: u64 = 16 << 20;

/// What an entry of an index is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// By a tag.
    Tag(String),
    /// By a whole image name, with its tag.
    Image(Reference),
}

impl Layout {
    fn index_path(&self) -> PathBuf {
        self.root().join("index.json")
    }

    /// The digest of the image of that whole name or, if there is none, of that tag.
    ///
    /// # Errors
    /// [`Error::NoIndex`] where there is no layout, [`Error::NoImage`] with the tags that there are.
    pub fn find(&self, tag: &str) -> Result<Digest, Error> {
        let index = self.read_index()?.ok_or_else(|| Error::NoIndex {
            path: self.root().to_owned(),
        })?;
        let entries = entries(&index);
        let named = |key: &str| {
            let mut entries = entries.iter();
            entries.find(|entry| annotation(entry, key) == Some(tag))
        };
        match named(IMAGE_NAME).or_else(|| named(REF_NAME)) {
            Some(entry) => self.digest_of(entry),
            None => Err(self.no_image(tag, entries)),
        }
    }

    /// As [`Layout::find`], but the only image of a layout is found by any tag.
    ///
    /// # Errors
    /// As [`Layout::find`].
    pub fn find_or_only(&self, tag: &str) -> Result<Digest, Error> {
        match (self.find(tag), self.read_index()?) {
            (Err(error @ Error::NoImage { .. }), Some(index)) => match entries(&index) {
                [only] => self.digest_of(only),
                _ => Err(error),
            },
            (found, _) => found,
        }
    }

    /// Adds an image under names, in place of what had them before. The index is replaced in one step.
    ///
    /// # Errors
    /// The file that cannot be written; [`Error::Locked`] when another program does not let go of the index.
    pub fn put(&self, image: &Descriptor, names: &[Name]) -> Result<(), Error> {
        make(self.root())?;
        let path = self.index_path();
        let _guard = Guard::of(&path)?;
        let mut index = self.read_index()?.unwrap_or_default();
        insert(&mut index, image, names);
        let marker = self.root().join("oci-layout");
        if !marker.exists() {
            replace(&marker, &json!({ "imageLayoutVersion": "1.0.0" }))?;
        }
        replace(&path, &Value::Object(index))
    }

    /// `None` when there is none.
    fn read_index(&self) -> Result<Option<Map<String, Value>>, Error> {
        let path = self.index_path();
        let mut text = Vec::new();
        let read = fs::File::open(&path).and_then(|file| file.take(LIMIT).read_to_end(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error("read", &path, error)),
            // As Go's clients leave it while they write it for the first time.
            Ok(0) => return Ok(Some(Map::new())),
            Ok(_) => {}
        }
        let parsed = serde_json::from_slice(&text);
        parsed.map(Some).map_err(|error| Error::Index {
            path,
            reason: error.to_string(),
        })
    }

    fn digest_of(&self, entry: &Value) -> Result<Digest, Error> {
        let digest = entry["digest"].as_str().unwrap_or_default();
        Digest::parse(digest).map_err(|error| Error::Index {
            path: self.index_path(),
            reason: error.to_string(),
        })
    }

    fn no_image(&self, tag: &str, entries: &[Value]) -> Error {
        let names = entries
            .iter()
            .filter_map(|entry| annotation(entry, REF_NAME));
        let mut available: Vec<String> = names.map(str::to_owned).collect();
        available.sort();
        available.dedup();
        available.truncate(10);
        Error::NoImage {
            path: self.root().to_owned(),
            tag: tag.to_owned(),
            available,
        }
    }
}

fn entries(index: &Map<String, Value>) -> &[Value] {
    let manifests = index.get("manifests").and_then(Value::as_array);
    manifests.map_or(&[], Vec::as_slice)
}

fn annotation<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get("annotations")?.get(key)?.as_str()
}

/// Pure: the index with the image in it.
fn insert(index: &mut Map<String, Value>, image: &Descriptor, names: &[Name]) {
    let version = index.entry("schemaVersion").or_insert(Value::Null);
    if version.as_u64().unwrap_or_default() == 0 {
        *version = 2.into();
    }
    let kind = index.entry("mediaType").or_insert(Value::Null);
    if kind.as_str().unwrap_or_default().is_empty() {
        *kind = media_type::OCI_INDEX.into();
    }
    let manifests = index.entry("manifests").or_insert(Value::Null);
    if !manifests.is_array() {
        *manifests = json!([]);
    }
    let Some(manifests) = manifests.as_array_mut() else {
        return;
    };
    for name in names {
        let (whole, tag) = match name {
            Name::Tag(tag) => (None, tag.clone()),
            Name::Image(name) => (Some(name.to_string()), object(name)),
        };
        manifests.retain(|entry| {
            annotation(entry, REF_NAME) != Some(&tag)
                || annotation(entry, IMAGE_NAME) != whole.as_deref()
        });
        let mut image = image.clone();
        image.annotations.insert(REF_NAME.to_owned(), tag);
        match whole {
            Some(whole) => drop(image.annotations.insert(IMAGE_NAME.to_owned(), whole)),
            None => drop(image.annotations.remove(IMAGE_NAME)),
        }
        manifests.push(json!(image));
    }
}

/// The tag of a name, or its digest.
fn object(name: &Reference) -> String {
    let digest = name.digest().map(|digest| format!("@{digest}"));
    let tag = name.tag().map(str::to_owned);
    tag.or(digest).unwrap_or_else(|| name.to_string())
}

/// Writes beside the file and renames.
fn replace(path: &Path, value: &Value) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, value.to_string()).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        file_error("write", path, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Descriptor {
        Descriptor {
            media_type: media_type::OCI_MANIFEST.to_owned(),
            digest: Digest::sha256(text.as_bytes()),
            size: text.len() as u64,
            annotations: [("made".to_owned(), "here".to_owned())].into(),
            platform: None,
        }
    }

    fn tag(text: &str) -> Name {
        Name::Tag(text.to_owned())
    }

    #[test]
    fn a_tag_moves_and_other_entries_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let foreign = json!({"manifests": [{"mediaType": "x/y", "digest": "sha256:1", "size": 1, "artifactType": "z"}], "more": 1});
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
}
