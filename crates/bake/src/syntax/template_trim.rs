//! Trims the indentation of `<<-` heredocs, and joins adjacent texts.

use unicode_segmentation::UnicodeSegmentation;

use super::range::Range;
use super::template::Piece;

/// Removes the common indentation of all lines. Blank lines are ignored.
pub(super) fn trim_indent(pieces: &mut [Piece]) {
    let mut least: Option<usize> = None;
    let mut indented: Vec<(&mut String, &mut Range)> = Vec::new();
    let mut at_line_start = true;
    for piece in pieces {
        let Piece::Text(text, range) = piece else {
            if at_line_start {
                least = Some(0);
            }
            at_line_start = false;
            continue;
        };
        let ends_line = text.ends_with('\n');
        if at_line_start {
            let trimmed = text.trim_start();
            if !(trimmed.is_empty() && ends_line) {
                let blanks = text[..text.len() - trimmed.len()].graphemes(true).count();
                least = Some(least.map_or(blanks, |least| least.min(blanks)));
                indented.push((text, range));
            }
        }
        at_line_start = ends_line;
    }
    let least = least.unwrap_or(0);
    for (text, range) in indented {
        let bytes: usize = text.graphemes(true).take(least).map(str::len).sum();
        text.drain(..bytes);
        let columns = u32::try_from(least).unwrap_or(u32::MAX);
        range.start.column = range.start.column.saturating_add(columns);
        range.start.byte += bytes;
    }
}

/// Returns the pieces with adjacent texts joined.
pub(super) fn meld(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (out.last_mut(), piece) {
            (Some(Piece::Text(text, range)), Piece::Text(more, end)) => {
                text.push_str(&more);
                *range = range.to(end);
            }
            (_, piece) => out.push(piece),
        }
    }
    out
}
