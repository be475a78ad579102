//! Errors of ignore patterns.

use thiserror::Error;

/// An invalid pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid pattern \"{pattern}\": {reason}")]
#[non_exhaustive]
pub struct PatternError {
    /// The pattern as the caller gave it.
    pub pattern: String,
    /// The fault of the pattern.
    pub reason: PatternReason,
}

/// The fault of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatternReason {
    /// A `!` without a pattern.
    #[error("an exception needs a pattern after the `!`")]
    EmptyException,
    /// The pattern is malformed for Go's `filepath.Match`.
    #[error("a class is not closed or empty, or it ends in a backslash")]
    Glob,
    /// The list has too many patterns that need a regular expression.
    #[error("more than {limit} patterns need a regular expression")]
    TooManyExpressions {
        /// The most such patterns of a list.
        limit: usize,
    },
    /// Its regular expression cannot be compiled.
    #[error("it is not a valid expression")]
    Expression,
    /// A repetition of a repetition, as in `a**{2}`.
    #[error("a brace repeats a repetition")]
    NestedRepetition,
    /// A repetition count that is too large, as in `a{2000}`.
    #[error("a count in braces is out of range")]
    CountOutOfRange,
    /// A backslash at the end.
    #[error("it ends in a backslash")]
    TrailingBackslash,
    /// A `[` without a `]`.
    #[error("a class is not closed")]
    OpenClass,
    /// A range in the wrong order, as in `[z-a]`.
    #[error("the range {low}-{high} is empty")]
    EmptyRange {
        /// Its first character.
        low: char,
        /// Its last character.
        high: char,
    },
    /// A class `[[:name:]]` with an unknown name.
    #[error("[:{name}:] is not a class")]
    UnknownClass {
        /// The name.
        name: String,
    },
    /// A backslash before a letter that cannot be escaped.
    #[error("\\{escaped} is not an escape")]
    UnknownEscape {
        /// The letter.
        escaped: char,
    },
}
