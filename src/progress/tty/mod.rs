//! `tty`: a display that is redrawn in place.
//!
//! `rows` selects what fits, `layout` formats it as lines, `screen` replaces the previous lines.

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
    /// The width.
    pub columns: u16,
    /// The height.
    pub rows: u16,
}

impl Default for Size {
    /// 80×24, if the terminal's size is unknown.
    fn default() -> Self {
        Self {
            columns: 80,
            rows: 24,
        }
    }
}

/// The display's settings.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// The verb of the header: `Building`.
    pub(super) phase: String,
    /// The text at the right of the header, e.g. `docker:default`.
    pub(super) description: String,
    pub(super) palette: Palette,
    /// The maximum number of log lines of a running step.
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

    /// Returns the text that makes the terminal show the view. It hides the cursor first and shows
    /// it again at the end.
    pub(super) fn draw(&mut self, view: &View, size: Size, now: SystemTime) -> String {
        let rows = rows::fit(
            view,
            usize::from(size.rows).saturating_sub(2),
            self.look.log_lines,
        );
        let lines = layout::lines(view, &rows, &self.look, size, now, false);
        self.screen.replace(lines, size)
    }

    /// Starts a new drawing below the current one.
    pub(super) fn move_on(&mut self) {
        self.screen = Screen::default();
    }

    /// As [`draw`](Self::draw), for the final state: shows all steps, however many.
    pub(super) fn finish(&mut self, view: &View, size: Size, now: SystemTime) -> String {
        let rows = rows::all(view);
        let lines = layout::lines(view, &rows, &self.look, size, now, true);
        self.screen.replace(lines, size)
    }
}

#[cfg(test)]
mod tests;
