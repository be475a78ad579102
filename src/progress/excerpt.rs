//! Lines of a source file around the ranges that an error or a warning is about.

use std::ops::RangeInclusive;

use super::event::{SourceInfo, SourceRange};
use crate::text;

/// Places in a source file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceExcerpt {
    /// The file with its text.
    pub file: SourceInfo,
    /// The places, each marked.
    pub ranges: Vec<SourceRange>,
}

impl SourceExcerpt {
    /// The lines as [`text::excerpt`] shows them; empty when the file has no such lines.
    pub fn render(&self) -> String {
        let ranges: Vec<RangeInclusive<usize>> = self.ranges.iter().map(lines_of).collect();
        text::excerpt(&self.file.filename, &self.file.data, &ranges)
    }
}

/// Lines before the first are no lines, as is 0.
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
