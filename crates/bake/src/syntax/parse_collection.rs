//! Parses tuples and objects.

use super::ast::{Brackets, Item, Node};
use super::parser::Parser;
use super::range::Range;
use super::token::{Token, TokenKind};

impl<'a> Parser<'a> {
    /// Parses `[a, b]` or `[for …]`.
    pub(super) fn tuple(&mut self) -> Node {
        let open = self.read();
        self.with_newlines(false, |parser| {
            if parser.peek().is_word("for") {
                return parser.for_expression(&open, TokenKind::CloseBracket);
            }
            let mut nodes = Vec::new();
            let close = loop {
                if parser.peek_kind() == TokenKind::CloseBracket {
                    break parser.read();
                }
                let before = parser.errors;
                nodes.push(parser.expression());
                if parser.lost(before) {
                    break parser.recover(TokenKind::CloseBracket);
                }
                let next = parser.peek();
                match next.kind {
                    TokenKind::CloseBracket => break parser.read(),
                    TokenKind::Comma => {
                        parser.read();
                    }
                    _ => {
                        parser.no_comma(&next, open.range, "the list has no closing bracket");
                        break parser.recover(TokenKind::CloseBracket);
                    }
                }
            };
            Node::Tuple(nodes, brackets(open.range, close.range))
        })
    }

    /// Reports that `next`, which is not a separator, follows in a list or object.
    fn no_comma(&mut self, next: &Token<'a>, open: Range, unclosed: &str) {
        match next.kind {
            TokenKind::End => self.soft_error(open, unclosed),
            _ if self.recovery => {}
            _ => self.known_error(
                next.range,
                "expected a comma before the next item",
                "Missing item separator; Expected a comma to mark the beginning of the next item.",
            ),
        }
    }

    /// Parses `{ a = 1 }` or `{for …}`.
    pub(super) fn object(&mut self) -> Node {
        let open = self.read();
        if self.with_newlines(false, |parser| parser.peek().is_word("for")) {
            return self.with_newlines(false, |parser| {
                parser.for_expression(&open, TokenKind::CloseBrace)
            });
        }
        self.with_newlines(true, |parser| {
            let mut items = Vec::new();
            let close = loop {
                match parser.peek_kind() {
                    TokenKind::Newline => {
                        parser.read();
                        continue;
                    }
                    TokenKind::CloseBrace => break parser.read(),
                    _ => {}
                }
                match parser.object_item(open.range) {
                    Some(item) => items.push(item),
                    None => break parser.recover(TokenKind::CloseBrace),
                }
                let next = parser.peek();
                match next.kind {
                    TokenKind::CloseBrace => break parser.read(),
                    TokenKind::Comma | TokenKind::Newline => {
                        parser.read();
                    }
                    _ => {
                        parser.no_comma(&next, open.range, "the object has no closing brace");
                        break parser.recover(TokenKind::CloseBrace);
                    }
                }
            };
            Node::Object(items, brackets(open.range, close.range))
        })
    }

    /// Parses a key and its value; `None` after an error.
    fn object_item(&mut self, open: Range) -> Option<Item> {
        let computed = self.peek_kind() == TokenKind::OpenParen;
        let before = self.errors;
        let key = self.expression();
        if self.lost(before) {
            return None;
        }
        let next = self.peek();
        if next.kind != TokenKind::Equals && next.kind != TokenKind::Colon {
            match next.kind {
                TokenKind::Newline | TokenKind::Comma => {
                    self.soft_error(next.range, "the key has no value: expected \"=\"");
                }
                TokenKind::Identifier => self.soft_error(
                    next.range,
                    "expected \"=\" after the key; a key with dots or blanks must be quoted",
                ),
                TokenKind::End => self.soft_error(open, "the object has no closing brace"),
                _ => self.soft_error(next.range, "expected \"=\" after the key"),
            }
            return None;
        }
        self.read();
        let before = self.errors;
        let value = self.expression();
        if self.lost(before) {
            return None;
        }
        Some(Item {
            key,
            computed,
            value,
        })
    }
}

/// Returns the ranges of a bracketed expression.
pub(super) fn brackets(open: Range, close: Range) -> Brackets {
    Brackets {
        range: open.to(close),
        open,
    }
}
