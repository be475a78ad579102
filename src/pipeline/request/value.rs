//! What is wrong with a value that was given as text: an output, a cache, an attestation, an
//! annotation, an entitlement, a limit, a context.

use std::fmt;

use crate::oci;
use crate::translate::GitUrlProblem;

/// What is wrong with a value that was given as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// It is not one CSV record.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A field that should be a pair.
    #[error("{field:?} is not {expected}")]
    Form {
        /// The field.
        field: String,
        /// Its form.
        expected: &'static str,
    },
    /// A pair without a key.
    #[error("{field:?} has no key")]
    NoKey {
        /// The pair.
        field: String,
    },
    /// Something that has to be said.
    #[error("{key}= is missing: {why}")]
    Missing {
        /// Its key.
        key: &'static str,
        /// What it is for.
        why: String,
    },
    /// A value that may not be empty.
    #[error("{key}= is empty; {instead}")]
    EmptyValue {
        /// Its key.
        key: &'static str,
        /// What to write.
        instead: &'static str,
    },
    /// A name that is not known.
    #[error(
        "there is no {what} {name:?};{} the {what}s are {}",
        Near(near),
        listed(known)
    )]
    Unknown {
        /// What it should be: `type`, `limit` …
        what: &'static str,
        /// The name.
        name: String,
        /// A known one that is nearly the same.
        near: Option<String>,
        /// The known ones.
        known: Vec<&'static str>,
    },
    /// An attribute that a type does not have.
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
        /// A known one that is nearly the same.
        near: Option<String>,
        /// Those that it has.
        known: Vec<&'static str>,
    },
    /// The value is neither of the two that are valid.
    #[error("{key}={value} is neither {expected}")]
    NeitherNor {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The two that it may be.
        expected: &'static str,
    },
    /// A value where none belongs.
    #[error("{name} takes no value")]
    TakesNoValue {
        /// What it was given to.
        name: String,
    },
    /// A destination of a type that has none.
    #[error("type={kind} has no dest=")]
    NoDestination {
        /// The type.
        kind: &'static str,
    },
    /// Files, which are no stream.
    #[error("{what} cannot go to the standard output; {instead} can")]
    NotToStandardOutput {
        /// What they are.
        what: &'static str,
        /// What can go there.
        instead: &'static str,
    },
    /// An index is of all platforms.
    #[error(
        "{field:?} names a platform, and an index is of all platforms; manifest[…] and \
         manifest-descriptor[…] have one"
    )]
    IndexOfOnePlatform {
        /// The place.
        field: String,
    },
    /// A build reads and writes what it is told to, and is asked for no leave.
    #[error("a build reads and writes what its flags name and needs no leave for that")]
    NeedsNoLeave,
    /// A key with white space.
    #[error("the key {key:?} has white space in it")]
    WhiteSpace {
        /// The key.
        key: String,
    },
    /// The text is not a platform.
    #[error("{text:?} is not a platform")]
    Platform {
        /// The text.
        text: String,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// A name that no image can have.
    #[error("{what} is not an image")]
    Image {
        /// What should be one.
        what: &'static str,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// The text is not a digest, or the name breaks a rule.
    #[error(transparent)]
    Name(#[from] oci::Error),
    /// A URL of a kind that is not known.
    #[error("unknown scheme {scheme:?}, expected {expected}")]
    Scheme {
        /// Its scheme.
        scheme: String,
        /// The known ones.
        expected: &'static str,
    },
    /// A URL of a git repository or download that cannot be used.
    #[error(transparent)]
    Url(#[from] GitUrlProblem),
}

/// Text that is not one CSV record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// A quote in the middle of a field.
    #[error("a quote stands inside an unquoted field")]
    QuoteInside,
    /// Text between a closing quote and the next comma.
    #[error("text follows a closing quote")]
    AfterQuote,
    /// The text ends inside quotes.
    #[error("a quote is not closed")]
    NotClosed,
}

impl ValueError {
    /// A field that has to have a form.
    pub(super) fn form(field: &str, expected: &'static str) -> Self {
        Self::Form {
            field: field.to_owned(),
            expected,
        }
    }

    /// The name is unknown.
    pub(super) fn unknown(what: &'static str, name: &str, known: &[&'static str]) -> Self {
        Self::Unknown {
            what,
            name: name.to_owned(),
            near: crate::suggest::nearest(name, known).map(str::to_owned),
            known: known.to_vec(),
        }
    }

    /// The type does not have the attribute.
    pub(super) fn attribute(kind: &str, name: &str, known: &[&'static str]) -> Self {
        Self::Attribute {
            name: name.to_owned(),
            kind: kind.to_owned(),
            near: crate::suggest::nearest(name, known).map(str::to_owned),
            known: known.to_vec(),
        }
    }

    /// The value is neither of the two that are valid.
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
