//! Filters the output of a process: keeps its colours, removes everything else that acts on a
//! terminal.

use super::printable::is_unprintable;
use super::utf8::Utf8Stream;

/// The longest parameters of a colour sequence; a longer sequence is dropped.
const PARAMETERS: usize = 64;
/// Resets the terminal's colours.
const RESET: &str = "\x1b[0m";

/// Passes text and colours (SGR sequences); drops other escape sequences and controls.
///
/// A carriage return ends the line, so that nothing overwrites the text before it. The output may
/// be cut anywhere: the filter keeps its state.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    utf8: Utf8Stream,
    state: State,
    /// The parameters of the current sequence.
    parameters: String,
    /// True after a carriage return until the next character.
    returned: bool,
    coloured: bool,
}

/// The state within an escape sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After ESC and a character that needs one more.
    Charset,
    /// After `ESC [`.
    Control,
    /// After `ESC ]` and the like: dropped up to BEL, `ESC \` or the end of the line.
    Dropped,
}

impl LogFilter {
    /// Appends the printable part of the next piece to `out`.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
        if self.state == State::Text
            && !self.returned
            && !self.utf8.is_within()
            && data.iter().all(plain)
        {
            out.extend_from_slice(data);
            return;
        }
        let mut utf8 = std::mem::take(&mut self.utf8);
        utf8.read(data, |c| self.take(c, out));
        self.utf8 = utf8;
    }

    /// Resets the colours if the output changed them. Call it before other text follows.
    pub fn reset(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.coloured) {
            out.extend_from_slice(RESET.as_bytes());
        }
    }

    fn take(&mut self, c: char, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.returned) && c != '\n' && c != '\r' {
            out.push(b'\n');
        }
        match (self.state, c) {
            (_, '\x1b') => self.state = State::Escape,
            // CAN and SUB end a sequence.
            (_, '\x18' | '\x1a') => self.state = State::Text,
            (State::Dropped, '\x07' | '\u{9c}') => self.state = State::Text,
            (State::Dropped | State::Text, '\n') => {
                self.state = State::Text;
                out.push(b'\n');
            }
            (State::Dropped, _) => {}
            (State::Text, c) => self.text(c, out),
            (State::Escape, c) => self.state = self.after_escape(c),
            (State::Charset, _) => self.state = State::Text,
            (State::Control, c) => self.control(c, out),
        }
    }

    fn text(&mut self, c: char, out: &mut Vec<u8>) {
        match c {
            '\r' => self.returned = true,
            '\u{9b}' => self.state = self.after_escape('['),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => self.state = State::Dropped,
            c if c != '\t' && is_unprintable(c) => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }

    fn after_escape(&mut self, c: char) -> State {
        self.parameters.clear();
        match c {
            '[' => State::Control,
            ']' | 'P' | 'X' | '^' | '_' => State::Dropped,
            ' ' | '#' | '%' | '(' | ')' | '*' | '+' => State::Charset,
            _ => State::Text,
        }
    }

    fn control(&mut self, c: char, out: &mut Vec<u8>) {
        let ended = matches!(c, '@'..='~') || c == '\n';
        if !ended {
            if self.parameters.len() < PARAMETERS {
                self.parameters.push(c);
            }
            return;
        }
        self.state = State::Text;
        let is_colour = |c: char| matches!(c, '0'..='9' | ';' | ':');
        if c == '\n' {
            out.push(b'\n');
        } else if c == 'm' && self.parameters.chars().all(is_colour) {
            out.extend_from_slice(format!("\x1b[{}m", self.parameters).as_bytes());
            let is_reset = |c: char| matches!(c, '0' | ';');
            self.coloured = !self.parameters.chars().all(is_reset);
        }
    }
}

/// Filters a whole text: its lines with their colours.
pub fn coloured(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut filter = LogFilter::default();
    filter.push(text.as_bytes(), &mut out);
    filter.reset(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut filter = LogFilter::default();
        pieces.iter().for_each(|piece| filter.push(piece, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn colours_stay_and_everything_else_goes() {
        let cases = [
            ("\x1b[1;31mred\x1b[0m\x1b[m", "\x1b[1;31mred\x1b[0m\x1b[m"),
            ("\x1b[38:5:9mx\x1b[0m", "\x1b[38:5:9mx\x1b[0m"),
            ("a\x1b[2J\x1b[Hb", "ab"),
            ("a\x1b[?25l\x1b[>4;1mb", "ab"),
            ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
            ("\x1bPq#0\x1b\\a\x1b_x\u{9c}b", "ab"),
            ("\x1b(0a\x1b#8b\x1bcc\x1b7d", "abcd"),
            ("\u{9b}2Ja\u{9d}0;x\u{9c}b\u{85}", "ab"),
            ("a\x08\x07\x00\x7f\u{202e}b", "ab"),
            ("10%\r20%\rdone\r\n", "10%\n20%\ndone\n"),
            ("\x1b]open\nnext", "\nnext"),
            ("\x1b[12\nnext", "\nnext"),
            ("a\tb\n", "a\tb\n"),
        ];
        for (given, expected) in cases {
            assert_eq!(filtered(&[given.as_bytes()]), expected, "{given:?}");
        }
    }

    #[test]
    fn a_sequence_may_be_cut_anywhere() {
        let text = "é\x1b[31mred\x1b]0;title\x07\x1b[0m\u{9b}2J日\r\nend\rx".as_bytes();
        let whole = filtered(&[text]);
        assert_eq!(whole, "é\x1b[31mred\x1b[0m日\nend\nx");
        for at in 0..text.len() {
            assert_eq!(filtered(&[&text[..at], &text[at..]]), whole, "cut at {at}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(filtered(&[b"a\x9b2J\xff"]), "a\u{fffd}2J\u{fffd}");
    }

    #[test]
    fn colours_that_are_left_are_reset_once() {
        assert_eq!(coloured("\x1b[8mhidden"), "\x1b[8mhidden\x1b[0m");
        assert_eq!(coloured("\x1b[8mshown\x1b[0m"), "\x1b[8mshown\x1b[0m");
    }
}
