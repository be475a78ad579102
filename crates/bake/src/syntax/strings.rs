//! Text: escapes in quotes, and labels of blocks.

use super::parser::Parser;
use super::position::advance;
use super::range::Range;
use super::token::{Token, TokenKind};

/// Returns the text of a template's token, without escapes.
pub(super) fn unescape(parser: &mut Parser<'_>, token: &Token<'_>) -> String {
    let quoted = token.kind == TokenKind::QuotedText;
    let mut out = String::with_capacity(token.text.len());
    let mut rest = token.text;
    while let Some(at) = rest.find(['\\', '$', '%']) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let length = if let Some(escaped) = special.strip_prefix('\\') {
            if quoted {
                match escape(escaped, &mut out) {
                    Ok(length) => 1 + length,
                    Err((length, message)) => {
                        let range = part(token, special, 1 + length);
                        parser.error(range, message);
                        1 + length
                    }
                }
            } else {
                out.push('\\');
                1
            }
        } else if special.starts_with("$${") || special.starts_with("%%{") {
            out.push_str(&special[1..3]);
            3
        } else {
            out.push_str(&special[..1]);
            1
        };
        rest = &special[length..];
    }
    out.push_str(rest);
    out
}

/// Returns the range of the first `length` bytes of `from`, which is the end of a token's text.
fn part(token: &Token<'_>, from: &str, length: usize) -> Range {
    let before = &token.text[..token.text.len() - from.len()];
    let start = advance(token.range.start, before);
    let end = advance(start, &from[..length]);
    Range { start, end }
}

/// Parses the text after a backslash: returns its length, or its length and the error.
fn escape(text: &str, out: &mut String) -> Result<usize, (usize, String)> {
    let Some(selector) = text.chars().next() else {
        return Err((0, "expected a character after the backslash".into()));
    };
    let simple = match selector {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '"' | '\\' => selector,
        'u' => return unicode(text, 4, out),
        'U' => return unicode(text, 8, out),
        _ => {
            return Err((
                selector.len_utf8(),
                format!("\\{selector} is not an escape; for a backslash write \\\\"),
            ));
        }
    };
    out.push(simple);
    Ok(1)
}

/// Parses `u` or `U` and its hexadecimal digits.
fn unicode(text: &str, digits: usize, out: &mut String) -> Result<usize, (usize, String)> {
    let hex: String = text[1..]
        .chars()
        .take(digits)
        .take_while(char::is_ascii_hexdigit)
        .collect();
    let length = 1 + hex.len();
    if hex.len() != digits {
        let selector = &text[..1];
        return Err((
            length,
            format!("\\{selector} needs {digits} hexadecimal digits"),
        ));
    }
    let character = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
    match character {
        Some(character) => {
            out.push(character);
            Ok(length)
        }
        None => Err((length, format!("U+{hex} is not a character"))),
    }
}

/// Parses a quoted label: text without interpolation.
pub(super) fn label(parser: &mut Parser<'_>) -> (String, Range) {
    let open = parser.read();
    let mut text = String::new();
    loop {
        let token = parser.read();
        match token.kind {
            TokenKind::CloseQuote => return (text, open.range.to(token.range)),
            TokenKind::QuotedText => text.push_str(&unescape(parser, &token)),
            TokenKind::Interpolation | TokenKind::Directive => {
                parser.error(token.range, "a label cannot hold ${…} or %{…}");
                parser.recover(TokenKind::SequenceEnd);
            }
            TokenKind::End => {
                parser.error(token.range, "the label has no closing quote");
                return (text, open.range.to(token.range));
            }
            _ => {
                parser.error(token.range, "expected the closing quote of the label");
                parser.recover(TokenKind::CloseQuote);
                return (text, open.range.to(token.range));
            }
        }
    }
}
