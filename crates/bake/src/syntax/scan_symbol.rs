//! Scans numbers, identifiers and symbols: their lengths and kinds.

use super::token::TokenKind;

/// Returns the length of the number at the start of `text`: it may be like `1.2.3`, but not end in
/// a dot.
pub(super) fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut accepted) = (1, 1);
    loop {
        let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
        at += match bytes.get(at) {
            Some(b'0'..=b'9' | b'.') => 1,
            Some(b'e' | b'E') if digit(at + 1) => 2,
            Some(b'e' | b'E')
                if matches!(bytes.get(at + 1), Some(b'+' | b'-')) && digit(at + 2) =>
            {
                3
            }
            _ => return accepted,
        };
        if bytes.get(at - 1) != Some(&b'.') {
            accepted = at;
        }
    }
}

/// Returns the length of the identifier at the start of `text`, or 0.
pub(super) fn identifier_length(text: &str) -> usize {
    let starts = |first: char| first == '_' || unicode_ident::is_xid_start(first);
    if !text.chars().next().is_some_and(starts) {
        return 0;
    }
    text.find(|next| next != '-' && !unicode_ident::is_xid_continue(next))
        .unwrap_or(text.len())
}

/// Returns the kind and length of a symbol, comment or newline at the start of `rest`.
pub(super) fn symbol(rest: &str, first: char) -> (TokenKind, usize) {
    const LONG: &[(&str, TokenKind)] = &[
        ("...", TokenKind::Ellipsis),
        ("==", TokenKind::EqualTo),
        ("!=", TokenKind::NotEqual),
        (">=", TokenKind::GreaterOrEqual),
        ("<=", TokenKind::LessOrEqual),
        ("&&", TokenKind::And),
        ("||", TokenKind::Or),
        ("::", TokenKind::DoubleColon),
        ("=>", TokenKind::FatArrow),
        ("\r\n", TokenKind::Newline),
    ];
    if first == '#' || rest.starts_with("//") {
        let length = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        return (TokenKind::Comment, length);
    }
    if let Some((text, kind)) = LONG.iter().find(|(text, _)| rest.starts_with(text)) {
        return (*kind, text.len());
    }
    (single(first), first.len_utf8())
}

/// Returns the kind of a single-character symbol.
fn single(symbol: char) -> TokenKind {
    match symbol {
        '[' => TokenKind::OpenBracket,
        ']' => TokenKind::CloseBracket,
        '(' => TokenKind::OpenParen,
        ')' => TokenKind::CloseParen,
        '.' => TokenKind::Dot,
        ',' => TokenKind::Comma,
        '*' => TokenKind::Star,
        '/' => TokenKind::Slash,
        '%' => TokenKind::Percent,
        '+' => TokenKind::Plus,
        '-' => TokenKind::Minus,
        '=' => TokenKind::Equals,
        '<' => TokenKind::Less,
        '>' => TokenKind::Greater,
        '!' => TokenKind::Not,
        '?' => TokenKind::Question,
        ':' => TokenKind::Colon,
        '\n' => TokenKind::Newline,
        '&' | '|' | '~' | '^' => TokenKind::Bitwise,
        '`' => TokenKind::Backtick,
        '\'' => TokenKind::Apostrophe,
        ';' => TokenKind::Semicolon,
        _ => TokenKind::Invalid,
    }
}
