//! Characters that must not reach a terminal or a log.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// True for characters that move the cursor, start an escape sequence, or change the order of text:
/// C0 and C1 controls, DEL, line separators, and bidirectional controls.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns the text as one line: spaces instead of tabs and line ends, unprintable characters
/// removed.
///
/// ```
/// assert_eq!(solvekit_core::text::one_line("RUN a\tb\nc\x1b[2J"), "RUN a b c[2J");
/// ```
pub fn one_line(text: &str) -> Cow<'_, str> {
    filtered(text, |c| match c {
        '\t' | '\n' | '\r' => Some(' '),
        c => (!is_unprintable(c)).then_some(c),
    })
}

/// Returns the text with its lines and tabs; other unprintable characters are removed.
///
/// ```
/// assert_eq!(solvekit_core::text::lines("a\r\n\tb\u{202e}c\u{9b}2J"), "a\n\tbc2J");
/// ```
pub fn lines(text: &str) -> Cow<'_, str> {
    filtered(text, |c| match c {
        '\t' | '\n' => Some(c),
        c => (!is_unprintable(c)).then_some(c),
    })
}

fn filtered(text: &str, keep: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if text.chars().all(|c| keep(c) == Some(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(keep).collect())
}

/// Returns the part of a text that fits into the columns, and the number of columns it takes.
pub fn clip(text: &str, columns: usize) -> (&str, usize) {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        let width = c.width().unwrap_or(0);
        if used + width > columns {
            return (&text[..index], used);
        }
        used += width;
    }
    (text, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_is_unprintable_and_every_letter_is_not() {
        let controls = (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32);
        assert!(controls.into_iter().all(is_unprintable));
        assert!(
            "\u{202a}\u{202e}\u{2066}\u{2069}\u{200f}\u{61c}\u{2028}"
                .chars()
                .all(is_unprintable)
        );
        assert!(
            "aä日\u{a0}\u{200d}👩‍🚀e\u{301}"
                .chars()
                .all(|c| !is_unprintable(c))
        );
    }

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(one_line("as it is"), Cow::Borrowed(_)));
        assert!(matches!(lines("as\n\tit is"), Cow::Borrowed(_)));
    }
}
