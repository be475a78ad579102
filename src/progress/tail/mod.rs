//! The last lines of a step's output as a terminal would show them. `\r`, backspaces and cursor
//! movements are applied; colours and all other control sequences are removed.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::LogStream;
use crate::text::{Utf8Stream, is_unprintable};

/// The maximum number of kept lines.
const LINES: usize = 100;
/// The maximum number of kept characters per line.
const COLUMNS: usize = 1024;

/// The last lines of a log, with bounded memory.
#[derive(Debug, Clone, Default)]
pub struct LogTail {
    lines: VecDeque<Line>,
    /// The position of the next character.
    row: usize,
    column: usize,
    escape: Escape,
    utf8: Utf8Stream,
    /// True while output of stderr is added.
    is_stderr: bool,
}

/// One line of output.
#[derive(Debug, Clone, Default, PartialEq)]
struct Line {
    /// The line's start, since the step's start.
    at: Duration,
    text: Vec<char>,
    is_stderr: bool,
}

impl Line {
    fn is_blank(&self) -> bool {
        self.text.iter().all(|c| c.is_whitespace())
    }
}

/// The state of an escape sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Escape {
    #[default]
    None,
    /// After ESC.
    Begun,
    /// After ESC and a character that takes one more.
    Charset,
    /// After `ESC [`, with the first two numbers.
    Control {
        numbers: [u16; 2],
        index: usize,
        private: bool,
    },
    /// After `ESC ]` and the like: text up to BEL or `ESC \`.
    Text { ending: bool },
}

impl LogTail {
    /// Adds output with its time since the step's start; it may be cut anywhere.
    pub fn write(&mut self, data: &[u8], at: Duration) {
        let mut utf8 = std::mem::take(&mut self.utf8);
        utf8.read(data, |c| self.put(c, at));
        self.utf8 = utf8;
    }

    /// The same for output whose stream is known.
    pub(super) fn write_from(&mut self, stream: LogStream, data: &[u8], at: Duration) {
        self.is_stderr = stream == LogStream::Stderr;
        self.write(data, at);
        self.is_stderr = false;
    }

    /// Returns the position in [`lines`](Self::lines) of the last line of stderr that is not blank.
    pub(super) fn last_of_stderr(&self) -> Option<usize> {
        self.lines
            .iter()
            .rposition(|line| line.is_stderr && !line.is_blank())
    }

    /// Returns the kept lines, oldest first, each with its time since the step's start, without
    /// trailing spaces.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (Duration, String)> + '_ {
        self.lines.iter().map(|line| {
            let text: String = line.text.iter().collect();
            (line.at, text.trim_end().to_string())
        })
    }

    /// Returns the last non-blank lines, oldest first.
    pub(super) fn last(&self, count: usize) -> Vec<String> {
        let texts = self.lines().rev().map(|(_, text)| text);
        let mut last: Vec<String> = texts.filter(|text| !text.is_empty()).take(count).collect();
        last.reverse();
        last
    }

    /// Counts the last non-blank lines, at most `limit`.
    pub(super) fn count(&self, limit: usize) -> usize {
        self.lines
            .iter()
            .rev()
            .filter(|line| !line.is_blank())
            .take(limit)
            .count()
    }

    /// Frees the memory.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn put(&mut self, c: char, at: Duration) {
        match self.escape {
            Escape::None => self.put_plain(c, at),
            Escape::Begun => self.escape = self.after_escape(c),
            Escape::Charset => self.escape = Escape::None,
            Escape::Control {
                numbers,
                index,
                private,
            } => self.put_control(c, numbers, index, private),
            Escape::Text { ending } => {
                let over = c == '\x07' || c == '\u{9c}' || (ending && c == '\\');
                self.escape = if over {
                    Escape::None
                } else {
                    Escape::Text {
                        ending: c == '\x1b',
                    }
                };
            }
        }
    }

    fn put_plain(&mut self, c: char, at: Duration) {
        match c {
            '\x1b' => self.escape = Escape::Begun,
            '\n' => {
                self.current(at);
                self.row += 1;
                self.column = 0;
            }
            '\r' => self.column = 0,
            '\x08' => self.column = self.column.saturating_sub(1),
            '\t' => {
                let stop = (self.column / 8 + 1) * 8;
                while self.column < stop.min(COLUMNS) {
                    self.put_text(' ', at);
                }
            }
            c if is_unprintable(c) => {}
            c => self.put_text(c, at),
        }
    }

    fn put_text(&mut self, c: char, at: Duration) {
        let column = self.column;
        if column >= COLUMNS {
            return;
        }
        let is_stderr = self.is_stderr;
        let line = self.current(at);
        line.is_stderr |= is_stderr;
        let text = &mut line.text;
        if column < text.len() {
            text[column] = c;
        } else {
            text.resize(column, ' ');
            text.push(c);
        }
        self.column += 1;
    }

    fn after_escape(&self, c: char) -> Escape {
        match c {
            '[' => Escape::Control {
                numbers: [0; 2],
                index: 0,
                private: false,
            },
            ']' | 'P' | 'X' | '^' | '_' => Escape::Text { ending: false },
            '(' | ')' | '*' | '+' | '#' | '%' | ' ' => Escape::Charset,
            '\x1b' => Escape::Begun,
            _ => Escape::None,
        }
    }

    fn put_control(&mut self, c: char, mut numbers: [u16; 2], mut index: usize, mut private: bool) {
        match c {
            '0'..='9' => {
                let digit = u16::try_from(u32::from(c) - u32::from('0')).unwrap_or(0);
                if let Some(number) = numbers.get_mut(index) {
                    *number = number.saturating_mul(10).saturating_add(digit);
                }
            }
            ';' | ':' => index += 1,
            '\x1b' => {
                self.escape = Escape::Begun;
                return;
            }
            '@'..='~' => {
                self.escape = Escape::None;
                if !private {
                    self.move_or_erase(c, numbers[0]);
                }
                return;
            }
            _ => private = true,
        }
        self.escape = Escape::Control {
            numbers,
            index: index.min(2),
            private,
        };
    }

    fn move_or_erase(&mut self, action: char, number: u16) {
        let count = usize::from(number.max(1));
        match action {
            'A' | 'F' => self.row = self.row.saturating_sub(count),
            'B' | 'E' => self.row = (self.row + count).min(self.lines.len().saturating_sub(1)),
            'C' => self.column = (self.column + count).min(COLUMNS),
            'D' => self.column = self.column.saturating_sub(count),
            'G' => self.column = (count - 1).min(COLUMNS),
            'K' => self.erase_line(number),
            'J' if number >= 2 => self.clear(),
            'J' => {
                self.erase_line(number);
                self.lines.truncate(self.row + 1);
            }
            _ => {}
        }
        if matches!(action, 'E' | 'F') {
            self.column = 0;
        }
    }

    fn erase_line(&mut self, how: u16) {
        let column = self.column;
        let Some(line) = self.lines.get_mut(self.row) else {
            return;
        };
        match how {
            0 => line.text.truncate(column),
            1 => line.text.iter_mut().take(column + 1).for_each(|c| *c = ' '),
            _ => line.text.clear(),
        }
    }

    /// Returns the current line, created if necessary; the oldest line makes room.
    fn current(&mut self, at: Duration) -> &mut Line {
        while self.row >= self.lines.len() {
            if self.lines.len() == LINES {
                self.lines.pop_front();
                self.row -= 1;
            }
            self.lines.push_back(Line {
                at,
                ..Line::default()
            });
        }
        &mut self.lines[self.row]
    }
}

#[cfg(test)]
mod tests;
