//! Finds tokens that are always wrong, each with a specific message.

use super::range::Range;
use super::token::{Token, TokenKind};

/// Returns the first wrong token among `tokens`, with its message.
pub(super) fn first_wrong(tokens: &[Token<'_>]) -> Option<(Range, String)> {
    tokens
        .iter()
        .find_map(|token| complaint(token).map(|message| (token.range, message)))
}

/// Returns the message for a token, if it is wrong.
fn complaint(token: &Token<'_>) -> Option<String> {
    Some(match token.kind {
        TokenKind::Bitwise => {
            let instead = match token.text {
                "&" => "; did you mean \"&&\"?",
                "|" => "; did you mean \"||\"?",
                "~" => "; did you mean \"!\"?",
                _ => "",
            };
            format!("{:?} is not an operator{instead}", token.text)
        }
        TokenKind::Backtick => {
            "backticks do not quote text: use a heredoc such as <<EOT for several lines".into()
        }
        TokenKind::Apostrophe => "single quotes do not quote text: use double quotes".into(),
        TokenKind::Semicolon => {
            "a semicolon is not allowed: end attributes with a newline, items with a comma".into()
        }
        TokenKind::QuotedNewline => {
            "text in quotes must end on its line: write \\n, or use a heredoc such as <<EOT".into()
        }
        TokenKind::Invalid if matches!(token.text, "\u{201c}" | "\u{201d}") => {
            "curly quotes do not quote text: use straight double quotes".into()
        }
        TokenKind::Invalid => format!(
            "unexpected character {:?}",
            token.text.chars().next().unwrap_or_default()
        ),
        _ => return None,
    })
}
