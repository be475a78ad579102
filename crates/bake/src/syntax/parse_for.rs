//! Parses `for` expressions.

use super::ast::{For, Node};
use super::parse_collection::brackets;
use super::parser::Parser;
use super::token::{Token, TokenKind};

/// The variables of a `for`: one for keys, if given, and one for elements.
pub(super) type Names = (Option<String>, String);

impl<'a> Parser<'a> {
    /// Parses the rest of `[for …]` or `{for …}`, starting at `for`.
    pub(super) fn for_expression(&mut self, open: &Token<'a>, end: TokenKind) -> Node {
        match self.for_parts(open, end) {
            Some(each) => Node::For(Box::new(each)),
            None => {
                let close = self.recover(end);
                Self::placeholder(open.range.to(close.range))
            }
        }
    }

    /// Parses the parts of a `for`; `None` after an error before the end.
    fn for_parts(&mut self, open: &Token<'a>, end: TokenKind) -> Option<For> {
        self.read();
        let (key_name, value_name) = self.for_names("the \"for\" expression")?;
        let before = self.errors;
        let collection = self.expression();
        if self.lost(before) {
            return None;
        }
        let colon = self.peek();
        if colon.kind != TokenKind::Colon {
            self.soft_error(colon.range, "expected \":\" after the list to iterate over");
            return None;
        }
        self.read();
        let before = self.errors;
        let mut value = self.expression();
        let mut key = None;
        if self.peek_kind() == TokenKind::FatArrow {
            self.read();
            key = Some(std::mem::replace(&mut value, self.expression()));
        }
        if self.lost(before) {
            return None;
        }
        let ellipsis = (self.peek_kind() == TokenKind::Ellipsis).then(|| self.read());
        let condition = self.for_condition()?;
        let next = self.peek();
        let close = if next.kind == end {
            self.read()
        } else {
            self.soft_error(next.range, "expected the end of the \"for\" expression");
            self.recover(end)
        };
        match (&key, end) {
            (Some(key), TokenKind::CloseBracket) => {
                self.error(key.range(), "a list has no keys: use {for …} for an object");
            }
            (None, TokenKind::CloseBrace) => {
                self.error(value.range(), "an object needs keys: expected \"=>\"");
            }
            _ => {}
        }
        if let (Some(ellipsis), TokenKind::CloseBracket) = (ellipsis, end) {
            self.error(ellipsis.range, "only objects can group values with \"...\"");
        }
        Some(For {
            key_name,
            value_name,
            collection,
            key,
            value,
            condition,
            group: ellipsis.is_some(),
            brackets: brackets(open.range, close.range),
        })
    }

    /// Parses `if condition`, if it is there; the outer `None` means an error.
    fn for_condition(&mut self) -> Option<Option<Node>> {
        if !self.peek().is_word("if") {
            return Some(None);
        }
        self.read();
        let before = self.errors;
        let condition = self.expression();
        (!self.lost(before)).then_some(Some(condition))
    }

    /// Parses `value in` or `key, value in`; `None` after an error.
    pub(super) fn for_names(&mut self, place: &str) -> Option<Names> {
        let first = self.for_name(place)?;
        let names = if self.peek_kind() == TokenKind::Comma {
            self.read();
            (Some(first), self.for_name(place)?)
        } else {
            (None, first)
        };
        let next = self.peek();
        if !next.is_word("in") {
            self.soft_error(next.range, format!("{place} needs \"in\" after its names"));
            return None;
        }
        self.read();
        Some(names)
    }

    /// Parses the name of a variable.
    fn for_name(&mut self, place: &str) -> Option<String> {
        let next = self.peek();
        if next.kind != TokenKind::Identifier {
            self.soft_error(
                next.range,
                format!("{place} needs the name of a variable here"),
            );
            return None;
        }
        self.read();
        Some(next.text.to_owned())
    }
}
