//! `tty`: a display that is redrawn in place.
//!
//! `rows` chooses what is shown in the room that there is, `layout` makes lines of it, `screen` puts them over those of
//! before.

mod layout;
mod rows;
mod screen;

use std::time::SystemTime;

use super::palette::Palette;
use super::view::View;
pub(super) use screen::RESTORE;
use screen::Screen;

/// The size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

impl Default for Size {
    /// 80×24, for a terminal that does not tell.
    fn default() -> Self {
        Self {
            columns: 80,
            rows: 24,
        }
    }
}

/// How the display looks.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// The word of the header: `Building`.
    pub(super) phase: String,
    /// At the right of the header, e.g. `docker:default`.
    pub(super) description: String,
    pub(super) palette: Palette,
    /// Lines of a running step's log, at most.
    pub(super) log_lines: usize,
}

/// Draws a view on a terminal.
#[derive(Debug)]
pub(super) struct Tty {
    look: Look,
    screen: Screen,
}

impl Tty {
    pub(super) fn new(look: Look) -> Self {
        Self {
            look,
            screen: Screen::default(),
        }
    }

    /// What to write so that the terminal shows the view as it is now. The cursor is hidden within, and shown again at the end.
    pub(super) fn draw(&mut self, view: &View, size: Size, now: SystemTime) -> String {
        let rows = rows::fit(
            view,
            usize::from(size.rows).saturating_sub(2),
            self.look.log_lines,
        );
        let lines = layout::lines(view, &rows, &self.look, size, now, false);
        self.screen.replace(lines, size)
    }

    /// As [`draw`](Self::draw), for the last time: all steps, however many there are.
    pub(super) fn finish(&mut self, view: &View, size: Size, now: SystemTime) -> String {
        let rows = rows::all(view);
        let lines = layout::lines(view, &rows, &self.look, size, now, true);
        self.screen.replace(lines, size)
    }
}

#[cfg(test)]
mod tests;
