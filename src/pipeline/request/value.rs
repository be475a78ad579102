//! Mistakes in values that are given as text: outputs, caches, attestations, annotations,
//! entitlements, limits and contexts.

use std::fmt;

use crate::oci;
use crate::text::CsvError;
use crate::translate::GitUrlProblem;

/// A mistake in a value that is given as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The text is empty.
    #[error("it is empty")]
    Empty,
    /// The text is not one CSV record.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A field has the wrong form.
    #[error("{field:?} is not {expected}")]
    Form {
        /// The field.
        field: String,
        /// The expected form.
        expected: &'static str,
    },
    /// A `key=value` pair has no key.
    #[error("{field:?} has no key")]
    NoKey {
        /// The pair.
        field: String,
    },
    /// A required key is missing.
    #[error("{key}= is missing: {why}")]
    Missing {
        /// Its key.
        key: &'static str,
        /// Its purpose.
        why: String,
    },
    /// A value is empty but must not be.
    #[error("{key}= is empty; {instead}")]
    EmptyValue {
        /// Its key.
        key: &'static str,
        /// The advice: a valid alternative.
        instead: &'static str,
    },
    /// A name is unknown.
    #[error(
        "there is no {what} {name:?};{} the {what}s are {}",
        Near(near),
        listed(known)
    )]
    Unknown {
        /// The kind of name: `type`, `limit` …
        what: &'static str,
        /// The name.
        name: String,
        /// A known name that is similar.
        near: Option<String>,
        /// The known names.
        known: Vec<&'static str>,
    },
    /// The type does not have this attribute.
    #[error(
        "there is no attribute {name:?};{} type={kind} has {}",
        Near(near),
        listed(known)
    )]
    Attribute {
        /// The attribute.
        name: String,
        /// The type.
        kind: String,
        /// A known attribute that is similar.
        near: Option<String>,
        /// The attributes that the type has.
        known: Vec<&'static str>,
    },
    /// The value is not one of the two valid ones.
    #[error("{key}={value} is neither {expected}")]
    NeitherNor {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The two valid values.
        expected: &'static str,
    },
    /// A value is given, but none is allowed.
    #[error("{name} takes no value")]
    TakesNoValue {
        /// The name that takes no value.
        name: String,
    },
    /// A destination is given, but the type has none.
    #[error("type={kind} has no dest=")]
    NoDestination {
        /// The type.
        kind: &'static str,
    },
    /// Files cannot be written to the standard output.
    #[error("{what} cannot go to the standard output; {instead} can")]
    NotToStandardOutput {
        /// The kind of output.
        what: &'static str,
        /// The kind of output that can go there.
        instead: &'static str,
    },
    /// A platform is given for an index, but an index covers all platforms.
    #[error(
        "{field:?} names a platform, and an index is of all platforms; manifest[…] and \
         manifest-descriptor[…] have one"
    )]
    IndexOfOnePlatform {
        /// The annotated object.
        field: String,
    },
    /// Entitlements for files are not needed: a build may read and write all that its flags name.
    #[error("a build reads and writes what its flags name and needs no leave for that")]
    NeedsNoLeave,
    /// A key with white space.
    #[error("the key {key:?} has white space in it")]
    WhiteSpace {
        /// The key.
        key: String,
    },
    /// The text is not a valid platform.
    #[error("{text:?} is not a platform")]
    Platform {
        /// The text.
        text: String,
        /// The mistake in it.
        source: oci::Error,
    },
    /// The text is not a valid image name.
    #[error("{what} is not an image")]
    Image {
        /// The purpose of the text.
        what: &'static str,
        /// The mistake in it.
        source: oci::Error,
    },
    /// The text is not a valid digest or name.
    #[error(transparent)]
    Name(#[from] oci::Error),
    /// The URL's scheme is unknown.
    #[error("unknown scheme {scheme:?}, expected {expected}")]
    Scheme {
        /// Its scheme.
        scheme: String,
        /// The known schemes.
        expected: &'static str,
    },
    /// The URL of a git repository or download cannot be used.
    #[error(transparent)]
    Url(#[from] GitUrlProblem),
}

impl ValueError {
    /// [`Form`](Self::Form) with owned copies.
    pub(super) fn form(field: &str, expected: &'static str) -> Self {
        Self::Form {
            field: field.to_owned(),
            expected,
        }
    }

    /// [`Unknown`](Self::Unknown) with the nearest known name.
    pub(super) fn unknown(what: &'static str, name: &str, known: &[&'static str]) -> Self {
        Self::Unknown {
            what,
            name: name.to_owned(),
            near: crate::suggest::nearest(name, known).map(str::to_owned),
            known: known.to_vec(),
        }
    }

    /// [`Attribute`](Self::Attribute) with the nearest known attribute.
    pub(super) fn attribute(kind: &str, name: &str, known: &[&'static str]) -> Self {
        Self::Attribute {
            name: name.to_owned(),
            kind: kind.to_owned(),
            near: crate::suggest::nearest(name, known).map(str::to_owned),
            known: known.to_vec(),
        }
    }

    /// [`NeitherNor`](Self::NeitherNor) with owned copies.
    pub(super) fn neither(key: &str, value: &str, expected: &'static str) -> Self {
        Self::NeitherNor {
            key: key.to_owned(),
            value: value.to_owned(),
            expected,
        }
    }
}

struct Near<'a>(&'a Option<String>);

impl fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, " did you mean {name:?}?"),
            None => Ok(()),
        }
    }
}

fn listed(known: &[&'static str]) -> String {
    match known.is_empty() {
        true => "none here".to_owned(),
        false => known.join(", "),
    }
}
