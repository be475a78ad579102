//! Selects an image from an `index.json`. Pure.

use super::Error;
use crate::layout::SUBJECT;
use crate::oci::{Descriptor, Index, Reference};

/// The annotation with the tag, from the OCI image specification.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation with the full image name, which containerd adds.
const IMAGE_NAME: &str = "io.containerd.image.name";
/// The default tag.
const DEFAULT_TAG: &str = "latest";

/// Returns the entry with that name or tag. Without one, returns the only image, else the one with
/// the tag `latest`.
pub(super) fn choose(
    place: &str,
    index: &Index,
    wanted: Option<&str>,
) -> Result<Descriptor, Error> {
    // Manifests that refer to an image are not images.
    let mut images = index.manifests.clone();
    images.retain(|entry| !entry.annotations.contains_key(SUBJECT));
    let entries = images.as_slice();
    let found = match wanted {
        Some(wanted) => named(entries, wanted),
        None => match entries.first() {
            // The same image under several names counts once.
            Some(first) if entries.iter().all(|entry| entry.digest == first.digest) => Some(first),
            _ => named(entries, DEFAULT_TAG),
        },
    };
    found.map(bare).ok_or_else(|| {
        let mut available: Vec<String> = entries.iter().filter_map(name).collect();
        available.sort();
        available.dedup();
        available.truncate(10);
        Error::NoImage {
            place: place.to_owned(),
            wanted: wanted.map(str::to_owned),
            available,
        }
    })
}

fn named<'a>(entries: &'a [Descriptor], wanted: &str) -> Option<&'a Descriptor> {
    let whole = Reference::parse(wanted).map(|name| name.with_default_tag().to_string());
    let is = |key: &str, text: &str| {
        let mut entries = entries.iter();
        entries.find(|entry| {
            entry
                .annotations
                .get(key)
                .is_some_and(|value| value == text)
        })
    };
    is(IMAGE_NAME, wanted)
        .or_else(|| whole.ok().and_then(|whole| is(IMAGE_NAME, &whole)))
        .or_else(|| is(REF_NAME, wanted))
}

fn name(entry: &Descriptor) -> Option<String> {
    let names = [REF_NAME, IMAGE_NAME].into_iter();
    names
        .filter_map(|key| entry.annotations.get(key))
        .next()
        .cloned()
}

/// The names belong to the index, not to the image.
fn bare(entry: &Descriptor) -> Descriptor {
    let mut entry = entry.clone();
    entry.annotations.clear();
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(entries: &[(&str, &str, &str)]) -> Index {
        let manifests = entries.iter().map(|(text, tag, name)| {
            let mut entry = Descriptor::of("a/b", text.as_bytes());
            for (key, value) in [(REF_NAME, tag), (IMAGE_NAME, name)] {
                if !value.is_empty() {
                    entry
                        .annotations
                        .insert(key.to_owned(), (*value).to_owned());
                }
            }
            entry
        });
        let mut index: Index = serde_json::from_str(r#"{"schemaVersion": 2}"#).unwrap();
        index.manifests = manifests.collect();
        index
    }

    #[test]
    fn an_image_is_found_by_tag_by_name_and_alone() {
        let two = index(&[
            ("one", "v1", "docker.io/me/app:v1"),
            ("two", "v2", "docker.io/me/app:v2"),
        ]);
        for (wanted, text) in [
            ("v1", "one"),
            ("me/app:v2", "two"),
            ("docker.io/me/app:v1", "one"),
        ] {
            let found = choose("x", &two, Some(wanted)).unwrap();
            assert_eq!(found, Descriptor::of("a/b", text.as_bytes()), "{wanted}");
        }
        let error = choose("x", &two, None).unwrap_err().to_string();
        assert_eq!(error, "x has several images, say which: it has v1, v2");
        let error = choose("x", &two, Some("v3")).unwrap_err().to_string();
        assert_eq!(error, "x has no image \"v3\"; it has v1, v2");
        assert!(choose("x", &index(&[("one", "", "")]), None).is_ok());
        let same = index(&[("one", "a", ""), ("one", "b", "")]);
        assert!(choose("x", &same, None).is_ok());
        let latest = index(&[("one", "a", ""), ("two", "latest", "")]);
        assert_eq!(
            choose("x", &latest, None).unwrap(),
            Descriptor::of("a/b", b"two")
        );
        assert!(choose("x", &index(&[]), None).is_err());
    }
}
