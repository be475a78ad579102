//! Finds tokens that are always wrong, each with a specific message.

use super::range::Range;
use super::token::{Token, TokenKind};

/// A wrong token.
pub(super) struct Wrong {
    pub(super) range: Range,
    pub(super) message: String,
    /// The message of the reference, if it is well-known.
    pub(super) reference: Option<&'static str>,
}

/// Returns the first wrong token among `tokens`, with its message.
pub(super) fn first_wrong(tokens: &[Token<'_>]) -> Option<Wrong> {
    let wrong = |token: &Token<'_>| {
        Some(Wrong {
            range: token.range,
            message: complaint(token)?,
            reference: in_reference(token.kind),
        })
    };
    tokens.iter().find_map(wrong)
}

/// Returns the reference's message for a token of this kind.
fn in_reference(kind: TokenKind) -> Option<&'static str> {
    Some(match kind {
        TokenKind::Semicolon => {
            "Invalid character; The \";\" character is not valid. Use newlines to separate \
             arguments and blocks, and commas to separate items in collection values."
        }
        TokenKind::QuotedNewline => {
            "Invalid multi-line string; Quoted strings may not be split over multiple lines. To \
             produce a multi-line string, either use the \\n escape to represent a newline \
             character or use the \"heredoc\" multi-line template syntax."
        }
        _ => return None,
    })
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
