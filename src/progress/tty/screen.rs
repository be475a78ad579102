//! The lines on the terminal, and how they are replaced.
//!
//! A redraw is one piece of text that hides the cursor, disables line wrapping, and undoes both at
//! its end: a program that dies between two redraws leaves a usable terminal. Only changed lines
//! are written.

use super::super::palette::Tone;
use super::{Look, Size};
use crate::text::clip;

const BEGIN: &str = "\x1b[?25l\x1b[?7l";
const END: &str = "\x1b[?7h\x1b[?25h";
/// Undoes the effects of an interrupted redraw.
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

    /// Returns how many terminal lines it takes after the terminal became narrower.
    fn height(&self, columns: usize) -> usize {
        self.columns.div_ceil(columns.max(1)).max(1)
    }
}

/// The lines on the terminal. The cursor is at the start of the line below them.
#[derive(Debug, Default)]
pub(super) struct Screen {
    lines: Vec<Line>,
    size: Option<Size>,
}

impl Screen {
    /// Returns the text that replaces the previous lines by these.
    ///
    /// Terminals wrap lines that are too long for a narrower window, so the cursor must go up
    /// further.
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
            // At the same width, unchanged lines are still on the screen.
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
