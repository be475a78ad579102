//! Builds expressions from the pieces of a template: matches `%{if}` with `%{endif}`, `%{for}` with
//! `%{endfor}`.

use super::ast::{Brackets, Conditional, For, Node};
use super::parser::Parser;
use super::range::Range;
use super::template::{Closing, Piece};
use crate::value::Value;

/// Builds the tree of a template.
pub(super) struct TreeBuilder {
    pieces: std::vec::IntoIter<Piece>,
    /// The range of the template's end.
    end: Range,
    depth: usize,
}

/// The deepest nesting of directives.
const MAX_DEPTH: usize = 100;

impl TreeBuilder {
    /// Returns a builder for pieces, with the template's end at `end`.
    pub(super) fn new(pieces: Vec<Piece>, end: Range) -> Self {
        Self {
            pieces: pieces.into_iter(),
            end,
            depth: 0,
        }
    }

    /// Returns the parts of the template, and reports errors to `parser`.
    pub(super) fn build(mut self, parser: &mut Parser<'_>) -> Vec<Node> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match self.node(piece, parser) {
                Some(node) => nodes.push(node),
                None => break,
            }
        }
        nodes
    }

    /// Returns the node that starts with `piece`; `None` after an error.
    fn node(&mut self, piece: Piece, parser: &mut Parser<'_>) -> Option<Node> {
        match piece {
            Piece::Text(text, range) => Some(Node::Literal(Value::string(text), range)),
            Piece::Value(node) => Some(node),
            Piece::If(condition, range) => {
                self.enter(range, parser)?;
                let node = self.if_node(condition, range, parser);
                self.depth -= 1;
                node
            }
            Piece::For {
                key_name,
                value_name,
                collection,
                range,
            } => {
                self.enter(range, parser)?;
                let (body, close) = self.body("for", range, parser)?;
                self.depth -= 1;
                let (Closing::EndFor, end) = close else {
                    return unexpected(close, "for", range, parser);
                };
                Some(Node::Joined(Box::new(Node::For(Box::new(For {
                    key_name,
                    value_name,
                    collection,
                    key: None,
                    value: template(body, range.end_point()),
                    condition: None,
                    group: false,
                    brackets: Brackets {
                        range: range.to(end),
                        open: range,
                    },
                })))))
            }
            Piece::Close(closing, range) => {
                let name = name(closing);
                parser.error(range, format!("%{{{name}}} closes nothing"));
                None
            }
        }
    }

    /// Enters one level.
    fn enter(&mut self, range: Range, parser: &mut Parser<'_>) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            parser.error(range, format!("more than {MAX_DEPTH} levels of nesting"));
            return None;
        }
        Some(())
    }

    /// Returns the rest of an `if`, starting at its first part.
    fn if_node(&mut self, condition: Node, range: Range, parser: &mut Parser<'_>) -> Option<Node> {
        let (yes, close) = self.body("if", range, parser)?;
        let (no, end) = match close {
            (Closing::EndIf, end) => (Vec::new(), end),
            (Closing::Else, _) => {
                let (no, close) = self.body("if", range, parser)?;
                let (Closing::EndIf, end) = close else {
                    return unexpected(close, "if", range, parser);
                };
                (no, end)
            }
            other => return unexpected(other, "if", range, parser),
        };
        Some(Node::Conditional(Box::new(Conditional {
            condition,
            yes: template(yes, range.end_point()),
            no: template(no, end.start_point()),
            range: range.to(end),
        })))
    }

    /// Returns the nodes up to a closing directive, and that directive.
    fn body(
        &mut self,
        open: &str,
        range: Range,
        parser: &mut Parser<'_>,
    ) -> Option<(Vec<Node>, (Closing, Range))> {
        let mut nodes = Vec::new();
        loop {
            match self.pieces.next() {
                Some(Piece::Close(closing, range)) => return Some((nodes, (closing, range))),
                Some(piece) => nodes.push(self.node(piece, parser)?),
                None => {
                    let line = range.start.line;
                    let message = format!("%{{{open}}} on line {line} has no %{{end{open}}}");
                    parser.error(self.end, message);
                    return None;
                }
            }
        }
    }
}

/// Reports an unexpected closing directive.
fn unexpected(
    (closing, range): (Closing, Range),
    open: &str,
    opened: Range,
    parser: &mut Parser<'_>,
) -> Option<Node> {
    let (name, line) = (name(closing), opened.start.line);
    let message = format!("expected %{{end{open}}} for line {line}, found %{{{name}}}");
    parser.error(range, message);
    None
}

/// Returns the keyword of a closing directive.
fn name(closing: Closing) -> &'static str {
    match closing {
        Closing::Else => "else",
        Closing::EndIf => "endif",
        Closing::EndFor => "endfor",
    }
}

/// Returns a template of `nodes`, or of an empty text at `empty`.
fn template(mut nodes: Vec<Node>, empty: Range) -> Node {
    if nodes.is_empty() {
        nodes.push(Node::Literal(Value::string(""), empty));
    }
    let first = nodes.first().map_or(empty, Node::range);
    let last = nodes.last().map_or(empty, Node::range);
    Node::Template(nodes, first.to(last))
}
