//! Parses function calls.

use super::ast::{Call, Node};
use super::parser::Parser;
use super::range::Range;
use super::token::{Token, TokenKind};

/// The arguments of a call.
struct Arguments {
    nodes: Vec<Node>,
    expand: bool,
    close: Range,
}

impl<'a> Parser<'a> {
    /// Parses the rest of a call after its name.
    pub(super) fn call(&mut self, first: &Token<'a>) -> Node {
        let mut name = first.text.to_owned();
        let mut name_range = first.range;
        let mut open = self.read();
        while open.kind == TokenKind::DoubleColon {
            let next = self.read();
            if next.kind != TokenKind::Identifier {
                self.error(next.range, "expected the name of a function after \"::\"");
                self.recover_over(TokenKind::OpenParen);
                return Self::placeholder(first.range.to(next.range));
            }
            name = format!("{name}::{}", next.text);
            name_range = name_range.to(next.range);
            open = self.read();
        }
        if open.kind != TokenKind::OpenParen {
            self.error(open.range, format!("expected \"(\" after {name}"));
            self.recover_over(TokenKind::OpenParen);
            return Self::placeholder(first.range.to(open.range));
        }
        let blamed = first.range.to(open.range);
        let arguments = self.with_newlines(false, |parser| parser.arguments(blamed));
        Node::Call(Box::new(Call {
            name,
            arguments: arguments.nodes,
            expand: arguments.expand,
            name_range,
            open: open.range,
            close: arguments.close,
        }))
    }

    /// Parses arguments up to the closing parenthesis. `blamed` is the start of the call, for
    /// errors.
    fn arguments(&mut self, blamed: Range) -> Arguments {
        let mut nodes = Vec::new();
        let mut expand = false;
        let close = loop {
            if self.peek_kind() == TokenKind::CloseParen {
                break self.read();
            }
            let before = self.errors;
            nodes.push(self.expression());
            if self.lost(before) {
                break self.recover(TokenKind::CloseParen);
            }
            let separator = self.read();
            match separator.kind {
                TokenKind::CloseParen => break separator,
                TokenKind::Comma => {}
                TokenKind::Ellipsis => {
                    expand = true;
                    if self.peek_kind() == TokenKind::CloseParen {
                        break self.read();
                    }
                    self.soft_error(separator.range, "expected \")\" after \"...\"");
                    break self.recover(TokenKind::CloseParen);
                }
                TokenKind::End => {
                    self.error(blamed, "the function call has no closing parenthesis");
                    break self.recover(TokenKind::CloseParen);
                }
                _ => {
                    self.error(separator.range, "expected a comma between arguments");
                    break self.recover(TokenKind::CloseParen);
                }
            }
        };
        Arguments {
            nodes,
            expand,
            close: close.range,
        }
    }
}
