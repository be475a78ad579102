//! Positions in files. Lines and columns start at 1; columns count grapheme clusters.

use std::fmt;
use std::sync::Arc;

/// A position in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in grapheme clusters.
    pub column: u32,
    /// The byte offset, from 0.
    pub byte: usize,
}

impl Position {
    /// The first position of a file.
    pub const START: Self = Self {
        line: 1,
        column: 1,
        byte: 0,
    };
}

/// A part of a file: from `start` up to, but not including, `end`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file's name as given.
    pub file: Arc<str>,
    /// The first position.
    pub start: Position,
    /// The position after the last one.
    pub end: Position,
}

impl Span {
    /// Returns the empty span at the start of `self`.
    #[must_use]
    pub fn start_point(&self) -> Self {
        Self {
            end: self.start,
            ..self.clone()
        }
    }

    /// Returns the span from the start of `self` to the end of `other`, which is in the same file.
    #[must_use]
    pub fn to(&self, other: &Self) -> Self {
        Self {
            file: self.file.clone(),
            start: self.start,
            end: other.end,
        }
    }
}

/// Formats as `NAME:LINE,COLUMN-COLUMN`, or `NAME:LINE,COLUMN-LINE,COLUMN` over several lines.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start, self.end);
        write!(f, "{}:{},{}-", self.file, start.line, start.column)?;
        if start.line == end.line {
            write!(f, "{}", end.column)
        } else {
            write!(f, "{},{}", end.line, end.column)
        }
    }
}
