//! The parser's hands: reading tokens, reporting errors, finding a place to go on.

use super::ast::Node;
use super::range::Range;
use super::token::{Token, TokenKind};
use crate::value::Value;

/// How deep expressions and blocks may be nested.
const MAX_DEPTH: usize = 100;
/// How high the tree of an expression may be: `1 + 1 + 1` is a tree of two levels.
const MAX_HEIGHT: usize = 200;

/// An error with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParseError {
    pub(super) range: Range,
    pub(super) message: String,
}

/// The state of parsing.
pub(super) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    /// Whether newlines are tokens, per open bracket.
    newlines: Vec<bool>,
    /// Set once tokens were skipped: what follows may be misread, so fewer errors are reported.
    pub(super) recovery: bool,
    /// The first error.
    pub(super) first: Option<ParseError>,
    /// How many errors there are.
    pub(super) errors: usize,
    depth: usize,
    /// The height of the highest tree in the expression that is being read.
    height: usize,
}

impl<'a> Parser<'a> {
    /// A parser of `tokens`, of which the last is [`TokenKind::End`].
    pub(super) fn new(tokens: Vec<Token<'a>>) -> Self {
        Self {
            tokens,
            next: 0,
            newlines: vec![true],
            recovery: false,
            first: None,
            errors: 0,
            depth: 0,
            height: 0,
        }
    }

    /// The next token and the index after it.
    fn look(&self) -> (Token<'a>, usize) {
        let newlines = self.newlines.last().copied().unwrap_or(true);
        for (index, token) in self.tokens.iter().enumerate().skip(self.next) {
            match token.kind {
                TokenKind::Comment if newlines && token.text.ends_with('\n') => {
                    let newline = Token {
                        kind: TokenKind::Newline,
                        ..*token
                    };
                    return (newline, index + 1);
                }
                TokenKind::Comment => {}
                TokenKind::Newline if !newlines => {}
                _ => return (*token, index + 1),
            }
        }
        let end = self.tokens.last().copied().unwrap_or(Token {
            kind: TokenKind::End,
            text: "",
            range: Range::START,
        });
        (end, self.tokens.len())
    }

    /// The next token, which stays unread.
    pub(super) fn peek(&self) -> Token<'a> {
        self.look().0
    }

    /// The kind of the next token.
    pub(super) fn peek_kind(&self) -> TokenKind {
        self.peek().kind
    }

    /// The next token, which is now read.
    pub(super) fn read(&mut self) -> Token<'a> {
        let (token, next) = self.look();
        self.next = next;
        token
    }

    /// The place of the token that was read last.
    pub(super) fn previous_range(&self) -> Range {
        match self
            .next
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
        {
            Some(token) => token.range,
            None => self.peek().range,
        }
    }

    /// Reports an error.
    pub(super) fn error(&mut self, range: Range, message: impl Into<String>) {
        self.errors += 1;
        self.first.get_or_insert_with(|| ParseError {
            range,
            message: message.into(),
        });
    }

    /// Reports an error unless tokens were skipped before.
    pub(super) fn soft_error(&mut self, range: Range, message: impl Into<String>) {
        if !self.recovery {
            self.error(range, message);
        }
    }

    /// True if something failed since there were `before` errors, and tokens may be out of step.
    pub(super) fn lost(&self, before: usize) -> bool {
        self.recovery && self.errors > before
    }

    /// A stand-in for an expression that cannot be read.
    pub(super) fn placeholder(range: Range) -> Node {
        Node::Literal(Value::null(), range)
    }

    /// Runs `parse` where newlines count, or do not.
    pub(super) fn with_newlines<T>(
        &mut self,
        count: bool,
        parse: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.newlines.push(count);
        let result = parse(self);
        self.newlines.pop();
        result
    }

    /// Runs `parse` one level deeper, unless that is too deep; then all tokens are skipped.
    pub(super) fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> T,
        otherwise: impl FnOnce(Range) -> T,
    ) -> T {
        if self.depth >= MAX_DEPTH {
            let range = self.peek().range;
            self.give_up(range, MAX_DEPTH);
            return otherwise(range);
        }
        self.depth += 1;
        let siblings = std::mem::take(&mut self.height);
        let result = parse(self);
        self.depth -= 1;
        self.height = siblings.max(self.height + 1);
        result
    }

    /// Notes that the tree that was just read becomes the child of another one.
    pub(super) fn grow(&mut self, range: Range) {
        self.height += 1;
        if self.height > MAX_HEIGHT {
            self.give_up(range, MAX_HEIGHT);
        }
    }

    /// Reports that something has too many levels, and skips all tokens.
    fn give_up(&mut self, range: Range, levels: usize) {
        self.error(range, format!("more than {levels} levels of nesting"));
        self.recovery = true;
        self.next = self.tokens.len();
    }

    /// Skips to the token after the `end` that closes the bracket we are in.
    pub(super) fn recover(&mut self, end: TokenKind) -> Token<'a> {
        self.recovery = true;
        let start = end.opposite();
        let mut nesting = 0_usize;
        loop {
            let token = self.read();
            let kind = match token.kind {
                TokenKind::Directive if end == TokenKind::SequenceEnd => TokenKind::Interpolation,
                kind => kind,
            };
            if kind == TokenKind::End {
                return token;
            }
            if kind == end {
                match nesting.checked_sub(1) {
                    None => return token,
                    Some(less) => nesting = less,
                }
            } else if Some(kind) == start {
                nesting += 1;
            }
        }
    }

    /// Skips the next bracketed part that `start` opens.
    pub(super) fn recover_over(&mut self, start: TokenKind) {
        loop {
            let kind = self.read().kind;
            if kind == start || kind == TokenKind::End {
                break;
            }
        }
        if let Some(end) = start.opposite() {
            self.recover(end);
        }
    }

    /// Skips to the line after the current attribute or block.
    pub(super) fn recover_after_item(&mut self) {
        self.recovery = true;
        let mut open: Vec<TokenKind> = Vec::new();
        loop {
            let kind = self.read().kind;
            match kind {
                TokenKind::End => return,
                TokenKind::Newline if open.is_empty() => return,
                TokenKind::OpenBrace
                | TokenKind::OpenBracket
                | TokenKind::OpenParen
                | TokenKind::OpenQuote
                | TokenKind::OpenHeredoc
                | TokenKind::Interpolation
                | TokenKind::Directive => open.push(kind),
                TokenKind::CloseBrace
                | TokenKind::CloseBracket
                | TokenKind::CloseParen
                | TokenKind::CloseQuote
                | TokenKind::CloseHeredoc
                | TokenKind::SequenceEnd => {
                    while open
                        .pop()
                        .is_some_and(|opener| opener.opposite() != Some(kind))
                    {}
                }
                _ => {}
            }
        }
    }
}
