//! Scans text to tokens by the rules of the reference's scanner: the longest match wins.

use super::position::advance;
use super::range::Range;
use super::scan_symbol::{identifier_length, number_length, symbol};
use super::scan_text;
use super::token::{Token, TokenKind};
use crate::diagnostic::Position;
use crate::limits::MAX_TOKENS;

/// The context of the scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Expressions and bodies.
    Normal,
    /// A template without quotes: a string of JSON.
    BareTemplate,
    /// Text between quotes.
    Quoted,
    /// The content of a heredoc.
    Heredoc,
}

/// A heredoc that is being scanned.
struct Heredoc<'a> {
    marker: &'a str,
    at_line_start: bool,
}

/// The state of a scan.
pub(super) struct Scanner<'a> {
    text: &'a str,
    offset: usize,
    base: Position,
    position: Position,
    tokens: Vec<Token<'a>>,
    modes: Vec<Mode>,
    braces: usize,
    /// The numbers of open braces at which a `}` ends an interpolation.
    sequences: Vec<usize>,
    heredocs: Vec<Heredoc<'a>>,
    /// True if a `/*` is not closed: then no later one is either.
    unclosed_comment: bool,
}

/// Returns the tokens of `text`, which starts at `start`. The last token is [`TokenKind::End`].
///
/// If there are more than [`MAX_TOKENS`] tokens, the rest of the text was not scanned.
pub(crate) fn scan(text: &str, start: Position, mode: Mode) -> Vec<Token<'_>> {
    let mut scanner = Scanner {
        text,
        offset: 0,
        base: start,
        position: start,
        tokens: Vec::with_capacity((text.len() / 4 + 1).min(MAX_TOKENS)),
        modes: vec![mode],
        braces: 0,
        sequences: Vec::new(),
        heredocs: Vec::new(),
        unclosed_comment: false,
    };
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        scanner.offset = text.len() - rest.len();
        scanner.position.byte += scanner.offset;
    }
    while scanner.offset < text.len() && scanner.tokens.len() <= MAX_TOKENS {
        scanner.step();
    }
    scanner.token(TokenKind::End, 0);
    scanner.tokens
}

impl<'a> Scanner<'a> {
    /// Returns the rest of the text.
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    /// Scans the next token, or skips spaces.
    fn step(&mut self) {
        match self.modes.last().copied().unwrap_or(Mode::Normal) {
            Mode::Normal => self.normal(),
            Mode::Quoted => self.quoted(),
            Mode::Heredoc => self.heredoc(),
            Mode::BareTemplate => self.bare(),
        }
    }

    /// Adds a token of `length` bytes.
    fn token(&mut self, kind: TokenKind, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        let mut start = self.position;
        // There are only spaces between tokens, of one column each.
        let skipped = self.base.byte + self.offset - start.byte;
        start.column = start
            .column
            .saturating_add(u32::try_from(skipped).unwrap_or(u32::MAX));
        start.byte += skipped;
        let end = advance(start, text);
        self.tokens.push(Token {
            kind,
            text,
            range: Range { start, end },
        });
        self.position = end;
        self.offset += length;
    }

    fn normal(&mut self) {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if blanks > 0 {
            self.offset += blanks;
            return;
        }
        let first = rest.chars().next().unwrap_or_default();
        match first {
            '0'..='9' => self.token(TokenKind::Number, number_length(rest)),
            '_' => self.token(TokenKind::Identifier, identifier_length(rest)),
            _ if unicode_ident::is_xid_start(first) => {
                self.token(TokenKind::Identifier, identifier_length(rest));
            }
            '"' => {
                self.token(TokenKind::OpenQuote, 1);
                self.modes.push(Mode::Quoted);
            }
            '{' => {
                self.token(TokenKind::OpenBrace, 1);
                self.braces += 1;
            }
            '}' => self.close_brace(1),
            '~' if rest.starts_with("~}") => self.close_brace(2),
            '<' if self.open_heredoc() => {}
            '/' if self.long_comment() => {}
            _ => {
                let (kind, length) = symbol(rest, first);
                self.token(kind, length);
            }
        }
    }

    /// Scans `}` or `~}`, which may end an interpolation.
    fn close_brace(&mut self, length: usize) {
        let ends = self.sequences.last() == Some(&self.braces);
        let kind = if ends || length == 2 {
            TokenKind::SequenceEnd
        } else {
            TokenKind::CloseBrace
        };
        self.token(kind, length);
        self.braces = self.braces.saturating_sub(1);
        if ends {
            self.sequences.pop();
            self.modes.pop();
        }
    }

    /// Scans `<<NAME` or `<<-NAME` up to its newline; false if it is not next.
    fn open_heredoc(&mut self) -> bool {
        let rest = self.rest();
        let Some(after) = rest.strip_prefix("<<") else {
            return false;
        };
        let after = after.strip_prefix('-').unwrap_or(after);
        let length = identifier_length(after);
        let (marker, tail) = after.split_at(length);
        let newline = match tail {
            _ if marker.is_empty() => return false,
            _ if tail.starts_with('\n') => 1,
            _ if tail.starts_with("\r\n") => 2,
            _ => return false,
        };
        self.token(TokenKind::OpenHeredoc, rest.len() - tail.len() + newline);
        self.heredocs.push(Heredoc {
            marker,
            at_line_start: true,
        });
        self.modes.push(Mode::Heredoc);
        true
    }

    /// Scans `/* … */`; false if it is not next.
    fn long_comment(&mut self) -> bool {
        let rest = self.rest();
        if self.unclosed_comment || !rest.starts_with("/*") {
            return false;
        }
        match rest[2..].find("*/") {
            Some(end) => self.token(TokenKind::Comment, end + 4),
            None => self.unclosed_comment = true,
        }
        !self.unclosed_comment
    }

    /// Scans `${` or `%{`, which an expression follows; false if it is not next.
    fn open_sequence(&mut self) -> bool {
        let rest = self.rest();
        let kind = match rest {
            _ if rest.starts_with("${") => TokenKind::Interpolation,
            _ if rest.starts_with("%{") => TokenKind::Directive,
            _ => return false,
        };
        self.token(kind, if rest[2..].starts_with('~') { 3 } else { 2 });
        self.braces += 1;
        self.sequences.push(self.braces);
        if let Some(heredoc) = self.heredocs.last_mut() {
            heredoc.at_line_start = false;
        }
        self.modes.push(Mode::Normal);
        true
    }

    fn quoted(&mut self) {
        if self.open_sequence() {
            return;
        }
        let rest = self.rest();
        if rest.starts_with('"') {
            self.token(TokenKind::CloseQuote, 1);
            self.modes.pop();
        } else if rest.starts_with(['\r', '\n']) {
            let length = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            self.token(TokenKind::QuotedNewline, length);
        } else if let Some(length) = scan_text::marker_length(rest) {
            self.token(TokenKind::QuotedText, length);
        } else {
            match scan_text::quoted_length(rest) {
                0 if rest.starts_with(['$', '%']) => self.token(TokenKind::Invalid, rest.len()),
                0 => self.token(TokenKind::Invalid, 1),
                length => self.token(TokenKind::QuotedText, length),
            }
        }
    }

    fn heredoc(&mut self) {
        if self.open_sequence() {
            return;
        }
        let rest = self.rest();
        if let Some(length) = scan_text::marker_length(rest) {
            self.heredoc_text(length);
            return;
        }
        let length = scan_text::plain_length(rest);
        let tail = &rest[length..];
        if tail.starts_with('\n') {
            self.heredoc_line(length, 1);
        } else if tail.starts_with("\r\n") {
            self.heredoc_line(length, 2);
        } else if length > 0 {
            self.heredoc_text(length);
        } else {
            self.token(TokenKind::Invalid, rest.len());
        }
    }

    /// Adds a piece of text within a line.
    fn heredoc_text(&mut self, length: usize) {
        if let Some(heredoc) = self.heredocs.last_mut() {
            heredoc.at_line_start = false;
        }
        self.token(TokenKind::PlainText, length);
    }

    /// Adds a line of a heredoc, which may be its last.
    fn heredoc_line(&mut self, length: usize, newline: usize) {
        let line = &self.rest()[..length];
        let Some(heredoc) = self.heredocs.last_mut() else {
            return;
        };
        if heredoc.at_line_start && line.trim() == heredoc.marker {
            self.heredocs.pop();
            self.modes.pop();
            self.token(TokenKind::CloseHeredoc, length);
            self.token(TokenKind::Newline, newline);
        } else {
            heredoc.at_line_start = true;
            self.token(TokenKind::PlainText, length + newline);
        }
    }

    fn bare(&mut self) {
        if self.open_sequence() {
            return;
        }
        let rest = self.rest();
        let length = scan_text::marker_length(rest).unwrap_or_else(|| {
            let length = scan_text::plain_length(rest);
            let tail = &rest[length..];
            length + usize::from(tail.starts_with('\n')) + 2 * usize::from(tail.starts_with("\r\n"))
        });
        // Anything else, such as a `$` at the end, is text.
        let length = if length == 0 { rest.len() } else { length };
        self.token(TokenKind::PlainText, length);
    }
}
