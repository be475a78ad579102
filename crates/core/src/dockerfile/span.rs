//! Positions in a Dockerfile's text.

/// A position in the text. Lines start at 1; column 0 means the whole line, and BuildKit records
/// nothing finer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted from 1.
    pub line: u32,
    /// The column, 0 for the whole line.
    pub column: u32,
}

/// A range between two positions, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// The first position.
    pub start: Position,
    /// The last position.
    pub end: Position,
}

impl Range {
    /// Returns the range of one whole line.
    pub const fn line(line: u32) -> Self {
        let position = Position { line, column: 0 };
        Self {
            start: position,
            end: position,
        }
    }
}

/// The consecutive lines of an instruction, from its keyword to the last line of its last heredoc.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first line, counted from 1.
    pub first: u32,
    /// The last line, included; never less than `first`.
    pub last: u32,
}

impl Span {
    /// Returns the lines `first` to `last`; if `last` is before `first`, the one line `first`.
    pub const fn new(first: u32, last: u32) -> Self {
        Self {
            first,
            last: if last < first { first } else { last },
        }
    }

    /// Returns one line.
    pub const fn line(line: u32) -> Self {
        Self {
            first: line,
            last: line,
        }
    }

    /// Returns one range per line, BuildKit's form of source locations.
    pub fn ranges(self) -> impl ExactSizeIterator<Item = Range> + Clone {
        (0..self.line_count()).map(move |n| Range::line(self.first + n as u32))
    }

    /// Returns the number of lines, at least 1.
    pub const fn line_count(self) -> usize {
        (self.last - self.first) as usize + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_one_range_per_line() {
        assert_eq!(
            Span::new(3, 5).ranges().collect::<Vec<_>>(),
            [Range::line(3), Range::line(4), Range::line(5)]
        );
        assert_eq!(
            Span::new(3, 0).ranges().collect::<Vec<_>>(),
            [Range::line(3)]
        );
    }
}
