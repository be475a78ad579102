//! Parses templates: text with `${…}` and `%{…}`, in quotes, heredocs and JSON strings.

use super::ast::Node;
use super::parser::Parser;
use super::range::Range;
use super::strings::unescape;
use super::template_tree::TreeBuilder;
use super::template_trim::{meld, trim_indent};
use super::token::{Token, TokenKind};

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Piece {
    /// Text.
    Text(String, Range),
    /// `${expression}`
    Value(Node),
    /// `%{if condition}`
    If(Node, Range),
    /// `%{for key, value in collection}`
    For {
        key_name: Option<String>,
        value_name: String,
        collection: Node,
        range: Range,
    },
    /// `%{else}`, `%{endif}` or `%{endfor}`
    Close(Closing, Range),
}

/// The kind of a closing directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    Else,
    EndIf,
    EndFor,
}

/// The pieces of a template that is being parsed.
struct Pieces {
    list: Vec<Piece>,
    /// True if spaces at the start of the next text are trimmed.
    trim_next: bool,
    /// True if the last piece is text, whose spaces at the end may be trimmed.
    after_text: bool,
}

impl<'a> Parser<'a> {
    /// Parses a template with its quotes or heredoc markers.
    pub(super) fn quoted_template(&mut self) -> Node {
        let open = self.read();
        let flush = open.kind == TokenKind::OpenHeredoc && open.text.starts_with("<<-");
        let end = match open.kind {
            TokenKind::OpenHeredoc => TokenKind::CloseHeredoc,
            _ => TokenKind::CloseQuote,
        };
        let (nodes, wrapped, _) = self.template_nodes(end, flush);
        let range = open.range.to(self.previous_range());
        template(nodes, wrapped, range)
    }

    /// Parses a template up to the end of the tokens.
    pub(super) fn bare_template(&mut self) -> Node {
        let (nodes, wrapped, range) = self.template_nodes(TokenKind::End, false);
        template(nodes, wrapped, range)
    }

    /// Parses the content of a template. Returns its parts, true if it is a single interpolation,
    /// and its range.
    fn template_nodes(&mut self, end: TokenKind, flush: bool) -> (Vec<Node>, bool, Range) {
        let start = self.peek().range;
        let (mut pieces, end_range) = self.pieces(end, start);
        if flush {
            trim_indent(&mut pieces);
        }
        let pieces = meld(pieces);
        let wrapped = matches!(pieces.as_slice(), [Piece::Value(_)]);
        let nodes = TreeBuilder::new(pieces, end_range).build(self);
        (nodes, wrapped, start.to(end_range))
    }

    /// Parses the pieces up to and including `end`, and returns the range of `end`.
    fn pieces(&mut self, end: TokenKind, start: Range) -> (Vec<Piece>, Range) {
        let mut pieces = Pieces {
            list: Vec::new(),
            trim_next: false,
            after_text: false,
        };
        let end_range = loop {
            let next = self.read();
            if next.kind == end {
                break next.range;
            }
            let trim = std::mem::take(&mut pieces.trim_next);
            let after_text = std::mem::take(&mut pieces.after_text);
            if next.text.ends_with('~')
                && after_text
                && let Some(Piece::Text(text, _)) = pieces.list.last_mut()
            {
                text.truncate(text.trim_end().len());
            }
            match next.kind {
                TokenKind::PlainText | TokenKind::QuotedText => {
                    let text = unescape(self, &next);
                    let text = if trim { text.trim_start() } else { &text };
                    pieces.list.push(Piece::Text(text.to_owned(), next.range));
                    pieces.after_text = true;
                }
                TokenKind::Interpolation => self.with_newlines(false, |parser| {
                    parser.interpolation(&mut pieces, end, start);
                }),
                TokenKind::Directive => self.with_newlines(false, |parser| {
                    parser.directive(&mut pieces, &next);
                }),
                _ => {
                    self.soft_known_error(
                        next.range,
                        "the text has no end: expected a closing quote",
                        "Unterminated template string; No closing marker was found for the string.",
                    );
                    break self.recover(end).range;
                }
            }
        };
        if pieces.list.is_empty() {
            let empty = start.end_point();
            pieces.list.push(Piece::Text(String::new(), empty));
        }
        (pieces.list, end_range)
    }

    /// Parses the rest of `${expression}`.
    fn interpolation(&mut self, pieces: &mut Pieces, end: TokenKind, start: Range) {
        let node = self.expression();
        let close = self.peek();
        match close.kind {
            TokenKind::SequenceEnd => {
                self.read();
                pieces.trim_next = close.text.starts_with('~');
            }
            TokenKind::End => {
                self.soft_error(start, "the interpolation has no closing brace");
                self.recover(TokenKind::SequenceEnd);
            }
            TokenKind::CloseQuote | TokenKind::OpenQuote if end == TokenKind::CloseQuote => {
                self.soft_error(start, "the interpolation has no closing brace");
                self.recover(TokenKind::SequenceEnd);
            }
            _ => {
                self.soft_error(
                    close.range,
                    "expected \"}\" after the value; for a literal ${ write $${",
                );
                self.recover(TokenKind::SequenceEnd);
            }
        }
        pieces.list.push(Piece::Value(node));
    }

    /// Parses the rest of `%{if …}`, `%{for …}` and so on.
    fn directive(&mut self, pieces: &mut Pieces, open: &Token<'a>) {
        let word = self.peek();
        if word.kind != TokenKind::Identifier {
            self.soft_error(word.range, "expected if, else, endif, for or endfor");
            self.recover(TokenKind::SequenceEnd);
            return;
        }
        self.read();
        let Some(piece) = self.directive_piece(&word, open.range) else {
            self.recover(TokenKind::SequenceEnd);
            return;
        };
        pieces.list.push(piece);
        let close = self.peek();
        if close.kind == TokenKind::SequenceEnd {
            self.read();
            pieces.trim_next = close.text.starts_with('~');
        } else {
            self.soft_error(close.range, format!("expected \"}}\" after {}", word.text));
            self.recover(TokenKind::SequenceEnd);
        }
    }

    /// Parses the rest of a directive after its keyword; `None` after an error.
    fn directive_piece(&mut self, word: &Token<'a>, open: Range) -> Option<Piece> {
        let closing = match word.text {
            "else" => Closing::Else,
            "endif" => Closing::EndIf,
            "endfor" => Closing::EndFor,
            "if" => {
                let condition = self.expression();
                return Some(Piece::If(condition, open.to(self.peek().range)));
            }
            "for" => {
                let (key_name, value_name) = self.for_names("the \"for\" directive")?;
                let collection = self.expression();
                return Some(Piece::For {
                    key_name,
                    value_name,
                    collection,
                    range: open.to(self.peek().range),
                });
            }
            other => {
                let known = ["if", "else", "endif", "for", "endfor"];
                let hint = crate::diagnostic::nearest(other, known)
                    .map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
                self.soft_error(word.range, format!("{other:?} is not a directive{hint}"));
                return None;
            }
        };
        Some(Piece::Close(closing, open.to(self.peek().range)))
    }
}

/// Returns the node of a template.
fn template(mut nodes: Vec<Node>, wrapped: bool, range: Range) -> Node {
    match nodes.pop() {
        Some(node) if wrapped => Node::Wrapped(Box::new(node), range),
        last => {
            nodes.extend(last);
            Node::Template(nodes, range)
        }
    }
}
