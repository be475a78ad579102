//! Annotations of a new index: on the index itself, or on its descriptors.

use super::{AnnotationProblem, Error};
use crate::oci::Platform;

/// An annotation and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The place of the annotation.
    pub place: Place,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// The place of an annotation.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// On the index.
    Index,
    /// On the descriptors of all manifests, or of one platform's.
    ManifestDescriptor(Option<Platform>),
}

impl Annotation {
    /// Parses `index:KEY=VALUE`, `manifest-descriptor:KEY=VALUE` or
    /// `manifest-descriptor[PLATFORM]:KEY=VALUE`; several places are separated by commas.
    ///
    /// # Errors
    /// [`Error::Annotation`] if the text is malformed, or names manifests: changing a manifest
    /// would change its digest.
    pub fn parse(text: &str) -> Result<Vec<Self>, Error> {
        let invalid = |reason| Error::Annotation {
            input: text.to_owned(),
            reason,
        };
        let (place, value) = text
            .split_once('=')
            .ok_or_else(|| invalid(AnnotationProblem::NoValue))?;
        let (places, key) = place
            .split_once(':')
            .ok_or_else(|| invalid(AnnotationProblem::NoPlace))?;
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(invalid(AnnotationProblem::Key));
        }
        let place = |place: &str| {
            let (kind, platform) = match place.split_once('[') {
                None => (place, None),
                Some((kind, rest)) => {
                    let platform = rest.strip_suffix(']');
                    (
                        kind,
                        Some(platform.ok_or_else(|| invalid(AnnotationProblem::OpenBracket))?),
                    )
                }
            };
            match (kind, platform) {
                ("index", None) => Ok(Place::Index),
                ("index", Some(_)) => Err(invalid(AnnotationProblem::IndexOfOnePlatform)),
                ("manifest-descriptor", None) => Ok(Place::ManifestDescriptor(None)),
                ("manifest-descriptor", Some(platform)) => Platform::parse(platform)
                    .map(|platform| Place::ManifestDescriptor(Some(platform)))
                    .map_err(|error| invalid(error.into())),
                ("manifest" | "index-descriptor", _) => {
                    Err(invalid(AnnotationProblem::Unchangeable))
                }
                _ => Err(invalid(AnnotationProblem::UnknownPlace)),
            }
        };
        let all = places.split(',').map(|text| {
            Ok(Self {
                place: place(text)?,
                key: key.to_owned(),
                value: value.to_owned(),
            })
        });
        all.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let all = Annotation::parse("index,manifest-descriptor[linux/arm64]:a=b=c").unwrap();
        assert_eq!(all[0].place, Place::Index);
        assert_eq!((all[1].key.as_str(), all[1].value.as_str()), ("a", "b=c"));
        let Place::ManifestDescriptor(Some(platform)) = &all[1].place else {
            panic!("{all:?}");
        };
        assert_eq!(platform.to_string(), "linux/arm64");
        for (text, reason) in [
            ("a", "PLACE:KEY"),
            ("a=b", "say where"),
            ("manifest:a=b", "stay as they are"),
            ("indx:a=b", "what can be annotated"),
            ("index[linux/amd64]:a=b", "all platforms"),
            ("manifest-descriptor[x:a=b", "not closed"),
            ("index:=b", "key is empty"),
        ] {
            let error = Annotation::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
