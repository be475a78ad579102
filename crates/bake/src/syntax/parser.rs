//! The parser's basic operations: reading tokens, reporting errors, recovering after them.

use super::ast::Node;
use super::range::Range;
use super::token::{Token, TokenKind};
use crate::value::Value;

/// The deepest nesting of expressions and blocks.
const MAX_DEPTH: usize = 100;
/// The greatest height of an expression's tree: `1 + 1 + 1` is a tree of two levels.
const MAX_HEIGHT: usize = 200;

/// An error with its range in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParseError {
    pub(super) range: Range,
    pub(super) message: String,
    /// The message of the reference, if it has a well-known one.
    pub(super) reference: Option<String>,
}

/// The state of the parser.
pub(super) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    /// For each open bracket, true if newlines are tokens.
    newlines: Vec<bool>,
    /// True once tokens were skipped: the rest may be misread, so fewer errors are reported.
    pub(super) recovery: bool,
    /// The first error.
    pub(super) first: Option<ParseError>,
    /// The number of errors.
    pub(super) errors: usize,
    depth: usize,
    /// The height of the highest tree in the current expression.
    height: usize,
}

impl<'a> Parser<'a> {
    /// Returns a parser of `tokens`, the last of which must be [`TokenKind::End`].
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

    /// Returns the next token and the index after it.
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

    /// Returns the next token without consuming it.
    pub(super) fn peek(&self) -> Token<'a> {
        self.look().0
    }

    /// Returns the kind of the next token.
    pub(super) fn peek_kind(&self) -> TokenKind {
        self.peek().kind
    }

    /// Consumes and returns the next token.
    pub(super) fn read(&mut self) -> Token<'a> {
        let (token, next) = self.look();
        self.next = next;
        token
    }

    /// Returns the range of the last consumed token.
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
            reference: None,
        });
    }

    /// Reports an error that has a well-known message in the reference.
    pub(super) fn known_error(
        &mut self,
        range: Range,
        message: impl Into<String>,
        reference: impl Into<String>,
    ) {
        self.errors += 1;
        self.first.get_or_insert_with(|| ParseError {
            range,
            message: message.into(),
            reference: Some(reference.into()),
        });
    }

    /// Reports a block without its closing brace, unless tokens were skipped before.
    pub(super) fn unclosed_block(&mut self, range: Range) {
        if !self.recovery {
            self.known_error(
                range,
                "the block has no closing brace",
                "Unclosed configuration block; There is no closing brace for this block before the \
                 end of the file. This may be caused by incorrect brace nesting elsewhere in this \
                 file.",
            );
        }
    }

    /// Reports an error, unless tokens were skipped before.
    pub(super) fn soft_error(&mut self, range: Range, message: impl Into<String>) {
        if !self.recovery {
            self.error(range, message);
        }
    }

    /// The same for an error that has a well-known message in the reference.
    pub(super) fn soft_known_error(
        &mut self,
        range: Range,
        message: impl Into<String>,
        reference: impl Into<String>,
    ) {
        if !self.recovery {
            self.known_error(range, message, reference);
        }
    }

    /// True if there are more than `before` errors and tokens were skipped.
    pub(super) fn lost(&self, before: usize) -> bool {
        self.recovery && self.errors > before
    }

    /// Returns a placeholder for a malformed expression.
    pub(super) fn placeholder(range: Range) -> Node {
        Node::Literal(Value::null(), range)
    }

    /// Runs `parse` with or without newlines as tokens.
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

    /// Runs `parse` one level deeper; if that is too deep, skips all tokens.
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

    /// Records that the last tree becomes the child of another one.
    pub(super) fn grow(&mut self, range: Range) {
        self.height += 1;
        if self.height > MAX_HEIGHT {
            self.give_up(range, MAX_HEIGHT);
        }
    }

    /// Reports that there are too many levels, and skips all tokens.
    fn give_up(&mut self, range: Range, levels: usize) {
        self.error(range, format!("more than {levels} levels of nesting"));
        self.recovery = true;
        self.next = self.tokens.len();
    }

    /// Skips to the token after the `end` that closes the current bracket.
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

    /// Skips the next bracketed part, which `start` opens.
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
