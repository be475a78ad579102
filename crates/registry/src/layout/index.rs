//! `index.json`: the images of a layout by tag and name. Entries of other tools stay unchanged.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::guard::Guard;
use super::upload::{file_error, make};
use super::{Error, Layout};
use crate::files::read_at_most;
use crate::oci::{Descriptor, Digest, Reference, media_type};

/// The annotation with the tag alone, from the OCI image specification.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation with the full image name, which containerd adds.
const IMAGE_NAME: &str = "io.containerd.image.name";
/// The annotation of an entry that refers to another manifest, which containerd's tools write too.
pub(crate) const SUBJECT: &str = "io.containerd.manifest.subject";
/// The largest index that is read, in bytes; real ones are far smaller.
const LIMIT: u64 = 16 << 20;

/// The name of an index entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A tag alone.
    Tag(String),
    /// A full image name with its tag.
    Image(Reference),
}

impl Layout {
    pub(crate) fn index_path(&self) -> PathBuf {
        self.root().join("index.json")
    }

    /// Returns the digest of the image with that full name or, if there is none, with that tag.
    ///
    /// # Errors
    /// [`Error::NoIndex`] if there is no layout; [`Error::NoImage`], which lists the existing tags.
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

    /// As [`Layout::find`], but a layout's only image matches any tag.
    ///
    /// # Errors
    /// As [`Layout::find`].
    pub fn find_or_only(&self, tag: &str) -> Result<Digest, Error> {
        match (self.find(tag), self.read_index()?) {
            (Err(error @ Error::NoImage { .. }), Some(index)) => {
                let mut images = entries(&index).iter().filter(|it| !is_referrer(it));
                match (images.next(), images.next()) {
                    (Some(only), None) => self.digest_of(only),
                    _ => Err(error),
                }
            }
            (found, _) => found,
        }
    }

    /// Adds an image under names and takes those names from other images. The index is replaced
    /// atomically.
    ///
    /// # Errors
    /// If a file cannot be written; [`Error::Locked`] if another program holds the lock too long.
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

    /// Returns the manifests that refer to another, as recorded by [`Layout::put_referrer`].
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let index = self.read_index()?.unwrap_or_default();
        let of_it = entries(&index)
            .iter()
            .filter(|entry| annotation(entry, SUBJECT) == Some(subject.as_str()));
        let parsed = of_it.map(|entry| serde_json::from_value::<Descriptor>(entry.clone()));
        let parsed: Result<Vec<_>, _> = parsed.collect();
        parsed.map_err(|error| Error::Index {
            path: self.index_path(),
            reason: error.into(),
        })
    }

    /// Records that a manifest refers to another one: a signature, an attestation.
    ///
    /// # Errors
    /// As [`Layout::put`].
    pub fn put_referrer(&self, subject: &Digest, referrer: &Descriptor) -> Result<(), Error> {
        make(self.root())?;
        let path = self.index_path();
        let _guard = Guard::of(&path)?;
        let mut index = self.read_index()?.unwrap_or_default();
        insert(&mut index, referrer, &[]);
        if let Some(manifests) = index.get_mut("manifests").and_then(Value::as_array_mut) {
            let is_it = |entry: &Value| {
                annotation(entry, SUBJECT) == Some(subject.as_str())
                    && entry.get("digest").and_then(Value::as_str) == Some(referrer.digest.as_str())
            };
            manifests.retain(|entry| !is_it(entry));
            let mut referrer = referrer.clone();
            let subject = subject.as_str().to_owned();
            referrer.annotations.insert(SUBJECT.to_owned(), subject);
            manifests.push(json!(referrer));
        }
        replace(&path, &Value::Object(index))
    }

    /// Removes names from images. Their blobs stay.
    pub fn forget(&self, names: &[Name]) -> Result<(), Error> {
        let path = self.index_path();
        let _guard = Guard::of(&path)?;
        let Some(mut index) = self.read_index()? else {
            return Ok(());
        };
        if let Some(manifests) = index.get_mut("manifests").and_then(Value::as_array_mut) {
            for name in names {
                remove(manifests, name);
            }
        }
        replace(&path, &Value::Object(index))
    }

    /// Returns the bytes of the index, or `None` if there is none.
    pub(crate) fn index_text(&self) -> Result<Option<Vec<u8>>, Error> {
        let path = self.index_path();
        match read_at_most(&path, LIMIT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read
                .map(Some)
                .map_err(|error| file_error("read", &path, error)),
        }
    }

    /// Returns `None` if there is no index.
    pub(super) fn read_index(&self) -> Result<Option<Map<String, Value>>, Error> {
        let path = self.index_path();
        let Some(text) = self.index_text()? else {
            return Ok(None);
        };
        if text.is_empty() {
            // Go clients leave an empty file while they write the first index.
            return Ok(Some(Map::new()));
        }
        let parsed = serde_json::from_slice(&text);
        parsed.map(Some).map_err(|error| Error::Index {
            path,
            reason: error.into(),
        })
    }

    fn digest_of(&self, entry: &Value) -> Result<Digest, Error> {
        let digest = entry["digest"].as_str().unwrap_or_default();
        Digest::parse(digest).map_err(|error| Error::Index {
            path: self.index_path(),
            reason: error.into(),
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

/// True for an entry that refers to an image and is not one itself.
fn is_referrer(entry: &Value) -> bool {
    annotation(entry, SUBJECT).is_some()
}

fn annotation<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get("annotations")?.get(key)?.as_str()
}

/// Adds the image to the index. Pure.
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
        let (whole, tag) = remove(manifests, name);
        let mut image = image.clone();
        image.annotations.insert(REF_NAME.to_owned(), tag);
        match whole {
            Some(whole) => drop(image.annotations.insert(IMAGE_NAME.to_owned(), whole)),
            None => drop(image.annotations.remove(IMAGE_NAME)),
        }
        manifests.push(json!(image));
    }
}

/// Removes the entries with a name. Returns the name in the form of annotations: the full name and
/// the tag.
fn remove(manifests: &mut Vec<Value>, name: &Name) -> (Option<String>, String) {
    let (whole, tag) = match name {
        Name::Tag(tag) => (None, tag.clone()),
        Name::Image(name) => (Some(name.to_string()), object(name)),
    };
    manifests.retain(|entry| {
        annotation(entry, REF_NAME) != Some(&tag)
            || annotation(entry, IMAGE_NAME) != whole.as_deref()
    });
    (whole, tag)
}

/// Returns the tag of a name, or its digest.
fn object(name: &Reference) -> String {
    let digest = name.digest().map(|digest| format!("@{digest}"));
    let tag = name.tag().map(str::to_owned);
    tag.or(digest).unwrap_or_else(|| name.to_string())
}

/// Writes a temporary file and renames it.
fn replace(path: &Path, value: &Value) -> Result<(), Error> {
    crate::files::replace(path, value.to_string().as_bytes())
        .map_err(|error| file_error("write", path, error))
}

#[cfg(test)]
mod tests;
