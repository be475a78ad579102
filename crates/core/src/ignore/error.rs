//! Why a pattern cannot be used.

use thiserror::Error;

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid pattern \"{pattern}\": {reason}")]
#[non_exhaustive]
pub struct PatternError {
    /// The pattern as it was given.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: PatternReason,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatternReason {
    /// A `!` without a pattern.
    #[error("an exception needs a pattern after the `!`")]
    EmptyException,
    /// Go's `filepath.Match` refuses it.
    #[error("a class is not closed or empty, or it ends in a backslash")]
    Glob,
    /// There are more patterns of this kind than one list may have.
    #[error("more than {limit} patterns need a regular expression")]
    TooManyExpressions {
        /// How many there may be.
        limit: usize,
    },
    /// Its regular expression cannot be compiled.
    #[error("it is not a valid expression")]
    Expression,
    /// `a**{2}`
    #[error("a brace repeats a repetition")]
    NestedRepetition,
    /// `a{2000}`
    #[error("a count in braces is out of range")]
    CountOutOfRange,
    /// A backslash at the end.
    #[error("it ends in a backslash")]
    TrailingBackslash,
    /// A `[` without a `]`.
    #[error("a class is not closed")]
    OpenClass,
    /// `[z-a]`
    #[error("the range {low}-{high} is empty")]
    EmptyRange {
        /// Its first character.
        low: char,
        /// Its last character.
        high: char,
    },
    /// `[[:name:]]` with an unknown name.
    #[error("[:{name}:] is not a class")]
    UnknownClass {
        /// The name.
        name: String,
    },
    /// A backslash before a letter that has no meaning after it.
    #[error("\\{escaped} is not an escape")]
    UnknownEscape {
        /// The letter.
        escaped: char,
    },
}
