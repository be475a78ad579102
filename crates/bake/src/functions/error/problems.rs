//! Faults in texts that functions parse: formats and CSV.

use thiserror::Error;

use crate::value::ConvertError;
use crate::value::json::JsonError;

/// The fault of a `printf` format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatProblem {
    /// The format ends within a verb.
    #[error("the verb is not finished")]
    Unfinished,
    /// A character is not allowed there.
    #[error("{found:?} is not expected")]
    Unexpected {
        /// The character.
        found: char,
    },
    /// The verb is unknown.
    #[error("the verb {verb:?} is unknown")]
    UnknownVerb {
        /// The verb.
        verb: char,
    },
    /// The verb has no argument.
    #[error("{verb:?} needs argument {number}")]
    NoArgument {
        /// The verb.
        verb: String,
        /// The number of the argument, from 1.
        number: usize,
    },
    /// The argument is null.
    #[error("{verb:?} does not take null")]
    Null {
        /// The verb.
        verb: String,
    },
    /// The argument has a fraction.
    #[error("{verb:?} needs a whole number")]
    WholeNumber {
        /// The verb.
        verb: String,
    },
    /// A width or precision is too large.
    #[error("the width is too large")]
    Width,
    /// The argument has the wrong type.
    #[error(transparent)]
    Convert(ConvertError),
    /// The argument cannot be converted to JSON.
    #[error(transparent)]
    Json(JsonError),
}

/// The fault of CSV text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CsvProblem {
    /// There is a quote within a field that does not begin with one.
    #[error("a quote in a field that is not quoted")]
    BareQuote,
    /// There is text after a quoted field's closing quote, or the quote is not closed.
    #[error("a quoted field is not closed, or followed by text")]
    Quote,
    /// The number of fields differs from the header's.
    #[error("wrong number of fields")]
    FieldCount,
}
