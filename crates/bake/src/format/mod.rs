//! HCL files in their canonical form: spaces, indentation, aligned `=` and comments.
//!
//! The rules are those of hclwrite, which `terraform fmt` uses. Only spaces between tokens change:
//! comments, blank lines, heredocs and the order of everything are kept.

mod lines;

mod spaces;

#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, Kind, Position};
use crate::syntax::parse_hcl;
use crate::syntax::scan::{Mode, scan};
use crate::syntax::token::{Token, TokenKind};
use lines::{align, indent, lines};
use spaces::set_spaces;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A token or a whole heredoc, with the spaces before it.
struct Piece<'a> {
    kind: TokenKind,
    text: &'a str,
    spaces: usize,
}

/// Returns the canonical form of an HCL file; errors show its `name`. Formatting the result again
/// changes nothing.
///
/// # Errors
/// The first syntax error, with its position.
pub fn format(bytes: &[u8], name: &str) -> Result<String, Diagnostic> {
    parse_hcl(bytes, name)?;
    // A file that is not UTF-8 was rejected above.
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let tokens = scan(text, Position::START, Mode::Normal);
    let mut pieces = pieces(text, &tokens);
    let lines = lines(&pieces);
    indent(&mut pieces, &lines);
    set_spaces(&mut pieces, &lines);
    align(&mut pieces, &lines);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    if text.starts_with(BYTE_ORDER_MARK) {
        out.push_str(BYTE_ORDER_MARK);
    }
    for piece in &pieces {
        out.extend(std::iter::repeat_n(' ', piece.spaces));
        out.push_str(piece.text);
    }
    if same_tokens(&tokens, &out) {
        Ok(out)
    } else {
        let message = format!("{name} cannot be formatted without changing its meaning");
        Err(Diagnostic::new(Kind::Syntax, message))
    }
}

/// True if a text has the same tokens, and so the same meaning.
fn same_tokens(tokens: &[Token<'_>], text: &str) -> bool {
    let again = scan(text, Position::START, Mode::Normal);
    let pairs = tokens.iter().zip(&again);
    tokens.len() == again.len()
        && pairs
            .into_iter()
            .all(|(old, new)| old.kind == new.kind && old.text == new.text)
}

/// Returns the tokens; each heredoc with its content is one piece.
fn pieces<'a>(text: &'a str, tokens: &[Token<'a>]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::with_capacity(tokens.len());
    let mut start: Option<usize> = None;
    let mut depth = 0_usize;
    for token in tokens {
        let (kind, range) = (token.kind, token.range);
        match kind {
            TokenKind::End => {}
            TokenKind::OpenHeredoc => {
                depth += 1;
                start.get_or_insert(range.start.byte);
            }
            TokenKind::CloseHeredoc => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(from) = start.take()
                {
                    pieces.push(Piece {
                        kind: TokenKind::OpenHeredoc,
                        text: text.get(from..range.end.byte).unwrap_or_default(),
                        spaces: 0,
                    });
                }
            }
            _ if depth > 0 => {}
            _ => pieces.push(Piece {
                kind,
                text: token.text,
                spaces: 0,
            }),
        }
    }
    pieces
}

/// Returns the number of brackets that a token opens: 1, 0 or -1.
fn bracket_change(kind: TokenKind) -> i32 {
    match kind {
        TokenKind::OpenBrace
        | TokenKind::OpenBracket
        | TokenKind::OpenParen
        | TokenKind::Interpolation
        | TokenKind::Directive => 1,
        TokenKind::CloseBrace
        | TokenKind::CloseBracket
        | TokenKind::CloseParen
        | TokenKind::SequenceEnd => -1,
        _ => 0,
    }
}
