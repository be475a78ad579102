//! Errors of expanding a word.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{MAX_DEPTH, MAX_EXPANSION};

/// A word that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot expand {:?}: {reason}", shortened(word))]
pub struct ExpandError {
    /// The whole word.
    pub word: String,
    /// The cause.
    pub reason: ExpandErrorReason,
    /// The unset variables before the error.
    pub unmatched: BTreeSet<String>,
}

/// The reason a word cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandErrorReason {
    /// A quote or a substitution is not closed.
    #[error("the closing {missing} is missing")]
    Unclosed {
        /// The missing character.
        missing: char,
    },
    /// `${` is not followed by a name.
    #[error("a variable's name must follow \"${{\"")]
    NoName,
    /// `${name` is followed by something that is not an operator.
    #[error(
        "{modifier:?} after the variable's name is not an operator; the operators are :- - :+ + \
        :? ? # ## % %% / //"
    )]
    UnknownModifier {
        /// The text in place of an operator; U+FFFD at the end of the word.
        modifier: String,
    },
    /// `${name?text}` with an unset variable.
    #[error("{name} is unset: {message}")]
    Unset {
        /// The variable.
        name: String,
        /// The text after the `?`, or a default text.
        message: String,
    },
    /// `${name:?text}` with an empty variable.
    #[error("{name} is empty: {message}")]
    Empty {
        /// The variable.
        name: String,
        /// The text after the `?`, or a default text.
        message: String,
    },
    /// A pattern escapes a character that does not need it.
    #[error("in the pattern {pattern:?}, \"\\{escaped}\" is not an escape; only \\* \\? \\\\ are")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The character after the backslash; U+FFFD at the end.
        escaped: char,
    },
    /// The pattern is too long to compile.
    #[error("the pattern is too long")]
    PatternTooLong,
    /// The result is more than [`MAX_EXPANSION`] bytes longer than the word.
    #[error("the result is more than {MAX_EXPANSION} bytes longer than the word")]
    TooLong,
    /// Substitutions are nested too deeply.
    #[error("substitutions nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Returns the beginning of the word if it is very long.
fn shortened(word: &str) -> Cow<'_, str> {
    match word.char_indices().nth(200) {
        Some((end, _)) => Cow::Owned(format!("{}…", &word[..end])),
        None => Cow::Borrowed(word),
    }
}
