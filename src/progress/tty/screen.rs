//! The lines that stand on the terminal, and how they are replaced.
//!
//! All of a change is one piece of text that hides the cursor, turns off the wrapping of lines, and undoes both at its end: a
//! program that dies between two changes leaves the terminal as it was. Only lines that changed are written.

use super::super::palette::Tone;
use super::{Look, Size};
use crate::text::clip;

const BEGIN: &str = "\x1b[?25l\x1b[?7l";
const END: &str = "\x1b[?7h\x1b[?25h";
/// Undoes whatever a change that was cut off may have left.
pub(in super::super) const RESTORE: &str = "\x1b[0m\x1b[?7h\x1b[?25h";
const ERASE_RIGHT: &str = "\x1b[K";
const ERASE_BELOW: &str = "\x1b[J";

/// A line with its colours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    text: String,
    columns: usize,
}

impl Line {
    pub(super) fn new(text: String, look: &Look, tone: Tone) -> Self {
        let (_, columns) = clip(&text, usize::MAX);
        Self {
            text: look.palette.paint(tone, &text),
            columns,
        }
    }

    /// Lines of the terminal that it takes when that has become narrower.
    fn height(&self, columns: usize) -> usize {
        self.columns.div_ceil(columns.max(1)).max(1)
    }
}

/// What stands on the terminal. The cursor is at the beginning of the line below.
#[derive(Debug, Default)]
pub(super) struct Screen {
    lines: Vec<Line>,
    size: Option<Size>,
}

impl Screen {
    /// What to write to have these lines in place of those before.
    ///
    /// Terminals wrap the lines that are too long for a narrower window, so the way up is longer then.
    pub(super) fn replace(&mut self, lines: Vec<Line>, size: Size) -> String {
        let same_width = self
            .size
            .is_some_and(|before| before.columns == size.columns);
        let columns = usize::from(size.columns);
        let up: usize = self.lines.iter().map(|line| line.height(columns)).sum();
        let mut out = String::from(BEGIN);
        out.push('\r');
        if up > 0 {
            out.push_str(&format!("\x1b[{up}A"));
        }
        for (number, line) in lines.iter().enumerate() {
            // In a window that is as wide as it was, what has not changed still stands there.
            if !same_width || self.lines.get(number) != Some(line) {
                out.push_str(&line.text);
                if line.columns < columns {
                    out.push_str(ERASE_RIGHT);
                }
            }
            out.push_str("\r\n");
        }
        if self.lines.len() > lines.len() || !same_width {
            out.push_str(ERASE_BELOW);
        }
        out.push_str(END);
        self.lines = lines;
        self.size = Some(size);
        out
    }
}
