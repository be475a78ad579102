//! Parses attributes, indices and splats after a value.

use super::ast::{Index, Node, Splat, Step};
use super::parser::Parser;
use super::range::Range;
use super::token::{Token, TokenKind};
use crate::value::Value;

impl<'a> Parser<'a> {
    /// Parses the steps after `from`.
    pub(super) fn steps(&mut self, from: Node) -> Node {
        let start = from.range();
        let mut node = from;
        loop {
            node = match self.peek_kind() {
                TokenKind::Dot => self.dot(node, start),
                TokenKind::OpenBracket => self.bracket(node, start),
                _ => return node,
            };
        }
    }

    /// Parses `.name`, `.0` or `.*`.
    fn dot(&mut self, node: Node, start: Range) -> Node {
        let dot = self.read();
        let next = self.peek();
        match next.kind {
            TokenKind::Identifier => {
                self.read();
                let range = dot.range.to(next.range);
                extend(node, Step::Attribute(next.text.to_owned(), range), range)
            }
            TokenKind::Number => {
                self.read();
                let range = dot.range.to(next.range);
                let key = self.dotted_index(&next, &next);
                extend(node, Step::Index(key, range), range)
            }
            TokenKind::Star => self.attribute_splat(node, &dot, start),
            _ => {
                self.error(next.range, "expected a name after the dot");
                self.recovery = true;
                Self::placeholder(start.to(dot.range))
            }
        }
    }

    /// Returns the index of `.0`. Two of them in a row, which scan as one number, are rejected.
    fn dotted_index(&mut self, number: &Token<'a>, blamed: &Token<'a>) -> Value {
        if let Some((first, second)) = number.text.split_once('.') {
            self.error(
                blamed.range,
                format!("two indices in a row must be in brackets: [{first}][{second}]"),
            );
            return Value::null();
        }
        self.number(number)
    }

    /// Parses `.*` and the attributes after it.
    fn attribute_splat(&mut self, source: Node, dot: &Token<'a>, start: Range) -> Node {
        let star = self.read();
        let marker = dot.range.to(star.range);
        let first = self.peek().range;
        let mut last = star.range;
        let mut blamed = star;
        let mut steps = Vec::new();
        while self.peek_kind() == TokenKind::Dot {
            let dot = self.read();
            let next = self.peek();
            match next.kind {
                TokenKind::Number => {
                    self.read();
                    let key = self.dotted_index(&next, &blamed);
                    steps.push(Step::Index(key, dot.range.to(next.range)));
                }
                TokenKind::Identifier => {
                    self.read();
                    blamed = next;
                    let range = dot.range.to(next.range);
                    steps.push(Step::Attribute(next.text.to_owned(), range));
                }
                TokenKind::Star => {
                    self.soft_error(next.range, "a splat (.*) cannot be inside another one");
                    self.recovery = true;
                    return source;
                }
                _ => {
                    self.soft_error(blamed.range, "expected a name after the dot");
                    self.recovery = true;
                    return source;
                }
            }
            last = next.range;
        }
        let element = Node::Element(marker);
        let each = if steps.is_empty() {
            element
        } else {
            Node::Relative(Box::new(element), steps, first.to(last))
        };
        self.grow(marker);
        Node::Splat(Box::new(Splat {
            source,
            each,
            range: start.to(last),
            marker,
        }))
    }

    /// Parses `[key]` or `[*]`.
    fn bracket(&mut self, node: Node, start: Range) -> Node {
        let open = self.read();
        if self.peek_kind() == TokenKind::Star {
            return self.full_splat(node, open.range, start);
        }
        let (key, close) = self.with_newlines(false, |parser| {
            let before = parser.errors;
            let key = parser.expression();
            if parser.lost(before) {
                return (key, parser.recover(TokenKind::CloseBracket));
            }
            let mut close = parser.read();
            if close.kind != TokenKind::CloseBracket && !parser.recovery {
                parser.error(close.range, "expected \"]\" after the index");
                close = parser.recover(TokenKind::CloseBracket);
            }
            (key, close)
        });
        let brackets = open.range.to(close.range);
        match constant(&key) {
            Some(key) => extend(node, Step::Index(key, brackets), brackets),
            None => {
                self.grow(brackets);
                Node::Index(Box::new(Index {
                    collection: node,
                    key,
                    range: start.to(brackets),
                    open: open.range,
                    brackets,
                }))
            }
        }
    }

    /// Parses `*]` and the steps after it.
    fn full_splat(&mut self, source: Node, open: Range, start: Range) -> Node {
        self.read();
        let mut close = self.read();
        if close.kind != TokenKind::CloseBracket && !self.recovery {
            self.error(close.range, "expected \"]\" after the star");
            close = self.recover(TokenKind::CloseBracket);
        }
        let marker = open.to(close.range);
        let element = Node::Element(marker);
        let each = self.nested(|parser| parser.steps(element), Self::placeholder);
        let range = start.to(each.range());
        self.grow(marker);
        Node::Splat(Box::new(Splat {
            source,
            each,
            range,
            marker,
        }))
    }
}

/// Returns the value of a key that is a number, a constant or text without interpolation.
fn constant(key: &Node) -> Option<Value> {
    match key {
        Node::Literal(value, _) => Some(value.clone()),
        Node::Template(parts, _) => match parts.as_slice() {
            [Node::Literal(value, _)] => Some(value.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns `node` with one more step.
fn extend(node: Node, step: Step, step_range: Range) -> Node {
    match node {
        Node::Reference(mut reference) => {
            reference.steps.push(step);
            reference.range = reference.range.to(step_range);
            Node::Reference(reference)
        }
        Node::Relative(source, mut steps, range) => {
            steps.push(step);
            Node::Relative(source, steps, range.to(step_range))
        }
        node => {
            let range = node.range().to(step_range);
            Node::Relative(Box::new(node), vec![step], range)
        }
    }
}
