//! Why a word cannot be expanded.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{MAX_DEPTH, MAX_EXPANSION};

/// A word that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot expand {:?}: {reason}", shortened(word))]
pub struct ExpandError {
    /// The whole word.
    pub word: String,
    /// What is wrong with it.
    pub reason: ExpandErrorReason,
    /// The variables found unset up to there.
    pub unmatched: BTreeSet<String>,
}

/// Why a word cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandErrorReason {
    /// A quote or a substitution does not end.
    #[error("the closing {missing} is missing")]
    Unclosed {
        /// What should have come.
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
        /// What stands there; U+FFFD at the end of the word.
        modifier: String,
    },
    /// `${name?text}` of an unset variable.
    #[error("{name} is unset: {message}")]
    Unset {
        /// The variable.
        name: String,
        /// The text after the `?`, or our own.
        message: String,
    },
    /// `${name:?text}` of an empty variable.
    #[error("{name} is empty: {message}")]
    Empty {
        /// The variable.
        name: String,
        /// The text after the `?`, or our own.
        message: String,
    },
    /// A pattern escapes a character that needs no escape.
    #[error("in the pattern {pattern:?}, \"\\{escaped}\" is not an escape; only \\* \\? \\\\ are")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The character after the backslash; U+FFFD at the end.
        escaped: char,
    },
    /// The pattern is too large to be compiled.
    #[error("the pattern is too long")]
    PatternTooLong,
    /// The result is more than [`MAX_EXPANSION`] longer than the word.
    #[error("the result is more than {MAX_EXPANSION} bytes longer than the word")]
    TooLong,
    /// Substitutions within substitutions go too deep.
    #[error("substitutions nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// The word, or its beginning when it is endlessly long.
fn shortened(word: &str) -> Cow<'_, str> {
    match word.char_indices().nth(200) {
        Some((end, _)) => Cow::Owned(format!("{}…", &word[..end])),
        None => Cow::Borrowed(word),
    }
}
