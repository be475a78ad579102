//! Source lines around the ranges of an error or a warning.

use std::ops::RangeInclusive;

use super::event::{SourceInfo, SourceRange};
use crate::text;

/// Ranges of a source file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceExcerpt {
    /// The file with its text.
    pub file: SourceInfo,
    /// The ranges, each marked in the output.
    pub ranges: Vec<SourceRange>,
}

impl SourceExcerpt {
    /// Renders the lines as [`text::excerpt`] does; empty if the file has no such lines.
    pub fn render(&self) -> String {
        let ranges: Vec<RangeInclusive<usize>> = self.ranges.iter().map(lines_of).collect();
        text::excerpt(&self.file.filename, &self.file.data, &ranges)
    }
}

/// Ignores lines before the first, and 0.
fn lines_of(range: &SourceRange) -> RangeInclusive<usize> {
    let line = |number: i32| usize::try_from(number).unwrap_or_default();
    line(range.start.line)..=line(range.last_line())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, ranges: &[(i32, i32)]) -> String {
        let file = SourceInfo {
            filename: "Dockerfile".into(),
            data: text.to_string().into(),
            ..Default::default()
        };
        let ranges = ranges
            .iter()
            .map(|&(first, last)| SourceRange::lines(first, last))
            .collect();
        SourceExcerpt { file, ranges }.render()
    }

    #[test]
    fn lines_that_are_not_there_are_not_shown() {
        assert_eq!(excerpt("a\nb", &[(7, 9)]), "");
        assert_eq!(excerpt("a\nb", &[(0, 1)]), "");
        assert_eq!(excerpt("a\nb", &[]), "");
        assert!(excerpt("a\nb", &[(2, 99)]).contains("   2 | >>> b\n"));
        assert!(excerpt("a", &[(1, i32::MAX)]).contains(">>> a"));
        assert!(excerpt("a\nb", &[(2, -5)]).contains("   2 | >>> b\n"));
    }
}
