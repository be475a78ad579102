//! Lines of a source file around the ranges that an error or a warning is about.

use std::fmt::Write;

use super::event::{SourceInfo, SourceRange};
use super::text::printable;

/// Lines shown around the ranges: one line alone gets more.
const AROUND: usize = 2;
const AROUND_ONE: usize = 4;

/// Places in a source file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceExcerpt {
    /// The file with its text.
    pub file: SourceInfo,
    /// The places, each marked.
    pub ranges: Vec<SourceRange>,
}

impl SourceExcerpt {
    /// `NAME:LINE`, then the lines with `>>>` before those that it is about; empty when the file has no such lines.
    ///
    /// The layout is BuildKit's, which editors and CI systems know.
    pub fn render(&self) -> String {
        let text = String::from_utf8_lossy(&self.file.data);
        let lines: Vec<&str> = text.split('\n').collect();
        let Some((first, last)) = self.bounds(lines.len()) else {
            return String::new();
        };
        let (from, to) = widen(first, last, lines.len());
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{}:{first}\n--------------------",
            printable(&self.file.filename)
        );
        for number in from..=to {
            let marked = self
                .ranges
                .iter()
                .any(|range| range.contains_line(i32::try_from(number).unwrap_or(i32::MAX)));
            let mark = if marked { ">>>" } else { "   " };
            let line: String = lines[number - 1]
                .chars()
                .filter(|c| *c == '\t' || !c.is_control())
                .collect();
            let _ = writeln!(out, " {number:3} | {mark} {line}");
        }
        out.push_str("--------------------\n");
        out
    }

    /// First and last line of all ranges, within the file.
    fn bounds(&self, count: usize) -> Option<(usize, usize)> {
        let first = self.ranges.iter().map(|range| range.start.line).min()?;
        let last = self.ranges.iter().map(|range| range.last_line()).max()?;
        let first = usize::try_from(first)
            .ok()
            .filter(|line| (1..=count).contains(line))?;
        let last = usize::try_from(last).ok()?.min(count);
        Some((first, last))
    }
}

/// Takes in lines around, a pair of them and then one fewer, until there are enough or no more.
fn widen(mut first: usize, mut last: usize, count: usize) -> (usize, usize) {
    let wanted = if first == last { AROUND_ONE } else { AROUND };
    let mut taken = 0;
    while taken < wanted {
        if first > 1 {
            first -= 1;
            taken += 1;
        }
        if last < count {
            last += 1;
            taken += 1;
        }
        // Also ends when there is nothing around.
        taken += 1;
    }
    (first, last)
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
    fn one_line_is_shown_with_two_on_each_side() {
        let expected = "Dockerfile:3\n--------------------\n   1 |     a\n   2 |     b\n   3 | >>> c\n   4 |     d\n   5 |     e\n--------------------\n";
        assert_eq!(excerpt("a\nb\nc\nd\ne\nf", &[(3, 3)]), expected);
    }

    #[test]
    fn a_step_of_several_lines_is_marked_as_a_whole() {
        let expected = "Dockerfile:2\n--------------------\n   1 |     a\n   2 | >>> b\n   3 | >>> c\n   4 |     d\n--------------------\n";
        assert_eq!(excerpt("a\nb\r\nc\nd\ne", &[(2, 3)]), expected);
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
