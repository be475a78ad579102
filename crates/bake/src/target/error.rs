//! Errors of the text of an attribute.

use super::csv::CsvError;

/// The reason the text of an attribute is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// The text is not a list of comma-separated values.
    #[error("{text:?}: {source}")]
    Csv {
        /// The text.
        text: String,
        /// The fault of the text.
        source: CsvError,
    },
    /// A field has no equals sign.
    #[error("{field:?} is not of the form key=value")]
    NoValue {
        /// The field.
        field: String,
    },
    /// `type=` is missing.
    #[error("{what} needs a type: write type=…")]
    NoType {
        /// The attribute.
        what: &'static str,
    },
    /// The key is unknown.
    #[error("{what} has no key {key:?}; it has {known}")]
    UnknownKey {
        /// The attribute.
        what: &'static str,
        /// The key.
        key: String,
        /// The known keys.
        known: &'static str,
    },
    /// The value is not allowed.
    #[error("{key} cannot be {value:?}; it must be {allowed}")]
    BadValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The allowed values.
        allowed: &'static str,
    },
}

impl AttributeError {
    /// The message of buildx, if it is well-known.
    pub(crate) fn in_reference(&self) -> Option<String> {
        match self {
            Self::NoValue { field } => Some(format!("invalid value {field}")),
            _ => None,
        }
    }
}

/// Parses a boolean like Go's `strconv.ParseBool`.
///
/// # Errors
/// If it is anything other than `true`, `false`, `1`, `0`, `t`, `f` in their usual cases.
pub fn parse_bool(key: &str, value: &str) -> Result<bool, AttributeError> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(AttributeError::BadValue {
            key: key.to_owned(),
            value: value.to_owned(),
            allowed: "true or false",
        }),
    }
}
