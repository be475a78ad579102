//! Counts lines and columns like the reference: a column is a grapheme cluster.

use unicode_segmentation::UnicodeSegmentation;

use crate::diagnostic::Position;

/// Returns the position after `text`, which starts at `from`.
pub(super) fn advance(from: Position, text: &str) -> Position {
    let mut at = from;
    at.byte += text.len();
    if text.is_ascii() && !text.contains('\r') {
        match text.rfind('\n') {
            None => at.column = at.column.saturating_add(count(text.len())),
            Some(last) => {
                let lines = text.bytes().filter(|byte| *byte == b'\n').count();
                at.line = at.line.saturating_add(count(lines));
                at.column = count(text.len() - last);
            }
        }
        return at;
    }
    for cluster in text.graphemes(true) {
        if cluster == "\n" || cluster == "\r\n" {
            at.line = at.line.saturating_add(1);
            at.column = 1;
        } else {
            at.column = at.column.saturating_add(1);
        }
    }
    at
}

/// Converts a number to the type of lines and columns.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> (u32, u32) {
        let at = advance(Position::START, text);
        (at.line, at.column)
    }

    #[test]
    fn clusters_count_as_one_column() {
        assert_eq!(after("ab"), (1, 3));
        assert_eq!(after("a\nbc"), (2, 3));
        assert_eq!(after("é👨‍👩‍👧"), (1, 3));
        assert_eq!(after("a\r\nb"), (2, 2));
    }
}
