//! Ranges within one file, which the syntax tree stores for each node.

use std::sync::Arc;

use crate::diagnostic::{Position, Span};

/// A range from `start` up to, but not including, `end`. The file is stored elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first position.
    pub start: Position,
    /// The position after the last one.
    pub end: Position,
}

impl Range {
    /// The empty range at the start of a file.
    pub const START: Self = Self {
        start: Position::START,
        end: Position::START,
    };

    /// Returns the range from the start of `self` to the end of `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start,
            end: other.end,
        }
    }

    /// Returns the empty range at the start of `self`.
    #[must_use]
    pub fn start_point(self) -> Self {
        Self {
            start: self.start,
            end: self.start,
        }
    }

    /// Returns the empty range at the end of `self`.
    #[must_use]
    pub fn end_point(self) -> Self {
        Self {
            start: self.end,
            end: self.end,
        }
    }

    /// Returns the range as a span of a named file.
    pub fn within(self, file: &Arc<str>) -> Span {
        Span {
            file: file.clone(),
            start: self.start,
            end: self.end,
        }
    }
}
