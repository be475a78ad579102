//! The spaces between tokens.

use super::lines::Line;
use super::{Piece, bracket_change};
use crate::syntax::token::TokenKind as Kind;

/// Sets the spaces before all pieces except the first of each line.
pub(super) fn set_spaces(pieces: &mut [Piece<'_>], lines: &[Line]) {
    for line in lines {
        for index in line.all.start + 1..line.all.end {
            let before = (index >= line.all.start + 2).then(|| &pieces[index - 2]);
            let space = has_space(before, &pieces[index - 1], &pieces[index]);
            pieces[index].spaces = usize::from(space);
        }
    }
}

/// True if there is a space between `left` and `right`; `before` comes before `left`.
fn has_space(before: Option<&Piece<'_>>, left: &Piece<'_>, right: &Piece<'_>) -> bool {
    let is_in = |piece: &Piece<'_>| piece.kind == Kind::Identifier && piece.text == "in";
    let before_kind = before.map(|piece| piece.kind);
    match (left.kind, right.kind) {
        (_, Kind::Newline) => false,
        (Kind::Identifier, Kind::OpenParen) => false,
        (Kind::Dot | Kind::DoubleColon, _) | (_, Kind::Dot | Kind::DoubleColon) => false,
        (_, Kind::Comma | Kind::Ellipsis) => false,
        (Kind::Comma, _) => true,
        (Kind::QuotedText | Kind::PlainText | Kind::OpenQuote, _) => false,
        (_, Kind::QuotedText | Kind::PlainText | Kind::CloseQuote) => false,
        _ if is_in(left) && before_kind == Some(Kind::Identifier) => true,
        _ if is_in(right) && left.kind == Kind::Identifier => true,
        (Kind::Identifier | Kind::Number, Kind::OpenBracket) => false,
        (_, Kind::OpenBracket) if bracket_change(left.kind) < 0 => false,
        (Kind::Not, _) => false,
        (Kind::Minus, _) => before_kind.is_some_and(ends_value),
        (Kind::OpenBrace, Kind::CloseBrace) => false,
        (Kind::OpenBrace, _) | (_, Kind::CloseBrace) => true,
        (Kind::Interpolation | Kind::Directive, Kind::OpenBrace) => true,
        (Kind::CloseBrace, Kind::SequenceEnd) => true,
        (Kind::SequenceEnd, Kind::Interpolation | Kind::Directive) => false,
        _ => bracket_change(left.kind) <= 0 && bracket_change(right.kind) >= 0,
    }
}

/// True if a minus after this token subtracts; otherwise it negates.
fn ends_value(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Identifier
            | Kind::Number
            | Kind::CloseQuote
            | Kind::CloseParen
            | Kind::CloseBracket
            | Kind::CloseBrace
            | Kind::Star
    )
}
