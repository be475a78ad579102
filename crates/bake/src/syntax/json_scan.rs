//! Scans JSON tokens, with positions counted like in the reference: a tab is two columns wide.

use unicode_segmentation::UnicodeSegmentation;

use super::range::Range;
use crate::diagnostic::Position;
use crate::limits::MAX_TOKENS;

/// The kind of a JSON token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonKind {
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Comma,
    Colon,
    Equals,
    Keyword,
    String,
    Number,
    End,
    Invalid,
}

/// A token of JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonToken<'a> {
    pub(super) kind: JsonKind,
    pub(super) text: &'a str,
    pub(super) range: Range,
}

/// Returns the tokens of `text`. The last one is [`JsonKind::End`].
///
/// If there are more than [`MAX_TOKENS`] tokens, the rest of the text was not scanned.
pub(super) fn scan_json(text: &str) -> Vec<JsonToken<'_>> {
    let mut tokens = Vec::new();
    let mut at = Position::START;
    let mut rest = text;
    loop {
        rest = skip_blanks(rest, &mut at);
        let next = rest.chars().next();
        let Some(first) = next.filter(|_| tokens.len() < MAX_TOKENS) else {
            tokens.push(token(JsonKind::End, "", at, at));
            return tokens;
        };
        let (kind, length) = match first {
            '{' => (JsonKind::OpenBrace, 1),
            '}' => (JsonKind::CloseBrace, 1),
            '[' => (JsonKind::OpenBracket, 1),
            ']' => (JsonKind::CloseBracket, 1),
            ',' => (JsonKind::Comma, 1),
            ':' => (JsonKind::Colon, 1),
            '=' => (JsonKind::Equals, 1),
            '"' => (JsonKind::String, string_length(rest)),
            '-' | '+' | '.' | '0'..='9' => (
                JsonKind::Number,
                length(rest, |next| "-+.eE".contains(next) || next.is_ascii_digit()),
            ),
            'a'..='z' | 'A'..='Z' => (
                JsonKind::Keyword,
                length(rest, |next| next == '_' || next.is_ascii_alphabetic()),
            ),
            _ => (JsonKind::Invalid, first.len_utf8()),
        };
        let (text, after) = rest.split_at(length);
        let start = at;
        at.byte += length;
        let columns = match kind {
            JsonKind::String => text.graphemes(true).count(),
            JsonKind::Invalid => 1,
            _ => length,
        };
        at.column = at
            .column
            .saturating_add(u32::try_from(columns).unwrap_or(u32::MAX));
        tokens.push(token(kind, text, start, at));
        rest = after;
        if kind == JsonKind::Invalid {
            tokens.push(token(JsonKind::End, "", at, at));
            return tokens;
        }
    }
}

/// Returns a token from `start` to `end`.
fn token(kind: JsonKind, text: &str, start: Position, end: Position) -> JsonToken<'_> {
    JsonToken {
        kind,
        text,
        range: Range { start, end },
    }
}

/// Returns the length of the characters at the start of `text` that `belongs` accepts.
fn length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|next| !belongs(next)).unwrap_or(text.len())
}

/// Returns the length of a string with its quotes; a control character ends it early.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, next) in text.char_indices().skip(1) {
        match next {
            '\\' => escaped = !escaped,
            '"' if !escaped => return at + 1,
            _ if next < ' ' => return at,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Returns the text after spaces and newlines, and advances `at`.
fn skip_blanks<'a>(text: &'a str, at: &mut Position) -> &'a str {
    let end = length(text, |next| " \t\r\n".contains(next));
    let (blanks, rest) = text.split_at(end);
    at.byte += end;
    for blank in blanks.bytes() {
        match blank {
            b'\n' => {
                at.line = at.line.saturating_add(1);
                at.column = 1;
            }
            b' ' => at.column = at.column.saturating_add(1),
            b'\t' => at.column = at.column.saturating_add(2),
            _ => {}
        }
    }
    rest
}
