//! Reads the lines of a Dockerfile from bytes that need not be UTF-8.

use std::borrow::Cow;

/// The longest line that BuildKit reads, in bytes without its newline.
pub(super) const MAX_LINE: usize = 65_535;

/// A line with its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The text; each byte that is not UTF-8 is U+FFFD here.
    pub(super) text: &'a str,
    /// The original bytes.
    pub(super) raw: &'a [u8],
}

impl Line<'_> {
    /// True if the bytes are UTF-8.
    pub(super) fn is_utf8(&self) -> bool {
        self.text.len() == self.raw.len()
    }
}

/// Reads line by line; stops early at a line that is too long.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    raw: &'a [u8],
    /// The number of lines read.
    pub(super) number: u32,
    /// True if a line was too long, so that the rest cannot be read.
    pub(super) too_long: bool,
}

impl<'a> Lines<'a> {
    /// `text` is the result of [`to_text`] for `raw`. A byte order mark at the beginning is not
    /// part of the first line.
    pub(super) fn new(text: &'a str, raw: &'a [u8]) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let raw = raw.strip_prefix("\u{feff}".as_bytes()).unwrap_or(raw);
        Self {
            text,
            raw,
            number: 0,
            too_long: false,
        }
    }

    /// Returns the number of bytes after the current line.
    pub(super) fn rest(&self) -> usize {
        self.text.len()
    }

    /// Returns the next line.
    pub(super) fn next(&mut self) -> Option<Line<'a>> {
        if self.text.is_empty() || self.too_long {
            return None;
        }
        let is_utf8 = self.text.len() == self.raw.len();
        let (text, text_after) = split_line(self.text);
        let raw_length = if is_utf8 {
            text.len()
        } else {
            line_length(self.raw)
        };
        let (raw, raw_after) = self.raw.split_at(raw_length);
        if raw.strip_suffix(b"\n").unwrap_or(raw).len() > MAX_LINE {
            self.too_long = true;
            return None;
        }
        (self.text, self.raw) = (text_after, raw_after);
        self.number += 1;
        Some(Line { text, raw })
    }
}

fn split_line(text: &str) -> (&str, &str) {
    text.split_at(text.find('\n').map_or(text.len(), |end| end + 1))
}

fn line_length(raw: &[u8]) -> usize {
    raw.iter()
        .position(|&byte| byte == b'\n')
        .map_or(raw.len(), |end| end + 1)
}

/// Converts bytes to text, with U+FFFD for each byte that is not UTF-8, as Go does.
pub(super) fn to_text(raw: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(raw) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(raw.len() + 64);
    for chunk in raw.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_ends_and_bytes() {
        let raw = b"\xef\xbb\xbfa\r\n\xff\xe2\x82\nc";
        let text = to_text(raw);
        let mut lines = Lines::new(&text, raw);
        let mut read = || {
            lines
                .next()
                .map(|line| (line.text, line.raw, line.is_utf8()))
        };
        assert_eq!(read(), Some(("a\r\n", &b"a\r\n"[..], true)));
        assert_eq!(
            read(),
            Some(("\u{fffd}\u{fffd}\u{fffd}\n", &b"\xff\xe2\x82\n"[..], false))
        );
        assert_eq!(read(), Some(("c", &b"c"[..], true)));
        assert_eq!(read(), None);
        assert_eq!(lines.number, 3);
    }

    #[test]
    fn a_line_too_long_ends_the_reading() {
        let fits = format!("{}\nb", "x".repeat(MAX_LINE));
        let mut lines = Lines::new(&fits, fits.as_bytes());
        assert!(lines.next().is_some() && lines.next().is_some() && !lines.too_long);
        let long = format!("a\n{}\nb", "x".repeat(MAX_LINE + 1));
        let mut lines = Lines::new(&long, long.as_bytes());
        assert!(
            lines.next().is_some()
                && lines.next().is_none()
                && lines.too_long
                && lines.next().is_none()
        );
    }
}
