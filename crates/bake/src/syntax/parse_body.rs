//! Parses bodies: attributes and blocks.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Attribute, Expression};
use super::body::{Block, Body};
use super::parser::Parser;
use super::range::Range;
use super::strings;
use super::token::{Token, TokenKind};

/// An item of a body.
enum Item {
    Attribute(Attribute),
    Block(Block),
}

impl<'a> Parser<'a> {
    /// Parses a body up to and including `end`.
    pub(super) fn body(&mut self, file: &Arc<str>, end: TokenKind) -> Body {
        let mut body = Body::default();
        let mut names = HashMap::new();
        let start = self.previous_range();
        loop {
            let next = self.peek();
            if next.kind == end {
                self.read();
                return body;
            }
            match next.kind {
                TokenKind::Newline => {
                    self.read();
                }
                TokenKind::Identifier => match self.item(file) {
                    Some(Item::Block(block)) => body.blocks.push(block),
                    Some(Item::Attribute(attribute)) => {
                        self.add(&mut body, &mut names, attribute);
                    }
                    None => {}
                },
                _ => {
                    let bad = self.read();
                    self.not_an_item(&bad, start);
                    self.recover(end);
                    return body;
                }
            }
        }
    }

    /// Adds an attribute to a body; a duplicate is an error. `names` has the first places of all
    /// names.
    fn add(&mut self, body: &mut Body, names: &mut HashMap<String, Range>, attribute: Attribute) {
        let range = attribute.name_range;
        let first = *names.entry(attribute.name.clone()).or_insert(range);
        if names.len() > body.attributes.len() {
            body.attributes.push(attribute);
            return;
        }
        let message = format!(
            "attribute {:?} is set on line {} already",
            attribute.name, first.start.line
        );
        let name = &attribute.name;
        let reference = format!(
            "Attribute redefined; The argument {name:?} was already set at {}. Each argument may \
             be set only once.",
            first.within(&attribute.expression.file)
        );
        self.known_error(attribute.name_range, message, reference);
    }

    /// Reports a token that starts neither an attribute nor a block.
    fn not_an_item(&mut self, bad: &Token<'a>, start: Range) {
        match bad.kind {
            TokenKind::OpenQuote => {
                self.soft_error(bad.range, "the name of an attribute must not be quoted");
            }
            TokenKind::End => self.unclosed_block(start),
            _ => self.soft_known_error(
                bad.range,
                "expected an attribute or a block",
                "Argument or block definition required; An argument or block definition is \
                 required here.",
            ),
        }
    }

    /// Parses an attribute or a block, starting at its name.
    fn item(&mut self, file: &Arc<str>) -> Option<Item> {
        let name = self.read();
        match self.peek_kind() {
            TokenKind::Equals => Some(Item::Attribute(self.attribute(file, &name, false))),
            TokenKind::OpenQuote | TokenKind::OpenBrace | TokenKind::Identifier => {
                self.block(file, &name).map(Item::Block)
            }
            _ => {
                self.recover_after_item();
                self.known_error(
                    name.range,
                    format!("expected \"=\" or a block after {:?}", name.text),
                    "Argument or block definition required; An argument or block definition is \
                     required here. To set an argument, use the equals sign \"=\" to introduce the \
                     argument value.",
                );
                None
            }
        }
    }

    /// Parses the rest of an attribute, starting at its equals sign.
    fn attribute(&mut self, file: &Arc<str>, name: &Token<'a>, single_line: bool) -> Attribute {
        self.read();
        let before = self.errors;
        let node = self.expression();
        let mut end = self.previous_range();
        if self.lost(before) {
            self.recover_after_item();
        } else if !single_line {
            let next = self.peek();
            if next.kind == TokenKind::Newline || next.kind == TokenKind::End {
                self.read();
            } else {
                let message = match next.kind {
                    TokenKind::Comma => "attributes end with a newline, not a comma".to_owned(),
                    _ => format!("expected a newline after the value of {:?}", name.text),
                };
                self.soft_error(next.range, message);
                end = self.previous_range();
                self.recover_after_item();
            }
        }
        Attribute {
            name: name.text.to_owned(),
            name_range: name.range,
            range: name.range.to(end),
            expression: Expression {
                file: file.clone(),
                node: Arc::new(node),
            },
        }
    }

    /// Parses the rest of a block, starting at its labels.
    fn block(&mut self, file: &Arc<str>, kind: &Token<'a>) -> Option<Block> {
        let mut labels = Vec::new();
        let open = loop {
            let next = self.peek();
            match next.kind {
                TokenKind::OpenBrace => break self.read().range,
                TokenKind::OpenQuote => labels.push(strings::label(self)),
                TokenKind::Identifier => {
                    self.read();
                    labels.push((next.text.to_owned(), next.range));
                }
                _ => {
                    self.not_a_header(kind, &next);
                    self.recover_after_item();
                    return None;
                }
            }
        };
        let body = match self.peek_kind() {
            TokenKind::Newline | TokenKind::End | TokenKind::CloseBrace => self.nested(
                |parser| parser.body(file, TokenKind::CloseBrace),
                |_| Body::default(),
            ),
            _ => self.single_line_body(file, open),
        };
        let end = self.peek();
        if end.kind == TokenKind::Newline || end.kind == TokenKind::End {
            self.read();
        } else {
            self.soft_known_error(
                end.range,
                "expected a newline after the block",
                "Missing newline after block definition; A block definition must end with a \
                 newline.",
            );
            self.recover_after_item();
        }
        Some(Block {
            file: file.clone(),
            kind: kind.text.to_owned(),
            kind_range: kind.range,
            labels,
            open,
            missing: open.start_point(),
            body,
        })
    }

    /// Reports a token that cannot follow the name or a label of a block.
    fn not_a_header(&mut self, kind: &Token<'a>, next: &Token<'a>) {
        match next.kind {
            TokenKind::Equals => self.known_error(
                next.range,
                format!("a block has no \"=\": write {} \"…\" {{", kind.text),
                "Invalid block definition; The equals sign \"=\" indicates an argument definition, \
                 and must not be used when defining a block.",
            ),
            TokenKind::Newline => self.known_error(
                next.range,
                format!("the {:?} block needs its \"{{\" on this line", kind.text),
                "Invalid block definition; A block definition must have block content delimited by \
                 \"{\" and \"}\", starting on the same line as the block header.",
            ),
            _ => self.soft_error(next.range, "expected a label in quotes or \"{\""),
        }
    }

    /// Parses the rest of `name { attribute = value }` on one line.
    ///
    /// As in the reference, an error after the attribute is reported before those in it.
    fn single_line_body(&mut self, file: &Arc<str>, open: Range) -> Body {
        let earlier = self.first.take();
        let body = self.single_attribute(file);
        let inner = std::mem::replace(&mut self.first, earlier);
        self.end_of_single_line(open);
        self.first = self.first.take().or(inner);
        body
    }

    /// Consumes the closing brace of a block on one line, or skips to it.
    fn end_of_single_line(&mut self, open: Range) {
        let next = self.peek();
        match next.kind {
            TokenKind::CloseBrace => {
                self.read();
                return;
            }
            TokenKind::Comma => self.error(
                next.range,
                "a block on one line holds one attribute: put each on its own line",
            ),
            TokenKind::Newline => {
                self.error(next.range, "a block on one line must also end on that line");
            }
            TokenKind::End => self.unclosed_block(open),
            _ => self.soft_error(
                next.range,
                "expected \"}\" after the block's only attribute",
            ),
        }
        self.recover(TokenKind::CloseBrace);
    }

    /// Parses the only attribute of a block on one line.
    fn single_attribute(&mut self, file: &Arc<str>) -> Body {
        let name = self.read();
        let next = self.peek();
        if name.kind == TokenKind::Identifier && next.kind == TokenKind::Equals {
            let attribute = self.attribute(file, &name, true);
            return Body {
                attributes: vec![attribute],
                blocks: Vec::new(),
            };
        }
        self.recover_after_item();
        let (range, message) = match (name.kind, next.kind) {
            (
                TokenKind::Identifier,
                TokenKind::OpenQuote | TokenKind::OpenBrace | TokenKind::Identifier,
            ) => (
                name.range.to(next.range),
                "a block on one line holds one attribute: put nested blocks on their own lines",
            ),
            _ => (name.range, "expected an attribute"),
        };
        self.error(range, message);
        Body::default()
    }
}
