//! Places within one file: what the syntax tree keeps for each node.

use std::sync::Arc;

use crate::diagnostic::{Position, Span};

/// From `start` up to, without, `end`, in a file that is known from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first point.
    pub start: Position,
    /// The point after the last one.
    pub end: Position,
}

impl Range {
    /// The empty range at the start of a file.
    pub const START: Self = Self {
        start: Position::START,
        end: Position::START,
    };

    /// From the start of `self` to the end of `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start,
            end: other.end,
        }
    }

    /// The empty range at the start of `self`.
    #[must_use]
    pub fn start_point(self) -> Self {
        Self {
            start: self.start,
            end: self.start,
        }
    }

    /// The empty range at the end of `self`.
    #[must_use]
    pub fn end_point(self) -> Self {
        Self {
            start: self.end,
            end: self.end,
        }
    }

    /// The same range in a named file.
    pub fn within(self, file: &Arc<str>) -> Span {
        Span {
            file: file.clone(),
            start: self.start,
            end: self.end,
        }
    }
}
