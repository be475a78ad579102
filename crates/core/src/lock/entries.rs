//! Parses a lock. It is strict where a mistake would build something other than what was locked.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{EntryProblem, Error, FormProblem, Lock, LockedImage, VERSION};
use crate::oci::{Digest, Platform, Reference};
use crate::translate::SourceTime;

/// The file. Unknown fields are ignored: later versions have another version number.
#[derive(serde::Deserialize)]
struct File {
    version: Option<Value>,
    images: Option<Pairs<ImageEntry>>,
    sources: Option<Pairs<SourceEntry>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageEntry {
    digest: String,
    platforms: Pairs<Value>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceEntry {
    git_commit_object: Option<String>,
    http_last_modified: Option<String>,
}

/// An object with unique keys: a duplicate key is an error.
struct Pairs<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = BTreeMap::new();
                while let Some(key) = access.next_key::<String>()? {
                    if pairs.contains_key(&key) {
                        access.next_value::<IgnoredAny>()?;
                        return Err(serde::de::Error::custom(format!("{key:?} is there twice")));
                    }
                    let value = access.next_value()?;
                    pairs.insert(key, value);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

pub(super) fn parse(text: &[u8]) -> Result<Lock, Error> {
    let form = |error| Error::Form(FormProblem::Json(Arc::new(error)));
    // The version comes first: a later one may have another form.
    #[derive(serde::Deserialize)]
    struct Version {
        version: Option<Value>,
    }
    let found: Version = serde_json::from_slice(text).map_err(form)?;
    if let Some(version) = found.version.filter(|version| *version != VERSION) {
        return Err(Error::Version {
            found: version.to_string(),
        });
    }
    let file: File = serde_json::from_slice(text).map_err(form)?;
    debug_assert!(file.version.is_none_or(|version| version == VERSION));
    let images = file.images.ok_or(Error::Form(FormProblem::NoImages))?;
    let mut lock = Lock::new();
    for (name, entry) in images.0 {
        let image = image(&name, entry).map_err(|reason| Error::Entry {
            entry: name.clone(),
            reason,
        })?;
        lock.images.insert(name, image);
    }
    check_names(&lock)?;
    for (identifier, entry) in file.sources.into_iter().flat_map(|sources| sources.0) {
        let time = time_of(entry).map_err(|reason| Error::Entry {
            entry: identifier.clone(),
            reason,
        })?;
        lock.sources.insert(identifier, time);
    }
    Ok(lock)
}

fn image(name: &str, entry: ImageEntry) -> Result<LockedImage, EntryProblem> {
    let digest = Digest::parse(&entry.digest).map_err(EntryProblem::Digest)?;
    let pinned = name.split_once('@').map(|(_, pinned)| pinned);
    if pinned.is_some_and(|pinned| pinned != digest.as_str()) {
        return Err(EntryProblem::OtherDigest { digest });
    }
    let mut image = LockedImage::new(digest);
    for (platform, config) in entry.platforms.0 {
        let parsed = Platform::parse(&platform).map_err(EntryProblem::Platform)?;
        if !config.is_object() {
            return Err(EntryProblem::NoConfig { platform });
        }
        if image.get(&parsed).is_some() {
            return Err(EntryProblem::Twice { platform });
        }
        image.insert(&parsed, config);
    }
    Ok(image)
}

/// Fails if two spellings of a reference have two digests.
fn check_names(lock: &Lock) -> Result<(), Error> {
    for (name, image) in lock.images() {
        let Ok(reference) = Reference::parse(name) else {
            continue;
        };
        let normalised = reference.with_default_tag().to_string();
        match lock.images.get(&normalised) {
            Some(other) if normalised != name && other.digest != image.digest => {
                return Err(Error::Entry {
                    entry: name.to_owned(),
                    reason: EntryProblem::SameImage { other: normalised },
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn time_of(entry: SourceEntry) -> Result<SourceTime, EntryProblem> {
    match (entry.git_commit_object, entry.http_last_modified) {
        (Some(object), None) => Ok(SourceTime::GitCommit(object.into_bytes())),
        (None, Some(text)) => OffsetDateTime::parse(&text, &Rfc3339)
            .map(|time| SourceTime::Seconds(time.unix_timestamp()))
            .map_err(EntryProblem::Time),
        (None, None) => Ok(SourceTime::Unknown),
        (Some(_), Some(_)) => Err(EntryProblem::GitAndHttp),
    }
}

pub(super) fn time_to_json(time: &SourceTime) -> Value {
    match time {
        SourceTime::Unknown => json!({}),
        SourceTime::GitCommit(object) => {
            json!({ "git_commit_object": String::from_utf8_lossy(object) })
        }
        SourceTime::Seconds(seconds) => {
            let time = OffsetDateTime::from_unix_timestamp(*seconds)
                .ok()
                .and_then(|time| time.format(&Rfc3339).ok());
            json!({ "http_last_modified": time })
        }
    }
}
