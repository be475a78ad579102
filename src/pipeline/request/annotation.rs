//! Annotations of indexes, manifests and their descriptors.

use std::collections::BTreeMap;

use super::value::ValueError;
use crate::oci::Platform;
use crate::pipeline::Error;

/// The objects that can be annotated, as in the exporter's attributes.
const TYPES: [&str; 4] = [
    "index",
    "index-descriptor",
    "manifest",
    "manifest-descriptor",
];

/// Parses flags like `KEY=VALUE`, `index:KEY=VALUE`, `index,manifest[linux/amd64]:KEY=VALUE` into
/// attributes of the image exporter: `annotation.KEY`, `annotation-index.KEY` … If an object and
/// key are given twice, the last one wins.
///
/// # Errors
/// [`Error::Annotation`] with the mistake.
pub fn parse_annotations(given: &[String]) -> Result<BTreeMap<String, String>, Error> {
    let mut attributes = BTreeMap::new();
    for text in given.iter().filter(|text| !text.is_empty()) {
        let invalid = |source| Error::Annotation {
            input: text.clone(),
            source: Box::new(source),
        };
        let (place, value) = text
            .split_once('=')
            .ok_or_else(|| invalid(ValueError::form(text, "key=value")))?;
        let (types, key) = match place.split_once(':') {
            Some((types, key)) => (Some(types), key),
            None => (None, place),
        };
        check_key(key).map_err(invalid)?;
        let Some(types) = types else {
            attributes.insert(format!("annotation.{key}"), value.to_owned());
            continue;
        };
        for kind in types.split(',') {
            let prefix = prefix(kind).map_err(invalid)?;
            attributes.insert(format!("{prefix}.{key}"), value.to_owned());
        }
    }
    Ok(attributes)
}

/// The daemon silently drops a key that it does not recognise.
fn check_key(key: &str) -> Result<(), ValueError> {
    match key {
        "" => Err(ValueError::NoKey {
            field: "=".to_owned(),
        }),
        key if key.contains(char::is_whitespace) => Err(ValueError::WhiteSpace {
            key: key.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The part of an attribute before the key: `annotation-manifest[linux/amd64]` for
/// `manifest[linux/amd64]`.
fn prefix(text: &str) -> Result<String, ValueError> {
    let (kind, platform) = match text.split_once('[') {
        None => (text, None),
        Some((kind, rest)) => match rest.strip_suffix(']') {
            Some(platform) => (kind, Some(platform)),
            None => {
                return Err(ValueError::form(
                    text,
                    "manifest[PLATFORM]: no closing bracket",
                ));
            }
        },
    };
    if !TYPES.contains(&kind) {
        return Err(ValueError::unknown("annotation type", kind, &TYPES));
    }
    let Some(platform) = platform else {
        return Ok(format!("annotation-{kind}"));
    };
    if kind.starts_with("index") {
        return Err(ValueError::IndexOfOnePlatform {
            field: text.to_owned(),
        });
    }
    let platform = Platform::parse(platform).map_err(|source| ValueError::Platform {
        text: platform.to_owned(),
        source,
    })?;
    Ok(format!("annotation-{kind}[{}]", platform.format_all()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<String>, String> {
        let attributes = parse_annotations(&[text.to_owned()]);
        let pairs = |all: BTreeMap<String, String>| {
            all.iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect()
        };
        attributes
            .map(pairs)
            .map_err(|error| crate::causes::in_one_line(&error))
    }

    #[test]
    fn annotations_become_attributes_of_the_exporter() {
        for (text, attributes) in [
            ("a=b", &["annotation.a=b"][..]),
            ("a.b/c=d=e", &["annotation.a.b/c=d=e"]),
            ("a=", &["annotation.a="]),
            ("manifest:a=b", &["annotation-manifest.a=b"]),
            (
                "index,manifest:a=b:c",
                &["annotation-index.a=b:c", "annotation-manifest.a=b:c"],
            ),
            ("index-descriptor:a=b", &["annotation-index-descriptor.a=b"]),
            (
                "manifest-descriptor[linux/arm64]:a=b",
                &["annotation-manifest-descriptor[linux/arm64].a=b"],
            ),
            (
                "manifest[linux/arm/v7],index:a=b",
                &[
                    "annotation-index.a=b",
                    "annotation-manifest[linux/arm/v7].a=b",
                ],
            ),
        ] {
            assert_eq!(parse(text).unwrap(), attributes, "{text}");
        }
    }

    #[test]
    fn mistakes_name_what_there_is() {
        for (text, part) in [
            ("a", "not key=value"),
            ("=b", "no key"),
            ("index:=b", "no key"),
            ("a b=c", "white space"),
            ("manifst:a=b", "did you mean \"manifest\"?"),
            ("manifst:a=b", "index, index-descriptor, manifest"),
            (":a=b", "there is no annotation type \"\""),
            ("manifest,:a=b", "there is no annotation type \"\""),
            ("manifest[linux/amd64:a=b", "no closing bracket"),
            ("manifest[]:a=b", "not a platform"),
            ("manifest[a/b/c/d/e]:a=b", "not a platform"),
            ("index[linux/amd64]:a=b", "of all platforms"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(error.contains("invalid annotation"), "{error}");
        }
    }
}
