//! Lines of a file around the position of an error or a warning.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use super::one_line;

/// The number of lines shown around the ranges; a single line gets more.
const AROUND: usize = 2;
const AROUND_ONE: usize = 4;
/// The most lines shown of a longer range.
const MOST_LINES: usize = 12;
/// The most characters shown of a longer line.
const MOST_COLUMNS: usize = 200;
const RULE: &str = "--------------------\n";

/// Returns `NAME:LINE`, then the lines with `>>>` before those of the ranges, which count from 1.
///
/// Empty if the file does not have the lines. Long ranges and long lines are cut, and unprintable
/// characters are removed. The layout is BuildKit's (`solver/errdefs/source.go`), which editors and
/// CI systems parse.
///
/// ```
/// use solvekit_core::text::excerpt;
///
/// assert_eq!(excerpt("Dockerfile", b"FROM alpine\nRUNN true", &[2..=2]), "\
/// Dockerfile:2
/// --------------------
///    1 |     FROM alpine
///    2 | >>> RUNN true
/// --------------------
/// ");
/// ```
pub fn excerpt(name: &str, source: &[u8], ranges: &[RangeInclusive<usize>]) -> String {
    let source = source.strip_prefix("\u{feff}".as_bytes()).unwrap_or(source);
    let count = source.split(|byte| *byte == b'\n').count();
    let Some((first, last)) = bounds(ranges, count) else {
        return String::new();
    };
    let shown_last = last.min(first.saturating_add(MOST_LINES - 1));
    let (from, to) = match shown_last < last {
        true => (first.saturating_sub(AROUND / 2).max(1), shown_last),
        false => widen(first, last, count),
    };
    let mut out = format!("{}:{first}\n{RULE}", one_line(name));
    let lines = source.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.skip(from - 1).take(to - from + 1) {
        let number = index + 1;
        let marked = ranges.iter().any(|range| range.contains(&number));
        let mark = if marked { ">>>" } else { "   " };
        let _ = writeln!(out, " {number:3} | {mark} {}", shown(line));
    }
    if shown_last < last {
        let _ = writeln!(out, "     | >>> … up to line {last}");
    }
    out.push_str(RULE);
    out
}

/// Returns the first and last line of all ranges, within the file.
fn bounds(ranges: &[RangeInclusive<usize>], count: usize) -> Option<(usize, usize)> {
    let first = ranges.iter().map(|range| *range.start()).min()?;
    let last = ranges.iter().map(|range| *range.end()).max()?;
    (1..=count)
        .contains(&first)
        .then(|| (first, last.clamp(first, count)))
}

/// Adds lines around, in pairs, until there are enough or no more.
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
        // This also ends the loop if there are no lines around.
        taken += 1;
    }
    (first, last)
}

fn shown(line: &[u8]) -> String {
    // A character takes at most four bytes.
    let cut = &line[..line.len().min(4 * (MOST_COLUMNS + 1))];
    let text = String::from_utf8_lossy(cut.strip_suffix(b"\r").unwrap_or(cut));
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(MOST_COLUMNS).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    super::lines(&shown).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, first: usize, last: usize) -> String {
        excerpt("Dockerfile", text.as_bytes(), &[first..=last])
    }

    #[test]
    fn one_line_is_shown_with_two_on_each_side() {
        let expected = "Dockerfile:3\n--------------------\n   1 |     a\n   2 |     b\n   3 | >>> \
                        c\n   \
                        4 |     d\n   5 |     e\n--------------------\n";
        assert_eq!(of("a\nb\nc\nd\ne\nf", 3, 3), expected);
    }

    #[test]
    fn a_step_of_several_lines_is_marked_as_a_whole() {
        let expected = "Dockerfile:2\n--------------------\n   1 |     a\n   2 | >>> b\n   3 | >>> \
                        c\n   \
                        4 |     d\n--------------------\n";
        assert_eq!(of("a\nb\r\nc\nd\ne", 2, 3), expected);
    }

    #[test]
    fn lines_that_are_not_there_are_not_shown() {
        assert_eq!(of("a\nb", 7, 9), "");
        assert_eq!(of("a\nb", 0, 1), "");
        assert_eq!(excerpt("Dockerfile", b"a\nb", &[]), "");
        assert!(of("a\nb", 2, 99).contains("   2 | >>> b\n"));
        assert!(of("a", 1, usize::MAX).contains(">>> a"));
    }

    #[test]
    fn long_stretches_and_long_lines_are_cut() {
        let text = of(&"x\n".repeat(50), 2, 50);
        assert_eq!(text.lines().count(), 17, "{text}");
        assert!(
            text.contains("  13 | >>> x\n     | >>> … up to line 50\n-"),
            "{text}"
        );
        let text = of(&"ü".repeat(100_000), 1, 1);
        assert!(
            text.contains(&format!("   1 | >>> {}…\n", "ü".repeat(200))),
            "{text}"
        );
    }

    #[test]
    fn nothing_of_a_file_moves_the_cursor() {
        let text = excerpt(
            "a\nb\x1b",
            b"\xef\xbb\xbfFROM\ta\x1b[2J\xe2\x80\xae\r\r",
            &[1..=1],
        );
        assert!(text.starts_with("a b:1\n-"), "{text}");
        assert!(text.contains(">>> FROM\ta[2J\n"), "{text:?}");
    }

    #[test]
    fn half_a_million_ranges_are_looked_at_a_few_times_each() {
        let source = "x\n".repeat(500_000);
        let ranges: Vec<_> = (1..=500_000).map(|line| line..=line).collect();
        let text = excerpt("Dockerfile", source.as_bytes(), &ranges);
        assert!(text.contains("up to line 500000\n"), "{text}");
    }
}
