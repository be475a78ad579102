//! Lines: their indentation, and the alignment of their parts.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{Piece, bracket_change};
use crate::syntax::token::TokenKind;

/// A line, as a range of pieces.
pub(super) struct Line {
    /// All pieces of the line.
    pub(super) all: Range<usize>,
    /// The `=` of an attribute whose value ends on this line.
    assign: Option<usize>,
    /// The comment at the end of the line.
    comment: Option<usize>,
}

/// Splits the pieces into lines.
pub(super) fn lines(pieces: &[Piece<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let ends = piece.kind == TokenKind::Newline
            || (piece.kind == TokenKind::Comment && piece.text.ends_with('\n'));
        if ends || index + 1 == pieces.len() {
            lines.push(line(pieces, start..index + 1));
            start = index + 1;
        }
    }
    lines
}

fn line(pieces: &[Piece<'_>], all: Range<usize>) -> Line {
    let last = all.end - 1;
    let comment = (all.len() > 1 && pieces[last].kind == TokenKind::Comment).then_some(last);
    let end = comment.unwrap_or(all.end);
    let equals = (all.start + 1..end).find(|index| pieces[*index].kind == TokenKind::Equals);
    // A value that continues on the next lines is not aligned.
    let assign = equals.filter(|equals| {
        let value = pieces[*equals..end].iter();
        value.map(|piece| bracket_change(piece.kind)).sum::<i32>() == 0
    });
    Line {
        all,
        assign,
        comment,
    }
}

/// Indents each line by two spaces for each earlier line with brackets that are still open.
pub(super) fn indent(pieces: &mut [Piece<'_>], lines: &[Line]) {
    let mut open: Vec<i32> = Vec::new();
    for line in lines {
        let Some(first) = pieces.get(line.all.start) else {
            continue;
        };
        if first.kind == TokenKind::Newline {
            continue;
        }
        let end = line.comment.unwrap_or(line.all.end);
        let brackets = pieces[line.all.start..end].iter();
        let net: i32 = brackets.map(|piece| bracket_change(piece.kind)).sum();
        let mut closed = -net;
        while closed > 0
            && let Some(last) = open.last_mut()
        {
            if closed < *last {
                *last -= closed;
                break;
            }
            closed -= *last;
            open.pop();
        }
        pieces[line.all.start].spaces = 2 * open.len();
        if net > 0 {
            open.push(net);
        }
    }
}

/// Aligns the `=` of consecutive lines, then the comments at their ends.
pub(super) fn align(pieces: &mut [Piece<'_>], lines: &[Line]) {
    align_by(pieces, lines, |line| line.assign);
    align_by(pieces, lines, |line| line.comment);
}

fn align_by(pieces: &mut [Piece<'_>], lines: &[Line], cell: impl Fn(&Line) -> Option<usize>) {
    for chain in lines.chunk_by(|one, next| cell(one).is_some() == cell(next).is_some()) {
        let widths: Vec<(usize, usize)> = chain
            .iter()
            .filter_map(|line| {
                let at = cell(line)?;
                Some((at, columns(&pieces[line.all.start..at])))
            })
            .collect();
        let widest = widths.iter().map(|(_, width)| *width).max();
        for (at, width) in widths {
            pieces[at].spaces = widest.unwrap_or_default() - width + 1;
        }
    }
}

/// Returns the width of pieces in columns.
fn columns(pieces: &[Piece<'_>]) -> usize {
    let width = |piece: &Piece<'_>| piece.spaces + piece.text.graphemes(true).count();
    pieces.iter().map(width).sum()
}
